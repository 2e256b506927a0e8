"""Which list of hubs each agent was told: heartbeats are answered with the hubs only where there is a newer one.  Pure.

A list is an edition; comparing two numbers is what a heartbeat costs, where working out an agent's own order and
comparing that cost as much as all the rest of an answer.

An answer may be lost on its way, and then the agent would not know of the hub that it is to turn to next.  So it is
told again until a *sign* says that an answer has reached it: the round trip that each heartbeat carries, which is
another one after each answer, or NEWCOMER where it registers, with which all begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.cluster.rendezvous import seat
from hub.cluster.rows import LeaseRow

NEWCOMER = -1.0
"""The sign of an agent that registers: no round trip is negative."""


class Editions:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._number = 0
        self._list: tuple[object, ...] = ()
        self._told: dict[str, int] = {}
        """Agent -> what it knows."""
        self._telling: dict[str, tuple[int, float]] = {}
        """Agent -> what it was told last, and the sign that it gave then."""

    def observe(self, hubs: Iterable[LeaseRow]) -> None:
        """The hubs as they are now: what decides the order of an agent, and where they are."""
        found = tuple((seat(row), row.addresses) for row in hubs)
        self._number, self._list = self._number + (found != self._list), found

    def knows(self, agent: str) -> bool:
        """Whether this agent knows the present list."""
        return self._told.get(agent) == self._number

    def is_news(self, agent: str, sign: float) -> bool:
        """Whether this agent may not know the present list; it is told now."""
        if sign != NEWCOMER:
            if self._told.get(agent) == self._number:
                return False
            number, before = self._telling.pop(agent, (-1, sign))
            if sign != before:
                self._told[agent] = number
            if sign != before and number == self._number:
                return False
        self._telling[agent] = (self._number, sign)
        return True

    def forget(self, agent: str) -> None:
        """An agent that is archived."""
        self._told.pop(agent, None)
        self._telling.pop(agent, None)
