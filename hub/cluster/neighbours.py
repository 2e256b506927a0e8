"""The other hubs as this one deals with them: links, keys, who speaks to which, whose rolls to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.clock import Instant
from hub.cluster.links import Links
from hub.cluster.membership import Notice
from hub.cluster.rendezvous import home
from hub.cluster.rows import LeaseRow
from hub.commands.heirs import Heirs
from hub.commands.succession import Succession
from hub.fleet import Fleet
from hub.words import Admit, Effects, Publish, Say, Store

HASTEN, HASTEN_SECONDS = "hub.hasten", 2.0
"""Asked of another hub: to look at once for what the others found out."""


class Neighbours:
    """`born` says at which epoch this hub took its lease, `speaks` whether an agent speaks to it."""

    def __init__(
        self, fleet: Fleet, born: Callable[[], int], speaks: Callable[[str], bool], home_of: Callable[[str], str | None]
    ) -> None:
        self.fleet, self.name, self.born = fleet, fleet.settings.hub, born
        self.speaks, self.home_of = speaks, home_of
        self.links = Links(self.name, born)
        self.where: dict[str, str] = {}
        """Agent -> another hub that said that it speaks there."""
        self.rows: tuple[LeaseRow, ...] = ()
        self.succession: Succession | None = None
        self.heirs: Heirs | None = None
        self._hastening = False

    def at(self, agent: str) -> str:
        """The other member that this agent speaks to, as far as is known; "" where it is none, or this hub itself."""
        if self.speaks(agent):
            return ""
        hub = self.where.get(agent) or self.home_of(agent) or ""
        return hub if hub in self.links.peers else ""

    def moved(self, agent: str, hub: str, before: object = None) -> None:
        """Another hub says that this agent speaks to it; `before`, when it spoke here last, is of no more use."""
        self.where[agent] = hub

    def came(self, agents: Iterable[str]) -> None:
        """These speak to this hub, or are forgotten."""
        for agent in agents:
            self.where.pop(agent, None)

    def follow(self, rows: tuple[LeaseRow, ...], now: Instant) -> Effects:
        """The members as they are now: links to the others, and whom of them this hub lets in."""
        others = tuple(row for row in rows if row.hub != self.name)
        keys = {row.link: row.hub for row in others if row.link}
        self.rows, effects = rows, self.links.follow(others, now)
        for one in (self.succession, self.heirs):
            if one is not None:
                one.see({self.name: self.born(), **{row.hub: row.born for row in others}})
        if keys != self.fleet.hub_keys:
            self.fleet.hub_keys = keys
            effects.append(Admit(self.fleet.admissions()))
        return effects

    def is_member(self, hub: str, born: object) -> bool:
        """Whether this is the present life of another hub."""
        return any(row.hub == hub and row.born == born for row in self.rows)

    def hasten(self) -> Effects:
        """Something was told that all hubs are to tell at once: when it is in the store, the others are to look there.

        A hub that does not hear this finds it at its next look (hub.cluster.tidings).
        """
        if self._hastening:
            return []
        self._hastening = True

        def written(rows: Any, error: str, now: Instant) -> Effects:
            self._hastening = False
            asks = (self.links.ask(hub, HASTEN, {}, HASTEN_SECONDS, _ignore, now) for hub in self.links.peers)
            return [effect for ask in asks for effect in ask]

        return [Store("leases", (), written)]  # outcomes keep their order, so what was written before is there then

    def carrier(self, roll: str) -> str | None:
        """The hub that is to go on with a roll whose own is gone."""
        return home("roll/" + roll, float("-inf"), self.rows)

    def tick(self, acts: bool, now: Instant) -> Effects:
        """What is due."""
        effects = self.links.tick(now)
        for one in (self.succession, self.heirs):
            effects += one.tick(acts, now) if one is not None else []
        return effects


def _ignore(result: Any, error: str, now: Instant) -> Effects:
    """Whether it was heard changes nothing."""
    return []


def told(notice: Notice, now: Instant) -> Effects:
    """A hub came or went."""
    body = {"hub": notice.hub, "move": notice.move.value, "epoch": notice.epoch, "at": now.wall}
    return [Publish(f"hub/{notice.hub}", body), Say(f"hub {notice.hub}: {notice.move.value}")]


def seats(rows: Iterable[LeaseRow]) -> list[tuple[Any, ...]]:
    """What of the members decides who polls an engine."""
    return [(row.hub, row.draining, row.engines) for row in rows]
