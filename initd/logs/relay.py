"""The short way of a loud program's output: what is not looked at is not copied.

Theory.  Whoever reads or changes the text (followers, masks, prefixes, JSON ...) needs it as an object of its own.
Where nobody does, a channel is plain, and once its program is loud (a read brought LOUD_BYTES) its pipe is read

    into one buffer for all of them, out of which sinks write at once; only what they cannot take is copied, and of each
    read the end, into the ring and as the unfinished line;
    or, where very much waits, only the end of it: all before that is moved into the container's pipe by splice(2),
    uncopied and unseen.  The ring has room for no more than what is left to be read.

A plain channel's lines still go out whole: what is moved ends somewhere in a line, but nobody else can write before the
end is read, since that happens in the same call, and more is left to be read than an unfinished line may have.

The pipes of loud programs are given more room, WIDE_PIPES of them: that saves wakings, which cost more than copies.
What the kernel or a seccomp profile refuses is not tried again.
"""

from __future__ import annotations

import fcntl
import os
import sys

from wire.limits import LOUD_BYTES, PARTIAL_LINE_BYTES, READ_BYTES, RING_BYTES, WIDE_PIPE_BYTES, WIDE_PIPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.logs.desk import Pipe

LEFT = max(RING_BYTES, PARTIAL_LINE_BYTES) + 1
"""Bytes that are read rather than moved."""
NO_SIZE = bytes(4)


class Relay:
    """The buffer, and the loud pipes."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        """What is read; empty until some program is loud."""
        self._wide: set[Pipe] = set()
        self._works = True

    def suits(self, pipe: Pipe) -> bool:
        """Whether the pipe is to be read this way."""
        return pipe.is_loud and self._works and pipe.capture is None and pipe.channel.is_plain

    def read(self, pipe: Pipe, moved: int) -> int | None:
        """Read into the buffer what was not `moved`; how many bytes, None where that is refused.

        Raises OSError and MemoryError as read(2) does.
        """
        if not self.buffer:
            self.buffer = bytearray(READ_BYTES)
        try:
            return os.readv(pipe.fd, (memoryview(self.buffer)[: LEFT if moved else READ_BYTES],))
        except PermissionError:
            self._works = False
            return None

    def move(self, pipe: Pipe) -> int:
        """Move all but the end of what waits past us; how many bytes."""
        if pipe not in self._wide or not self.buffer or not pipe.channel.may_splice:
            return 0
        waiting = int.from_bytes(fcntl.ioctl(pipe.fd, _fionread(), NO_SIZE), sys.byteorder)
        return pipe.channel.splice(pipe.fd, waiting - LEFT) if waiting >= 2 * LOUD_BYTES else 0

    def heed(self, pipe: Pipe, size: int) -> None:
        """So many bytes were read: decide how loud its program is."""
        if pipe.is_loud and size >= LOUD_BYTES and pipe not in self._wide and len(self._wide) < WIDE_PIPES:
            self._widen(pipe)
        pipe.is_loud = size >= LOUD_BYTES

    def forget(self, pipe: Pipe) -> None:
        """It is closed."""
        self._wide.discard(pipe)

    def _widen(self, pipe: Pipe) -> None:
        self._wide.add(pipe)
        try:
            if fcntl.fcntl(pipe.fd, fcntl.F_GETPIPE_SZ) < WIDE_PIPE_BYTES:
                fcntl.fcntl(pipe.fd, fcntl.F_SETPIPE_SZ, WIDE_PIPE_BYTES)
        except OSError:
            pass  # the user has too many of them; it works as it is


def _fionread() -> int:
    from termios import FIONREAD  # only where a program is loud

    return FIONREAD
