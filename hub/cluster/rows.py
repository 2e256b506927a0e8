"""What hubs keep of each other and of agents in the shared store.

Plain records, apart from their users so that stores need to know nothing else of the cluster.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import Presence

__all__ = ["LeaseRow", "SeenRow", "Taken"]


class LeaseRow(Record):
    """One hub of the cluster, written by itself."""

    hub: str
    """Its name: unique in the cluster, the same over restarts."""
    born: int = 0
    """Epoch at which it took this lease: one life of the hub; 0 before."""
    epoch: int = 0
    """Epoch of its commands: born or higher."""
    beat: int = 0
    """Differs from renewal to renewal: who sees it change knows that the hub lives."""
    capacity: int = 1
    """Agents it can hold; its weight among the hubs, fixed during one life."""
    load: int = 0
    """Agents it holds."""
    draining: bool = False
    """It is about to leave: home of nobody."""
    full_at: float | None = None
    """Agents enrolled after this (wall) moment have their home elsewhere; None while there is room."""
    addresses: tuple[tuple[str, str, str, str], ...] = ()
    """Each of its names as agents dial it: command, samples, enrolment, key (wire.messages.HubAddress)."""
    peer: str = ""
    """`host:port` where other hubs reach it."""
    link: str = ""
    """Public key under which it dials other hubs: of role hub, and of no other."""
    version: str = ""
    engines: tuple[str, ...] = ()
    """Names of the engines it can reach."""
    period: float = 0.0
    """The longest period that an agent of this hub may keep to, seconds; 0 = as configured."""

    def covers(self, older: LeaseRow) -> bool:
        """Whether this is the same life of the same hub, and not from before that row."""
        return (self.hub, self.born) == (older.hub, older.born) and self.beat >= older.beat


class Taken(Record):
    """The store's answer to taking a lease."""

    epoch: int
    rows: tuple[LeaseRow, ...]
    """All hubs, this one included, by name."""


class SeenRow(Record):
    """When an agent was heard last, by whichever hub."""

    agent: str
    hub: str
    at: float
    """Wall clock of that hub: for people."""
    mark: int = 1
    """Grows with each hearing that was written: who sees it change knows that the agent lives."""
    presence: Presence = Presence.LIVE
