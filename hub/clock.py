"""The hub's two clocks: an instant (monotonic and wall), and attention, the time in which the hub really listened.

Theory.  Silence proves a peer's absence only while the hub was able to hear.  A hub that was stopped, swapped out or
drowned in messages for ten seconds would otherwise declare its whole fleet lost.  So liveness is not measured on the
monotonic clock but on *attention*: it advances with real time, but one pass of the loop may add at most STEP, and a
pass that could not empty its sockets adds nothing at all.  A late hub thus loses nobody for its own lag, and a hub that
keeps up measures real time, because its passes are shorter than STEP.
"""

from __future__ import annotations

from wire._record import Record

STEP = 0.5
"""Most seconds one pass may add to attention: twice the loop's longest sleep."""


class Instant(Record):
    """One moment on the hub's clocks."""

    mono: float
    """CLOCK_MONOTONIC, seconds: for deadlines."""
    wall: float
    """Seconds since the epoch: for people and the store."""
    attention: float = 0.0
    """Seconds this hub has listened since its start: for liveness only."""
    boot: float | None = None
    """CLOCK_BOOTTIME, which counts through a suspended machine: for the lease; None = as `mono`."""

    @property
    def steady(self) -> float:
        """The clock that leases are measured by."""
        return self.mono if self.boot is None else self.boot


class Attention(Record):
    """Accumulates the time in which the hub kept up with its peers."""

    last: float
    """Monotonic time of the last pass."""
    total: float = 0.0

    def advance(self, mono: float, drained: bool) -> Attention:
        """The attention after a pass at `mono`; `drained` says that it emptied its sockets."""
        passed = min(max(mono - self.last, 0.0), STEP) if drained else 0.0
        return Attention(mono, self.total + passed)
