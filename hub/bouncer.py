"""Closes the connections of who sends more than the hub takes, and does not hear its key for a minute.

Theory.  No option of libzmq closes one connection, or bounds the parts of a message that never ends; the kernel can do
the first and counts for the second.  This thread reads how much memory the process has, ten times a second, which is
nearly free; every ten seconds, or as soon as it has grown, it looks at each descriptor (TCP_INFO, SO_COOKIE) and has
`hub.shares` judge.  shutdown(2) then ends a connection for both sides: libzmq sees its end and throws unfinished parts
away, what was finished is read and dropped by the loop, since the user is silenced, and the gate refuses the key.
libc is called without giving the interpreter up: ten thousand calls that each wait for it again would take seconds.
A kernel that does not tell (no Linux) bounds nothing, and that is said once.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from typing import Any

from hub.clock import Instant
from hub.discovery.notices import note
from hub.loop import Loop
from hub.shares import GROWTH, PART, Excess, Seen, Shares
from hub.words import Effects, Event, Say, Stored

PAUSE = 0.1
"""Seconds between two looks at the memory."""
SOON, SELDOM = 0.2, 10.0
"""The same between two looks at all connections: 5 us each, so 50 ms for 10,000."""
FREED = 1.0
"""After so many seconds the allocator is asked for what a flood has left free: else the next one grows unseen in it,
and every other one a little beyond."""
SILENT = 60.0
"""Seconds for which a user is not heard: all that it sent is dropped by then."""

FEED, REST = "feed", 10.0
"""Name of that door and domain; seconds for which it takes nobody new after a flood of topics.  libzmq puts them all
into its tree before anything else is done, so who floods again and again would leave the hub no time."""

COOKIE, INFO = 57, 11
"""SO_COOKIE (socket(7)) and TCP_INFO (tcp(7))."""
INFO_BYTES = 160
"""Of tcp_info, up to and with tcpi_data_segs_out (Linux 4.6); `_received` takes two numbers out of it."""
NUMBER = struct.Struct("=Q")
INTERNET = (struct.pack("=H", socket.AF_INET), struct.pack("=H", socket.AF_INET6))
ONCE, BREATH = 50, 0.0005
"""Descriptors after which the others may go on, and for how long at least, seconds; not where memory grows."""
PAGE = os.sysconf("SC_PAGE_SIZE")


class Kernel:
    """What the kernel says of this process's connections."""

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None, use_errno=True)
        self._buffer, self._size = ctypes.create_string_buffer(INFO_BYTES), ctypes.c_uint32()
        self._asked = self._libc.getsockopt, self._buffer, ctypes.byref(self._size)
        self._ports: dict[int, int] = {}
        self._memory, self._status = (os.open(f"/proc/self/{name}", os.O_RDONLY) for name in ("statm", "status"))

    def resident(self) -> int:
        """Bytes of memory this process has."""
        return int(os.pread(self._memory, 100, 0).split()[1]) * PAGE

    def seen(self, ports: Mapping[int, str], pause: float = 0.0) -> list[Seen]:
        """The connections to these ports of ours; the interpreter is given up for so long now and then."""
        found, known = [], dict[int, int]()
        for fd in range(self._slots()):
            if pause and fd % ONCE == ONCE - 1:
                time.sleep(pause)
            if not (cookie := self._cookie(fd)):
                continue
            known[cookie] = port = self._ports.get(cookie) or self._port(fd)
            if port in ports and (received := self._received(fd)) is not None:
                found.append(Seen(fd, cookie, port, *received))
        self._ports = known
        return found

    def shut(self, one: Seen) -> None:
        """Ends a connection, if the descriptor still is that one."""
        if self._cookie(one.fd) == one.cookie:
            self._libc.shutdown(one.fd, socket.SHUT_RDWR)

    def give_back(self) -> None:
        """Has the allocator return what is free (malloc_trim(3)), where it knows how to."""
        with suppress(AttributeError):
            self._libc.malloc_trim(0)

    def close(self) -> None:
        """At the end."""
        os.close(self._memory)
        os.close(self._status)

    def _slots(self) -> int:
        """One more than the highest descriptor can be (FDSize in proc(5))."""
        return int(os.pread(self._status, 8192, 0).partition(b"\nFDSize:")[2].split(None, 1)[0])

    def _received(self, fd: int) -> tuple[int, int] | None:
        """tcpi_bytes_received and tcpi_data_segs_in."""
        if not self._fill(fd, socket.IPPROTO_TCP, INFO, INFO_BYTES):
            return None
        return NUMBER.unpack_from(self._buffer, 128)[0], int.from_bytes(self._buffer.raw[152:156], sys.byteorder)

    def _cookie(self, fd: int) -> int:
        """Never 0 for a socket."""
        return int(NUMBER.unpack_from(self._buffer)[0]) if self._fill(fd, socket.SOL_SOCKET, COOKIE, 8) else 0

    def _port(self, fd: int) -> int:
        """Its own port; a negative number where it has none."""
        self._size.value = 28
        if self._libc.getsockname(fd, self._buffer, self._asked[2]) or self._buffer.raw[:2] not in INTERNET:
            return -1
        return int.from_bytes(self._buffer.raw[2:4], "big")

    def _fill(self, fd: int, level: int, name: int, size: int) -> bool:
        """Reads an option of that size into the buffer; whether there is such."""
        ask, buffer, room = self._asked
        self._size.value = size
        return not ask(fd, level, name, buffer, room) and self._size.value == size


