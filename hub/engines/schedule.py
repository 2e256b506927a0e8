"""Pure: which container is measured next, so that slow ones never starve the others.

Theory.  Each container is due once a period; those in flight are not due.  Whoever fails waits twice as long each time,
up to SLOWEST, so that a few containers whose statistics hang (a known illness of engines) cost little of the few
requests in flight.  A late poll does not move the phase of the later ones unless a whole period was missed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

SLOWEST = 60.0
"""Longest wait for a container that keeps failing, seconds."""


class Schedule:
    """Due times of the containers of one engine; all times are monotonic seconds."""

    def __init__(self, period: float) -> None:
        """`period`: seconds between two polls of one container."""
        self._period = period
        self._due: dict[str, float] = {}
        self._fails: dict[str, int] = {}
        self._heap: list[tuple[float, str]] = []

    def aim(self, containers: Iterable[str], now: float) -> None:
        """Measure exactly these from now on; new ones at once."""
        wanted = set(containers)
        for gone in [key for key in self._due if key not in wanted]:
            del self._due[gone]
            self._fails.pop(gone, None)
        for new in sorted(wanted - self._due.keys()):
            self._set(new, now)

    def _set(self, container: str, due: float) -> None:
        self._due[container] = due
        heapq.heappush(self._heap, (due, container))

    def _next(self) -> tuple[float, str] | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # gone, or aimed at anew
        return self._heap[0] if self._heap else None

    def take(self, now: float) -> str | None:
        """A container that is due, now in flight; None if there is none."""
        first = self._next()
        if first is None or first[0] > now:
            return None
        heapq.heappop(self._heap)
        return first[1]

    def done(self, container: str, answered: bool, now: float) -> None:
        """Its answer came, or not; it is due again later, unless it has gone meanwhile."""
        due = self._due.get(container)
        if due is None:
            return
        fails = self._fails[container] = 0 if answered else min(self._fails.get(container, 0) + 1, 16)
        pause = min(self._period * 2**fails, max(SLOWEST, self._period))
        self._set(container, due + pause if due + pause > now else now + pause)

    def wait(self, now: float) -> float | None:
        """Seconds until one is due; None while none is."""
        first = self._next()
        return None if first is None else max(first[0] - now, 0.0)
