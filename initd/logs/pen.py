"""How to write to a descriptor without ever waiting for its reader.

Theory.  The container's streams are open file descriptions that other processes share, so O_NONBLOCK may not be set on
them, and by name they often cannot be opened again (a pipe of another user: EACCES; a socket: ENXIO).  A stalled reader
must not stop PID 1 all the same.  So each kind of description has its own way to write without waiting:

    regular file, /dev/null     write(2) whole: it does not wait for a reader
    pipe, fifo, socket          pwritev2(2) with RWF_NOWAIT, which is O_NONBLOCK for one call; where the kernel refuses
                                it, poll(2), then at most PIPE_BUF bytes: pipe(7) promises room for as many
    pipe that was spliced into  splice(2) with SPLICE_F_NONBLOCK out of a pipe of our own (a ferry): since Linux 6.5 a
                                description that splice has written to takes RWF_NOWAIT no more
    terminal                    a description of our own with O_NONBLOCK (a tty can be opened through /proc/self/fd);
                                where that is refused, poll(2) and one byte at a time: n_tty waits inside write(2) for
                                anything longer than its room, and its room may be a single byte
    opened by us                O_NONBLOCK

What a ferry has aboard and could not land is the beginning of what `write` has not taken; so who writes must come back
with the same bytes, as initd.logs.stream does.

A pipe that was full once may get more room (`widen`): with the usual 64 KiB a loud program, PID 1 and the reader wake
each other all the time, and waking is most of what a relay costs.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat

from wire.limits import WIDE_PIPE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PIPE_BUF = select.PIPE_BUF
WITHOUT_NOWAIT = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ESPIPE)
NULL_DEVICE = os.makedev(1, 3)
NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
"""None where Python was built against a C library without pwritev2 (musl before 1.2.5)."""


def is_null(found: os.stat_result) -> bool:
    """Whether it is /dev/null, by device number."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == NULL_DEVICE


class Pen:
    """Writes to one descriptor without ever waiting; see the module's table."""

    def __init__(self, fd: int, ours: bool) -> None:
        """`ours`: we opened it, with O_NONBLOCK.  Raises OSError where the descriptor is not open."""
        self.fd = fd
        self.ours = ours
        self.write = self._whole
        self.may_splice = False
        """Whether `splice` can be tried."""
        self._is_wide = False
        """It was tried already; see `widen`."""
        self._ferry: tuple[int, int] | None = None
        self._aboard = 0
        """Bytes in the ferry."""
        found = os.fstat(fd)
        if ours or stat.S_ISREG(found.st_mode) or is_null(found):
            return
        if os.isatty(fd):
            self._take_terminal()
        else:
            self.write = self._polled if NOWAIT is None else self._nowait
            self.may_splice = NOWAIT is not None and stat.S_ISFIFO(found.st_mode) and hasattr(os, "splice")

    def gather(self, parts: Sequence[bytes | memoryview]) -> int:
        """Write several parts as one; how many bytes of them.  Raises OSError."""
        if self._ferry is not None and not self._aboard:
            self._aboard = os.writev(self._ferry[1], parts)
            return self._land(self._ferry[0])
        if self.write == self._nowait:
            return os.pwritev(self.fd, parts, -1, NOWAIT or 0)
        return self.write(memoryview(b"".join(parts)))

    def splice(self, source: int, count: int) -> int:
        """Move bytes out of a pipe uncopied; how many.  Raises OSError, BlockingIOError where there is no room."""
        done = os.splice(source, self.fd, count, flags=os.SPLICE_F_NONBLOCK)
        if self._ferry is None:
            self._take_ferry()
        return done

    def _take_ferry(self) -> None:
        try:
            self._ferry = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:  # no descriptor left: what follows goes through poll
            self.may_splice = False
        else:
            self.write = self._ferried

    def close(self) -> None:
        """Close what is ours."""
        if self.ours:
            os.close(self.fd)
        for end in self._ferry or ():
            os.close(end)
        self._ferry, self._aboard = None, 0

    def _take_terminal(self) -> None:
        try:
            self.fd = os.open(f"/proc/self/fd/{self.fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            self.ours = True
        except OSError:
            self.write = self._single

    def _whole(self, part: memoryview) -> int:
        return os.write(self.fd, part)

    def _nowait(self, part: memoryview) -> int:
        try:
            return os.pwritev(self.fd, [part], -1, NOWAIT or 0)
        except OSError as error:
            if error.errno not in WITHOUT_NOWAIT:
                raise
            self.write = self._polled
            return self._polled(part)

    def _ferried(self, part: memoryview) -> int:
        if self._ferry is None:
            return self._polled(part)
        if not self._aboard:
            self._aboard = os.write(self._ferry[1], part)
        return self._land(self._ferry[0])

    def _land(self, ferry: int) -> int:
        done = os.splice(ferry, self.fd, self._aboard, flags=os.SPLICE_F_NONBLOCK)
        self._aboard -= done
        return done

    def widen(self) -> bool:
        """Give a pipe more room, once; whether it has more now.  Other kinds, and what is refused, stay as they are."""
        if self._is_wide:
            return False
        self._is_wide = True
        try:
            if fcntl.fcntl(self.fd, fcntl.F_GETPIPE_SZ) >= WIDE_PIPE_BYTES:
                return False
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, WIDE_PIPE_BYTES)
            return True
        except OSError:
            return False

    def _polled(self, part: memoryview) -> int:
        self._check()
        return os.write(self.fd, part[:PIPE_BUF])

    def _single(self, part: memoryview) -> int:
        self._check()
        return os.write(self.fd, part[:1])

    def _check(self) -> None:
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        if not poll.poll(0):
            raise BlockingIOError(errno.EAGAIN, "not writable now")
