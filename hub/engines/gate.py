"""Pure: counts what happens by the second, so that a flood is noticed before it is read."""

from __future__ import annotations

from wire.limits import ENGINE_EVENTS


class Gate:
    """Counts events by the second."""

    def __init__(self, limit: int = ENGINE_EVENTS) -> None:
        """`limit`: most a second."""
        self._limit, self._begun, self._count = limit, 0.0, 0

    def admit(self, now: float) -> bool:
        """Whether one more fits into this second; `now` is monotonic."""
        if now - self._begun >= 1.0:
            self._begun, self._count = now, 0
        self._count += 1
        return self._count <= self._limit

    def wait(self, now: float) -> float:
        """Seconds until the next one fits."""
        return max(self._begun + 1.0 - now, 0.0) if self._count >= self._limit else 0.0
