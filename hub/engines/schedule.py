"""Pure: which container is measured next, so that slow ones never starve the others.

Theory.  Each container is due once a period; those in flight are not due.  Whoever fails waits twice as long each time,
up to SLOWEST, so that a few containers whose statistics hang (a known illness of engines) cost little of the few
requests in flight.  A late poll does not move the phase of the later ones unless a whole period was missed.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable

SLOWEST = 60.0
"""Longest wait for a container that keeps failing, seconds."""


class Schedule:
    """Due times of the containers of one engine; all times are monotonic seconds."""

    def __init__(self, period: float) -> None:
        """`period`: seconds between two polls of one container."""
        self._period = period
        self._entries: dict[str, tuple[float, int, str]] = {}
        """Container -> its one valid entry (due time, number, container); the heap may hold outdated ones."""
        self._heap: list[tuple[float, int, str]] = []
        self._numbers = itertools.count()
        self._fails: dict[str, int] = {}
        self._flying: set[str] = set()

    def aim(self, containers: Iterable[str], now: float) -> None:
        """Measure exactly these from now on; new ones at once."""
        wanted = set(containers)
        for gone in self._entries.keys() - wanted:
            del self._entries[gone]
            self._fails.pop(gone, None)
        for new in sorted(wanted - self._entries.keys()):
            self._set(new, now)

    def _set(self, container: str, due: float) -> None:
        entry = self._entries[container] = (due, next(self._numbers), container)
        if container not in self._flying:
            heapq.heappush(self._heap, entry)

    def _first(self) -> tuple[float, int, str] | None:
        while self._heap and self._entries.get(self._heap[0][2]) != self._heap[0]:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def take(self, now: float) -> str | None:
        """A container that is due, now in flight; None if there is none."""
        first = self._first()
        if first is None or first[0] > now:
            return None
        heapq.heappop(self._heap)
        self._flying.add(first[2])
        return first[2]

    def done(self, container: str, answered: bool, now: float) -> None:
        """Its answer came, or not; it is due again later, unless it has gone meanwhile."""
        self._flying.discard(container)
        if container not in self._entries:
            return
        due = self._entries[container][0]
        fails = self._fails[container] = 0 if answered else min(self._fails.get(container, 0) + 1, 16)
        pause = min(self._period * 2**fails, max(SLOWEST, self._period))
        self._set(container, due + pause if due + pause > now else now + pause)

    def wait(self, now: float) -> float | None:
        """Seconds until one is due; None while none is."""
        first = self._first()
        return None if first is None else max(first[0] - now, 0.0)
