"""A loop in virtual time: deadlines fire when a test moves the clock, and nothing ever waits."""

from __future__ import annotations

from collections.abc import Callable

from initd.timers import Timer, Timers


class SimLoop:
    """What the supervisor needs of initd.loop.Loop."""

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self._timers = Timers()
        self.code: int | None = None
        self.menders: list[Callable[[], object]] = []
        self.shaken = 0

    def now(self) -> float:
        return self._now

    def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
        return self._timers.at(deadline, callback)

    def shake(self) -> None:
        self.shaken += 1

    def mend(self) -> None:
        """What the loop does some time after an exception."""
        for mender in self.menders:
            mender()

    def stop(self, code: int) -> None:
        if self.code is None:
            self.code = code

    def advance(self, seconds: float) -> None:
        """Let time pass, firing each deadline at its own moment; ends early where the loop was stopped."""
        end = self._now + seconds
        while self.code is None:
            deadline = self._timers.next()
            if deadline is None or deadline > end:
                break
            self._now = max(self._now, deadline)
            callback = self._timers.pop_due(self._now)
            if callback is not None:
                callback()
        self._now = max(self._now, end) if self.code is None else self._now

    @property
    def pending(self) -> int:
        return len(self._timers)
