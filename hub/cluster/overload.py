"""How many agents a hub can hold, when it sends new ones elsewhere, and how the heartbeat period gives way to load.

Theory.  An agent costs a hub DESCRIPTORS connections; libzmq without descriptors spins at a whole core, so they are
counted, never met.  Beyond 90 % of the capacity the hub is *full*: new agents have another home
(hub.cluster.rendezvous) until 80 % are reached again; two marks, so that it does not flap.  A period is stretched,
before the loop collapses, by steps of a half: longer where the loop was busy for more than 70 % of a look, shorter
where it was idle enough that the shorter period would still leave it below 50 %.  Between those nothing changes, and
each change waits for HOLD_SECONDS, in which the agents come to know it: every heartbeat's answer tells the period.
An agent that is told a shorter one has set its next heartbeat already, so silence is measured by the longer period
until all must have been told and have beaten once more (`watched`).
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
LOOK_SECONDS = 2.0
"""How long the loop is watched for one figure."""
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
    before: float = 0.0
    """The period until then."""

    def step(self, busy: float, now: float) -> Pace:
        """The pace after a look that found the loop busy for this fraction of a core."""
        if now < self.changed + HOLD_SECONDS:
            return self
        longer = min(self.period * FACTOR, max(LONGEST, self.base))
        shorter = max(self.period / FACTOR, self.base)
        if busy > BUSY and longer > self.period:
            return Pace(self.base, longer, now, self.period)
        if shorter < self.period and busy * self.period / shorter < IDLE:
            return Pace(self.base, shorter, now, self.period)
        return self

    @property
    def told(self) -> float | None:
        """What heartbeats are answered with: nothing while it never changed."""
        return self.period if self.before else None

    def watched(self, now: float) -> float:
        """The longest period that an agent may keep to now."""
        return max(self.period, self.before) if now < self.changed + 2 * self.before else self.period


class Meter:
    """How busy the loop is: the part of a look in which it did not sleep; all of it where it could not keep up."""

    def __init__(self, now: float) -> None:
        self._begun, self._slept, self._behind = now, 0.0, False

    def passed(self, slept: float, drained: bool) -> None:
        """One pass, before which the loop slept so many seconds; `drained` says that it read all that had come."""
        self._slept += slept
        self._behind = self._behind or not drained

    def read(self, now: float) -> float | None:
        """The busy part since the look before, 0 to 1; None where that was only now."""
        passed = now - self._begun
        if passed < LOOK_SECONDS:
            return None
        busy = 1.0 if self._behind else min(max(1.0 - self._slept / passed, 0.0), 1.0)
        self._begun, self._slept, self._behind = now, 0.0, False
        return busy


class Load:
    """How busy and how full this hub was when it was last looked at."""

    def __init__(self, period: float, capacity: int) -> None:
        self.pace, self.capacity = Pace(period, period), capacity
        self.busy, self.agents = 0.0, 0
        self.full_at: float | None = None
        """Since when (wall time) it is full."""

    def look(self, busy: float, now: float) -> str:
        """Takes in how busy the loop was; what to say of it, if the period has changed."""
        self.busy, before = busy, self.pace.period
        self.pace = self.pace.step(busy, now)
        if self.pace.period == before:
            return ""
        return f"the loop was busy for {busy:.0%} of the time: heartbeats every {self.pace.period:.1f} s from now on"

    def count(self, agents: int, wall: float) -> None:
        """Takes in how many agents it serves."""
        self.agents, self.full_at = agents, full_at(self.full_at, agents, self.capacity, wall)

    def row(self) -> dict[str, object]:
        """What other hubs are told of it, as fields of a lease."""
        return {"load": self.agents, "full_at": self.full_at}
