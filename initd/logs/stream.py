"""A sink that may not take bytes at once: the container's own stdout and stderr, a fifo, a device.

Theory.  The container's streams are open file descriptions that other processes share, so O_NONBLOCK may not be set on
them, and by name they often cannot be opened again (a pipe of another user: EACCES; a socket: ENXIO).  A stalled reader
must not stop PID 1 all the same.  So each kind of description has its own way to write without waiting:

    regular file, /dev/null     write(2) whole: it does not wait for a reader
    pipe, fifo, socket          pwritev2(2) with RWF_NOWAIT, which is O_NONBLOCK for one call; where the kernel refuses
                                it, poll(2), then at most PIPE_BUF bytes: pipe(7) promises room for as many
    terminal                    a description of our own with O_NONBLOCK (a tty can be opened through /proc/self/fd);
                                where that is refused, poll(2) and one byte at a time: n_tty waits inside write(2) for
                                anything longer than its room, and its room may be a single byte
    opened by us                O_NONBLOCK

What cannot be written waits in a bounded queue for EPOLLOUT.  How the queue stands is the sink's `flow`:

    FLOWING     at most half full
    CONGESTED   fuller: who reads from programs should pause, so that they wait for the reader as they would without us
    HOPELESS    still fuller after OUTPUT_PAUSE_SECONDS: nobody waits any more, what does not fit is lost and counted

So a reader that is merely slower than a burst loses nothing, and one that is gone stops nobody for longer than that.
The newest bytes are dropped rather than the oldest, so that the text before the gap stays whole.
"""

from __future__ import annotations

import errno
import os
import select
import stat

from initd.logs.sink import Losses, Origin, open_log
from initd.native import deque
from wire.limits import OUTPUT_BUFFER_BYTES, OUTPUT_PAUSE_SECONDS, SINK_RETRY_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Timer(Protocol):
        """What `at` gives."""

        def cancel(self) -> object: ...

    class Watching(Protocol):
        """What is needed of initd.loop.Loop."""

        def now(self) -> float: ...
        def at(self, deadline: float, callback: Callable[[], object]) -> Timer: ...
        def watch(self, fd: int, mask: int, callback: Callable[[int], object]) -> None: ...
        def forget(self, fd: int) -> None: ...


FLOWING, CONGESTED, HOPELESS = "flowing", "congested", "hopeless"

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
        found = os.fstat(fd)
        if ours or stat.S_ISREG(found.st_mode) or is_null(found):
            return
        if os.isatty(fd):
            self._take_terminal()
        else:
            self.write = self._polled if NOWAIT is None else self._nowait

    def close(self) -> None:
        """Close what is ours."""
        if self.ours:
            os.close(self.fd)

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


class StreamSink:
    """A bounded queue in front of a Pen."""

    def __init__(
        self, name: str, loop: Watching, say: Callable[[str], None], fd: int = -1, path: str = "", limit: int = 0
    ) -> None:
        """Either `fd`, an inherited descriptor that stays open, or `path`, which is opened and re-opened here."""
        self.name = name
        self.losses = Losses(name)
        self.queued = 0
        """Bytes in the queue."""
        self.flow = FLOWING
        self.relief: Callable[[], object] = lambda: None
        """Called when it is CONGESTED no longer."""
        self._timer: Timer | None = None
        self._loop = loop
        self._say = say
        self._fd = fd
        self._path = path
        self._limit = limit or OUTPUT_BUFFER_BYTES
        self._queue: deque[tuple[memoryview, Origin]] = deque()
        self._pen: Pen | None = None
        self._watched = -1
        self._retry_at: float | None = None

    def write(self, chunk: bytes, origin: Origin) -> None:
        """Write, queue or lose the chunk; never waits, never raises OSError."""
        if not chunk:
            return
        if self._retry_at is not None and self._loop.now() < self._retry_at:
            self.losses.add(origin, len(chunk), self.losses.why)
            return
        if self.queued + len(chunk) > self._limit:
            self.losses.add(origin, len(chunk), "its reader did not keep up")
            return
        self._queue.append((memoryview(chunk), origin))
        self.queued += len(chunk)
        if self._watched < 0:
            self.flush()
        self._judge()

    def flush(self) -> bool:
        """Write what can be written now; whether nothing is left waiting."""
        try:
            pen = self._pen = self._pen or self._open()
            while self._queue:
                self._advance(pen.write(self._queue[0][0]))
        except BlockingIOError:
            self._await()
            return False
        except OSError as error:
            self._fail(error)
            return True
        self._recover()
        self._judge()
        return True

    def reopen(self) -> None:
        """Open by name again; nothing to do for an inherited descriptor."""
        if self._path:
            self.close()
        self._retry_at = None

    def close(self) -> None:
        """Stop watching and give back what we opened."""
        self._unwatch()
        if self._pen is not None:
            self._pen.close()
            self._pen = None

    def fileno(self) -> int:
        """The descriptor being written, -1 while there is none."""
        return self._pen.fd if self._pen else -1

    def _open(self) -> Pen:
        return Pen(open_log(self._path), ours=True) if self._path else Pen(self._fd, ours=False)

    def _advance(self, done: int) -> None:
        part, origin = self._queue[0]
        self.queued -= done
        if done == len(part):
            self._queue.popleft()
        else:
            self._queue[0] = (part[done:], origin)

    def _await(self) -> None:
        if self._watched < 0 and self._pen is not None:
            self._loop.watch(self._pen.fd, select.EPOLLOUT, self._on_writable)
            self._watched = self._pen.fd

    def _on_writable(self, _mask: int) -> None:
        self.flush()
        self._judge()

    def _judge(self) -> None:
        """Adjust the flow to the queue."""
        if self.queued > self._limit // 2:
            if self.flow is FLOWING:
                self.flow = CONGESTED
                self._timer = self._loop.at(self._loop.now() + OUTPUT_PAUSE_SECONDS, self._lose_hope)
        elif self.flow is not FLOWING:
            self._set_flow(FLOWING)

    def _lose_hope(self) -> None:
        self._set_flow(HOPELESS)

    def _set_flow(self, flow: str) -> None:
        self.flow = flow
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.relief()

    def _unwatch(self) -> None:
        if self._watched >= 0:
            self._loop.forget(self._watched)
            self._watched = -1

    def _recover(self) -> None:
        self._unwatch()
        self._retry_at = None
        if self.losses:
            self._say(self.losses.settle())

    def _fail(self, error: OSError) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)
        first = self._retry_at is None
        self._retry_at = self._loop.now() + SINK_RETRY_SECONDS
        self.close()
        for part, origin in self._queue:
            self.losses.add(origin, len(part), why)
        self._queue.clear()
        self.queued = 0
        self._judge()
        self.losses.why = why
        if first:
            self._say(f"cannot write to {self.name}: {why}; output for it is dropped until it can be written")