class Bouncer:
    """See the module's docstring.  `ports` are the hub's, each with the name of its door."""

    def __init__(self, loop: Loop, ports: Mapping[int, str]) -> None:
        self._loop, self._ports, self._ledger = loop, ports, loop.ledger
        self._shares = Shares({port for port, name in ports.items() if name == FEED})
        self._found: deque[Excess] = deque()
        self._end = threading.Event()
        self._at = self._due = time.monotonic()
        self._alarm, self._trim_at = 0, inf
        self._thread = threading.Thread(target=self._run, name="bouncer", daemon=True)

    def stand(self) -> None:
        """Begins; what is found out is told in the loop's turns."""
        self._loop.admissions.silenced = self._ledger.silenced
        self._loop.admissions.resting = self._ledger.resting
        self._loop.turns.append(self._tell)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._end.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            kernel = Kernel()
        except OSError as error:
            self._loop.say(f"this system does not tell what peers send, so floods are not bounded: {error}")
            return
        failed = ""
        while not self._end.wait(PAUSE):
            try:
                self.look(kernel, time.monotonic())
            except Exception as error:  # the next look may go well, and without looks nothing is bounded
                if failed != repr(error):
                    self._loop.say(f"bug: a look at the connections failed: {error!r}")
                failed = repr(error)
        kernel.close()

    def look(self, kernel: Kernel, now: float) -> None:
        """One look, if it is time."""
        for barred in (self._ledger.silenced, self._ledger.resting):
            for name in [name for name, until in barred.items() if until <= now]:
                del barred[name]
        if now >= self._trim_at:
            kernel.give_back()
            self._trim_at, self._alarm = inf, _alarm(kernel)
        resident = kernel.resident()
        grows = resident >= self._alarm > 0
        if now < (self._at + SOON if grows else self._due):
            return
        seen = kernel.seen(self._ports, 0.0 if grows else BREATH)
        excesses = self._shares.judge(seen, self._ledger.turn(), now - self._at, grows)
        for excess in excesses:
            if excess.user:
                self._ledger.silenced[excess.user] = now + SILENT
            for one in excess.close:
                if not excess.user and self._ports[one.port] == FEED:
                    self._ledger.resting[FEED] = now + REST
                kernel.shut(one)
        self._found.extend(excesses)
        if excesses:
            self._loop.waker.wake()
            self._trim_at = min(self._trim_at, now + FREED)
        self._at, heavy = now, self._shares.heavy
        self._due = now + (SOON if heavy else SELDOM)
        if self._trim_at == inf and not (grows and heavy):  # a flood is looked at again and again, until it is over
            self._alarm = _alarm(kernel)

    def _tell(self, now: Instant) -> list[Event]:
        found = [self._found.popleft() for _ in range(len(self._found))]
        return [Stored(self._words, excess, "") for excess in found]

    def _words(self, excess: Excess, error: str, now: Instant) -> Effects:
        doors = sorted({self._ports[one.port] for one in excess.close})
        who, size = f"user {excess.user}" if excess.user else "somebody", f"{excess.waiting / 2**20:.0f} MiB"
        end = f", and its key is refused for {SILENT:g} s" if excess.user else ""
        line = f"{who} sent {size} that nobody could take so fast; its connections are closed{end}"
        agent = self._loop.core.fleet.registry.agents.get(excess.user)
        body: dict[str, Any] = {"note": "flood", "agent": excess.user, "bytes": excess.waiting, "doors": doors}
        return [Say(line), *(note(agent, body, now.wall) if agent is not None else ())]


def _alarm(kernel: Kernel) -> int:
    """Memory from which on it has grown."""
    resident = kernel.resident()
    return resident + max(GROWTH, resident // PART)
