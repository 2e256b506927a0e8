"""How a program says itself that it is ready: a newline on a descriptor (s6), or a datagram to NOTIFY_SOCKET.

Theory.  A descriptor is a pipe made for each start; the program gets the write end under the number it wants, and a
newline on it means ready.  A NOTIFY_SOCKET (sd_notify(3)) is an abstract unix socket, one for each program, made once:
it needs no directory and its name is random.  Anybody in the network namespace could write to it, so the kernel's word
about the sender (SCM_CREDENTIALS) must show a process of that very program.  Descriptors that come along are closed.
"""

from __future__ import annotations

import os
import select
import sys

from initd.probes.message import parse
from initd.sockets import socket
from wire.limits import NOTIFY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.loop import Loop
    from initd.probes.message import Message

CREDENTIALS = 12
"""Bytes of struct ucred: pid, uid, gid."""

RIGHTS = 253 * 4
"""Bytes of the most descriptors one message may carry (SCM_MAX_FD)."""

BURST = 16
"""Messages taken in one turn of the loop, so that a flood starves nobody."""

PIPE_BYTES = 512


class Newline:
    """One pipe of one start; `said()` is called when a newline came.  Raises OSError where there are no descriptors."""

    def __init__(self, loop: Loop, said: Callable[[], object]) -> None:
        self._loop = loop
        self._said = said
        self._ours, self.theirs = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(self._ours, False)
            loop.watch(self._ours, select.EPOLLIN, self._read)
        except OSError:
            self.close()
            raise

    def handed_over(self) -> None:
        """The program has its end, or will never come."""
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    def close(self) -> None:
        """Nobody waits for it any more."""
        self.handed_over()
        if self._ours >= 0:
            self._loop.forget(self._ours)
            os.close(self._ours)
            self._ours = -1

    def _read(self, mask: int) -> None:
        try:
            chunk = os.read(self._ours, PIPE_BYTES)
        except BlockingIOError:
            return
        if b"\n" in chunk:
            self.close()
            self._said()
        elif not chunk:
            self.close()


class Mailbox:
    """The NOTIFY_SOCKET of one program; `heard(message, pid)` gets what comes.  Raises OSError."""

    def __init__(self, loop: Loop, name: str, heard: Callable[[Message, int], object]) -> None:
        self._loop = loop
        self._heard = heard
        self.address = f"@{name}"
        """As NOTIFY_SOCKET says it."""
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_UNIX, kind)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._socket.bind(f"\0{name}")
            loop.watch(self._socket.fileno(), select.EPOLLIN, self._read)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Nobody is listened to any more."""
        self._loop.forget(self._socket.fileno())
        self._socket.close()

    def _read(self, mask: int) -> None:
        room = socket.CMSG_SPACE(CREDENTIALS) + socket.CMSG_SPACE(RIGHTS)
        for _ in range(BURST):
            try:
                data, extra, _, _ = self._socket.recvmsg(NOTIFY_BYTES, room, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            pid = self._sender(extra)
            if pid > 0:
                self._heard(parse(data), pid)

    def _sender(self, extra: list[tuple[int, int, bytes]]) -> int:
        """Who sent it, 0 where the kernel does not say; descriptors are closed."""
        pid = 0
        for level, kind, data in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid = int.from_bytes(data[:4], sys.byteorder, signed=True)
            elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                for at in range(0, len(data) - 3, 4):
                    os.close(int.from_bytes(data[at : at + 4], sys.byteorder))
        return pid
