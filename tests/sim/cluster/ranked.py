"""Homes of very many agents, from one table that all hubs of a simulation share.

Theory.  Nobody fills up in a simulation, so an agent's order of hubs never changes: it is computed once, by the real
score, and its home is the first of that order that is there and does not drain.  A hundred hubs that have the same list
have the same homes, so they share them, and what moves from one list to another.  What is coarser than hub.cluster's
own Homes: a hub knows either no agent or all of them.  A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from hub.cluster.rendezvous import score
from hub.cluster.rows import LeaseRow

Moved = dict[str, tuple[str | None, str | None]]


class Rankings:
    """Every agent's order of all hubs that there may be."""

    def __init__(self, hubs: Sequence[str], capacity: int, agents: Sequence[str]) -> None:
        self.orders = {agent: sorted(hubs, key=lambda hub: -score(hub, capacity, agent)) for agent in agents}
        self.homes = lru_cache(maxsize=64)(self._homes)
        self.moved = lru_cache(maxsize=64)(self._moved)

    def _homes(self, able: tuple[str, ...]) -> dict[str, str | None]:
        there = frozenset(able)
        return {agent: next((hub for hub in order if hub in there), None) for agent, order in self.orders.items()}

    def _moved(self, before: tuple[str, ...], after: tuple[str, ...]) -> Moved:
        old, new = self.homes(before), self.homes(after)
        return {agent: (was, new[agent]) for agent, was in old.items() if was != new[agent]}

    def ranking(self, agent: str, hubs: Sequence[LeaseRow]) -> list[str]:
        """As hub.cluster.rendezvous.ranking."""
        draining = {row.hub: row.draining for row in hubs}
        there = [hub for hub in self.orders[agent] if hub in draining]
        return sorted(there, key=lambda hub: draining[hub])


class RankedHomes:
    """As hub.cluster.rendezvous.Homes, for one hub."""

    def __init__(self, rankings: Rankings) -> None:
        self.rankings = rankings
        self.of: Mapping[str, str | None] = {}
        self.hubs: tuple[LeaseRow, ...] = ()
        self.able: tuple[str, ...] = ()

    def add(self, agents: Mapping[str, float]) -> None:
        """These, and with them all others, are known."""
        if agents:
            self.of = self.rankings.homes(self.able)

    def update(self, hubs: Sequence[LeaseRow]) -> Moved:
        """A new list; returns who moved, as agent -> (from, to)."""
        before, self.hubs = self.able, tuple(hubs)
        self.able = tuple(row.hub for row in hubs if not row.draining)
        if not self.of or before == self.able:
            return {}
        self.of = self.rankings.homes(self.able)
        return self.rankings.moved(before, self.able)
