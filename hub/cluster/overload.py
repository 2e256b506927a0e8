"""How many agents a hub can hold, when it sends new ones elsewhere, and how the heartbeat period gives way to load.

Theory.  An agent costs a hub DESCRIPTORS connections; libzmq without descriptors spins at a whole core, so they are
counted, never met.  Beyond 90 % of the capacity the hub is *full*: new agents have another home
(hub.cluster.rendezvous) until 80 % are reached again; two marks, so that it does not flap.  A period is stretched,
before the loop collapses, by steps of a half: longer where the loop was busy for more than 70 % of a look, shorter
where it was idle enough that the shorter period would still leave it below 50 %.  Between those nothing changes, and
each change waits for HOLD_SECONDS, in which the agents come to know it: every heartbeat's answer tells the period.
"""

from __future__ import annotations

from wire._record import Record

DESCRIPTORS = 3
"""Connections an agent holds: requests, commands, samples."""
RESERVE = 256
"""Descriptors for everything else: store, engines, clients, files."""
FULL, ROOM = 0.9, 0.8
"""Fractions of the capacity at which a hub says that it is full, and that it has room again."""
BUSY, IDLE = 0.7, 0.5
"""Fractions of a core: above the first the period grows; it shrinks where the load would stay below the second."""
FACTOR = 1.5
"""By how much one step stretches."""
LONGEST = 30.0
"""Seconds: no period is stretched beyond, for a lost agent must still be noticed in minutes."""
HOLD_SECONDS = 10.0
"""Between two changes of the period."""


def capacity(descriptors: int) -> int:
    """Agents that a process with this limit of descriptors (RLIMIT_NOFILE) can hold, at least 1."""
    return max((descriptors - RESERVE) // DESCRIPTORS, 1)


def full_at(was: float | None, agents: int, capacity: int, wall: float) -> float | None:
    """Since when the hub is full (wall time), None while it has room."""
    if was is None:
        return wall if agents > FULL * capacity else None
    return None if agents < ROOM * capacity else was


class Pace(Record):
    """The heartbeat period in force."""

    base: float
    """What the configuration asks for, seconds."""
    period: float
    changed: float = float("-inf")
    """The hub's clock at the last change."""

    def step(self, busy: float, now: float) -> Pace:
        """The pace after a look that found the loop busy for this fraction of a core."""
        if now < self.changed + HOLD_SECONDS:
            return self
        longer = min(self.period * FACTOR, max(LONGEST, self.base))
        shorter = max(self.period / FACTOR, self.base)
        if busy > BUSY and longer > self.period:
            return Pace(self.base, longer, now)
        if shorter < self.period and busy * self.period / shorter < IDLE:
            return Pace(self.base, shorter, now)
        return self
