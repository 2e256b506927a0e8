"""The journal of facts: state changes, exits and notes, numbered without gaps, kept in a bounded ring for replay.

Theory.  A fact is appended once and keeps its number for the life of this PID 1.  `durable` is the highest number the
hub says it has stored; it may fall (a store lost a moment), and then the facts above it are asked for again.  A fact
that leaves the ring unacknowledged is counted in `dropped`: without a hub that is every old one, with one it is a loss.
"""

from __future__ import annotations

from wire.limits import FACTS
from wire.model import Exit, Fact, FactKind, StateChange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Journal:
    """Facts by number; the first is 1."""

    def __init__(self, capacity: int = FACTS) -> None:
        self.capacity = capacity
        self.last = 0
        """Number of the newest fact, 0 before the first."""
        self.durable = 0
        """Highest number acknowledged by the hub."""
        self.dropped = 0
        """Facts that left the ring before they were acknowledged."""
        self.faults = 0
        """Errors raised by subscribers; they never disturb the writer or each other."""
        self._slots: list[Fact] = []
        self._subscribers: list[Callable[[Fact], object]] = []

    @property
    def first(self) -> int:
        """Number of the oldest fact still here; last + 1 while there is none."""
        return self.last - len(self._slots) + 1

    def append(self, kind: FactKind, body: StateChange | Exit | dict[str, object], at: float, mono: float) -> Fact:
        """Number a fact, keep it, tell the subscribers.  `at` is wall time, `mono` monotonic time, seconds."""
        self.last += 1
        fact = Fact(self.last, at, mono, kind, body)
        if len(self._slots) < self.capacity:
            self._slots.append(fact)
        else:
            self._evict(fact)
        for subscriber in tuple(self._subscribers):
            self._tell(subscriber, fact)
        return fact

    def since(self, seq: int, limit: int) -> list[Fact]:
        """The oldest `limit` facts with a number above `seq` that are still here."""
        start = max(seq + 1, self.first)
        stop = min(self.last, start + max(0, limit) - 1)
        return [self._slots[(number - 1) % self.capacity] for number in range(start, stop + 1)]

    def acknowledge(self, seq: int) -> None:
        """The hub has stored everything up to `seq`; a lower number than before means that it lost some."""
        self.durable = max(0, min(seq, self.last))

    def subscribe(self, callback: Callable[[Fact], object]) -> None:
        """Call `callback(fact)` for each new fact, until unsubscribe."""
        self._subscribers.append(callback)

    def unsubscribe(self, callback: Callable[[Fact], object]) -> None:
        """Stop calling it; no error where it was not subscribed."""
        if callback in self._subscribers:
            self._subscribers.remove(callback)

    def _evict(self, fact: Fact) -> None:
        place = (fact.seq - 1) % self.capacity
        if self._slots[place].seq > self.durable:
            self.dropped += 1
        self._slots[place] = fact

    def _tell(self, subscriber: Callable[[Fact], object], fact: Fact) -> None:
        try:
            subscriber(fact)
        except Exception:
            self.faults += 1
