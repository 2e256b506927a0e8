"""Whether an agent is there: a pure machine of five presences.

Theory.  An agent sends a heartbeat each period.  One missed beat is weather, so it is *late* after 1.5 periods and
*lost* after 3; both are measured in the hub's attention (hub.clock), never in wall time.  Two witnesses are quicker:
the agent's own goodbye, and the engine's `die` of its container; either makes it *gone* at once.  After a restart of
the hub the agents known from the store are *expected*: the clock of each starts so that two periods pass before it can
even be late, and starts again whenever another one comes back.  A thousand handshakes take longer than two periods, and
while the fleet is still coming in, the silence of those behind says nothing.  Only a registration brings back an agent
that is gone: a heartbeat that was still in flight when the goodbye came must not revive it.
"""

from __future__ import annotations

from enum import StrEnum

from wire._record import Record
from wire.model import Presence

LATE_AFTER = 1.5
"""Periods of silence until an agent is late."""
LOST_AFTER = 3.0
"""Periods of silence until it is lost."""
GRACE = 2.0
"""Periods after the hub's start in which a known agent is neither late nor lost."""
RETURNING = 30.0
"""Periods after the hub's start in which one agent's return prolongs the grace of the others."""

LISTED = frozenset({Presence.LIVE, Presence.LATE, Presence.EXPECTED})
"""The live list; the others are history."""


class Sign(StrEnum):
    """What can happen to a watched agent."""

    REGISTERED = "registered"
    HEARD = "heard"
    LEFT = "left"
    OVERDUE = "overdue"
    """Silent for LATE_AFTER periods."""
    SILENT = "silent"
    """Silent for LOST_AFTER periods."""


_P, _S = Presence, Sign
TABLE: dict[tuple[Presence, Sign], Presence] = {
    **{(presence, _S.REGISTERED): _P.LIVE for presence in _P},
    **{(presence, _S.HEARD): _P.LIVE for presence in _P if presence is not _P.GONE},
    **{(presence, _S.LEFT): _P.GONE for presence in _P},
    (_P.LIVE, _S.OVERDUE): _P.LATE,
    (_P.EXPECTED, _S.OVERDUE): _P.LATE,
    (_P.LIVE, _S.SILENT): _P.LOST,
    (_P.LATE, _S.SILENT): _P.LOST,
    (_P.EXPECTED, _S.SILENT): _P.LOST,
}
"""(presence, sign) -> presence."""

IGNORED = frozenset(
    {
        (_P.GONE, _S.HEARD),
        (_P.GONE, _S.OVERDUE),
        (_P.GONE, _S.SILENT),
        (_P.LOST, _S.OVERDUE),
        (_P.LOST, _S.SILENT),
        (_P.LATE, _S.OVERDUE),
    }
)
"""Pairs that change nothing; every pair is either here or in TABLE."""


class Watch(Record):
    """One agent under watch."""

    presence: Presence
    heard: float
    """Attention at the last sign of life, seconds."""
    period: float
    """Heartbeat period, seconds."""

    def silence(self, attention: float) -> float:
        """Seconds of attention since the last sign of life."""
        return attention - self.heard


def expect(period: float, attention: float) -> Watch:
    """The watch of an agent known from the store: it becomes late only when the grace is over."""
    return Watch(Presence.EXPECTED, attention + (GRACE - LATE_AFTER) * period, period)


def wait_in_line(watch: Watch, returned: float) -> Watch:
    """The watch of an agent, where another one came back at attention `returned`; only the expected have more time."""
    return watch._replace(heard=max(watch.heard, returned)) if watch.presence is Presence.EXPECTED else watch


def step(watch: Watch, sign: Sign, attention: float) -> Watch:
    """The watch after `sign`; signs of life also restart its clock."""
    presence = TABLE.get((watch.presence, sign), watch.presence)
    alive = sign in (Sign.REGISTERED, Sign.HEARD) and presence is Presence.LIVE
    return Watch(presence, attention if alive else watch.heard, watch.period)


def overdue(watch: Watch, attention: float) -> Sign | None:
    """The sign that the passing of time gives for this watch now, None while it is in time."""
    periods = watch.silence(attention) / watch.period
    if periods >= LOST_AFTER:
        return Sign.SILENT
    return Sign.OVERDUE if periods >= LATE_AFTER else None
