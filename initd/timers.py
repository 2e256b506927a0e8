"""A heap of deadlines: what has to happen at which moment of the monotonic clock.

Theory.  A cancelled timer stays in the heap without its callback until it reaches the top, or until cancelled ones
are the majority and the heap is rebuilt; so cancelling costs nothing and the heap never holds more than twice what
is pending.  Timers of one deadline fire in the order they were made.
"""

from __future__ import annotations

from initd.native import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Timer:
    """One pending call; `cancel()` may be called at any time and any number of times."""

    __slots__ = ("_heap", "callback", "deadline")

    def __init__(self, heap: Timers, deadline: float, callback: Callable[[], object]) -> None:
        self._heap = heap
        self.deadline = deadline
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Make sure that the callback is not called; no effect once it was."""
        if self.callback is not None:
            self.callback = None
            self._heap.forget_one()


class Timers:
    """The heap itself; it knows no clock, `now` is an argument."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        """Deadline, serial number and timer: tuples are compared without calling anything of ours."""
        self._made = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
        """Add a call due at `deadline` (seconds of the monotonic clock)."""
        self._made += 1
        timer = Timer(self, deadline, callback)
        heappush(self._heap, (deadline, self._made, timer))
        return timer

    def forget_one(self) -> None:
        """Note that a timer in the heap was cancelled; rebuild when the dead outnumber the living."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapify(self._heap)
            self._cancelled = 0

    def next(self) -> float | None:
        """Deadline of the earliest pending timer, None if there is none."""
        while self._heap and self._heap[0][2].callback is None:
            heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Callable[[], object] | None:
        """Take out the earliest timer that is due at `now`, None if none is."""
        deadline = self.next()
        if deadline is None or deadline > now:
            return None
        _, _, timer = heappop(self._heap)
        callback, timer.callback = timer.callback, None
        return callback
