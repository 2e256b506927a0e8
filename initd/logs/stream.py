"""A sink that may not take bytes at once: the container's own stdout and stderr, a fifo, a device.

Theory.  How it is written to without waiting is initd.logs.pen's part.  What cannot be written waits in a bounded queue
for EPOLLOUT.  How the queue stands is the sink's `flow`:

    FLOWING     at most OUTPUT_WAITING_BYTES in it
    CONGESTED   fuller: who reads from programs should pause, so that they wait for the reader as they would without us
    HOPELESS    still fuller after OUTPUT_PAUSE_SECONDS: nobody waits any more, what does not fit is lost and counted

So a reader that is merely slower than a burst loses nothing, and one that is gone stops nobody for longer than that.
The newest bytes are dropped rather than the oldest, so that the text before the gap stays whole.
"""

from __future__ import annotations

import os
import select

from initd.logs.pen import Pen
from initd.logs.sink import Losses, Origin, open_log
from initd.native import deque
from wire.limits import OUTPUT_BUFFER_BYTES, OUTPUT_PAUSE_SECONDS, OUTPUT_WAITING_BYTES, SINK_RETRY_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
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
        def is_watched(self, fd: int) -> bool: ...


FLOWING, CONGESTED, HOPELESS = "flowing", "congested", "hopeless"


def behind(parts: Sequence[bytes | memoryview], done: int) -> Iterator[bytes | memoryview]:
    """The parts without their first `done` bytes."""
    for part in parts:
        if done < len(part):
            yield part[done:]
        done = max(0, done - len(part))


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
        self._patience = min(OUTPUT_WAITING_BYTES, self._limit // 2)
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

    def relay(self, parts: Sequence[bytes | memoryview], origin: Origin) -> None:
        """As `write`, of parts of a buffer that will be used again: what has to wait is copied, nothing else."""
        done = 0
        if self._pen is not None and self._is_clear and sum(map(len, parts)) <= self._limit:
            try:
                done = self._pen.gather(parts)
            except OSError:
                pass  # `write` meets it again
        rest = b"".join(behind(parts, done))
        if rest:
            self.write(rest, origin)

    @property
    def may_splice(self) -> bool:
        """Whether `splice` may bring anything."""
        return self._pen is not None and self._pen.may_splice

    def splice(self, source: int, count: int) -> int:
        """Move bytes out of a pipe, past the empty queue; how many: 0 where something is in the way."""
        if self._pen is None or not self._is_clear:
            return 0
        try:
            return self._pen.splice(source, count)
        except BlockingIOError:
            return 0
        except OSError:  # `write` will say what is wrong, if anything but splice is
            self._pen.may_splice = False
            return 0

    @property
    def _is_clear(self) -> bool:
        """Whether nothing waits and all is well."""
        return not self._queue and self._retry_at is None and not self.losses

    def flush(self) -> bool:
        """Write what can be written now; whether nothing is left waiting."""
        try:
            pen = self._pen = self._pen or self._open()
            while self._queue:
                self._advance(pen.write(self._queue[0][0]))
        except BlockingIOError:
            if self._pen is not None and self._pen.widen():
                return self.flush()
            self._await()
            return False
        except OSError as error:
            self._fail(error)
            return True
        self._recover()
        self._judge()
        return True

    def begin(self) -> None:
        """Nothing is opened before something is written: a FIFO's reader may come later."""

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
        if self.queued > self._patience:
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
