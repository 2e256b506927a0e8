"""This hub among the hubs of one store: its lease, who else is there, whose home it is, and whom it may call lost.

Theory.  hub.cluster.lease, membership, rendezvous and handover decide; here they are joined to the fleet.  A tick
renews the lease, notes in the store who was heard (guests at once, those at home now and then), and judges the silent.
Each answer of the store brings the hubs, and with them homes; what other hubs found out is read from the facts that all
keep in one order (hub.cluster.tidings).  A call of the store that failed sets `resync`: at its next answer every count
begins anew, because a store that was away may come back without its last writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.clock import Instant
from hub.cluster.errands import Errands
from hub.cluster.handover import Care
from hub.cluster.lease import Ask, Lease, Standing
from hub.cluster.membership import Membership
from hub.cluster.membership import Notice as Told
from hub.cluster.rendezvous import Homes, poller, ranking
from hub.cluster.rows import LeaseRow
from hub.cluster.tidings import BOOK, MOVED, Tidings
from hub.commands.orders import Orders
from hub.discovery.notices import tell
from hub.discovery.registry import Agent
from hub.fleet import Fleet
from hub.words import Effects, Leave, Poll, Publish, Say, Store
from wire import limits
from wire.messages import HubAddress
from wire.model import FactKind, Presence

SEEN_SECONDS = 10.0
"""Between two notes of the agents at home; guests are noted at every tick."""
DRAIN = "drain"
"""Word of the errand: that a hub is to drain."""
DRAIN_SECONDS = 8.0
"""Longest wait for the agents of a hub that drains to go."""
SERVED = 3.0
"""Periods after its last word in which an agent counts as served here."""
OUT = (Presence.LOST, Presence.GONE)


class Cluster:
    """See the module's docstring; all of it is called by the core."""

    def __init__(self, fleet: Fleet, orders: Orders, version: str) -> None:
        settings = fleet.settings
        self.fleet, self.orders, self.name = fleet, orders, settings.hub
        self.lease = Lease(LeaseRow(
            self.name, capacity=settings.capacity, peer=settings.client, version=version,
            engines=tuple(sorted(settings.engines)),
        ))  # fmt: skip
        self.members, self.homes, self.care = Membership(), Homes(), Care(settings.period)
        self.errands = Errands(fleet, orders)
        self.tidings = Tidings(fleet, self.met, {DRAIN: self._asked_to_drain, **self.errands.handlers})
        self.tidings.moved = lambda agent: self.spoke.pop(agent, None)
        self.acted = self.resync = self.left = False
        self.spoke: dict[str, float] = {}
        """Agent -> attention when it spoke to this hub last."""
        self.heard: dict[str, float] = {}
        """Agent -> wall time: to be noted in the store."""
        self.told: dict[str, tuple[HubAddress, ...]] = {}
        """Agent -> the hubs it was told of."""
        self.noted_at = self.drained_at = float("-inf")
        fleet.hubs_of = self.hubs_of

    # -- what the core asks ------------------------------------------------------------------------------------------

    def acts(self, now: Instant) -> bool:
        """Whether this hub may act at this very moment."""
        return self.lease.acts(now.steady)

    def leads(self, now: Instant) -> bool:
        """Whether it is this hub's turn to do what one hub is to do for the whole fleet."""
        able = [row.hub for row in self.members.hubs() if not row.draining]
        return self.acts(now) and able[:1] == [self.name]

    def serves(self, agent: str, now: Instant) -> bool:
        """Whether the agent speaks to this hub."""
        return self.spoke.get(agent, float("-inf")) > now.attention - SERVED * self.fleet.settings.period

    def hubs_of(self, agent: str) -> tuple[HubAddress, ...]:
        """The hubs in the order in which this agent is to turn to them."""
        rows = {row.hub: row for row in self.members.hubs()}
        order = ranking(agent, self.homes.enrolled.get(agent, self._enrolled(agent)), rows.values())
        found = [HubAddress(*place) for hub in order for place in rows[hub].addresses]
        return tuple(found[: limits.HUBS]) or self.fleet.settings.addresses

    def news_for(self, agent: str) -> tuple[HubAddress, ...]:
        """The same, if this agent was not told so yet."""
        hubs = self.hubs_of(agent)
        if self.told.get(agent) == hubs:
            return ()
        self.told[agent] = hubs
        return hubs

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub: this one is blind."""
        return self.lease.standing(now.steady) is Standing.BLIND and len(self.members.hubs()) > 1

    def rows(self, now: Instant) -> list[dict[str, Any]]:
        """The hubs, as people are shown them."""
        served = sum(1 for agent in self.spoke if self.serves(agent, now))
        return [
            {
                "hub": row.hub, "state": self._state(row, now), "epoch": row.epoch, "born": row.born,
                "agents": served if row.hub == self.name else row.load, "capacity": row.capacity,
                "homes": sum(1 for home in self.homes.of.values() if home == row.hub),
                "engines": [one for one in row.engines if poller(one, self.members.hubs()) == row.hub],
                "peer": row.peer, "version": row.version, "self": row.hub == self.name,
                "age": max(now.steady - self.members.sightings[row.hub].changed, 0.0),
            }
            for row in self.members.hubs()
        ]  # fmt: skip

    def _state(self, row: LeaseRow, now: Instant) -> str:
        if row.hub == self.name and not row.draining:
            return str(self.lease.standing(now.steady))
        return "draining" if row.draining else "member"

    # -- agents ------------------------------------------------------------------------------------------------------

    def hear(self, agent: str, now: Instant) -> Effects:
        """An agent spoke to this hub; the others are told where it speaks now."""
        new, known = not self.serves(agent, now), agent in self.homes.of
        self.spoke[agent] = now.attention
        if not known:
            self.met([agent], now)
        if new or agent in self.care.lost or self.homes.of.get(agent) != self.name:
            self.heard[agent] = now.wall
        self.care.hear(agent, now.attention)
        body: dict[str, object] = {"note": MOVED, "agent": agent, "to": self.name, "at": now.wall}
        return [Store("record_fact", (agent, now.wall, FactKind.NOTE, body))] if new and known else []

    def met(self, agents: Iterable[str], now: Instant) -> Effects:
        """Agents that this hub did not know."""
        fresh = [agent for agent in agents if agent not in self.homes.of]
        self.homes.add({agent: self._enrolled(agent) for agent in fresh})
        self.care.take((one for one in fresh if self.homes.of[one] == self.name), now.attention, self.spoke)
        return []

    def forget(self, agents: Iterable[str]) -> None:
        """Agents that are archived."""
        for agent in agents:
            self.homes.drop(agent)
            self.care.give([agent])
            self.spoke.pop(agent, None)
            self.told.pop(agent, None)

    def _enrolled(self, agent: str) -> float:
        key = self.fleet.agent_keys.get(agent)
        return key.created_at if key else 0.0

    # -- time --------------------------------------------------------------------------------------------------------

    def start(self, now: Instant) -> Effects:
        """Before anything is read: from where on to follow the others."""
        return [self.tidings.start()]

    def tick(self, now: Instant) -> Effects:
        """What is due."""
        if self.left:
            return []
        effects = self._renew(now)
        acts = self.acts(now)
        if acts and not self.acted:
            self.care.see_again(now.attention)
        if acts != self.acted:
            self.acted = acts
            effects += [
                Say(f"the lease is {'held' if acts else 'not held'}: epoch {self.fleet.epoch}"),
                self._poll(now),
            ]
        if self.lease.standing(now.steady) in (Standing.ACTING, Standing.SETTLING):
            effects += self._note(now)
        if acts and not self.resync:
            effects += self._judge(now)
        return [*effects, *self._late(now), *self.tidings.tick(now), *self._drain(now)]

    def _call(self, method: str, *args: Any, then: Any = None) -> Store:
        """A call of the store; that it failed is remembered."""

        def answered(value: Any, error: str, now: Instant) -> Effects:
            if error:
                self.resync = True
            return [] if then is None else list(then(value, error, now) or [])

        return Store(method, args, answered)

    def _renew(self, now: Instant) -> Effects:
        load = sum(1 for agent in self.spoke if self.serves(agent, now))
        self.lease.tell(load=load, addresses=tuple(tuple(one) for one in self.fleet.settings.addresses))
        ask = self.lease.next(now.steady)
        if ask is None:
            return []

        def answered(value: Any, error: str, now: Instant) -> Effects:
            if error:
                self.lease.failed(ask)
                self.resync = True
                return []
            return self._answered(ask, value, now)

        method, args = ("renew_lease", (ask.row,)) if ask.row.born else ("take_lease", (ask.row, ask.above))
        return [Store(method, args, answered)]

    def _answered(self, ask: Ask, value: Any, now: Instant) -> Effects:
        effects: Effects = []
        if not ask.row.born:
            rows = value.rows if self.lease.taken(ask, value, now.steady) else None
            self.fleet.epoch = max(self.fleet.epoch, self.lease.row.epoch)
        else:
            rows = value if self.lease.renewed(ask, value, now.steady) else None
        if rows is None:
            return [] if self.lease.row.born else [Say("the lease was lost: another hub took it, or dropped it")]
        if self.resync:
            self.members.recount(now.steady)
        for notice in self.members.observe(rows, ask.sent, now.steady):
            effects += _told(notice, now)
        effects += self._follow(now)
        if self.acts(now):
            effects += [self._call("drop_lease", row.hub, row.born, row.beat) for row in self.members.lapsed(self.name)]
        return [*effects, *(self._catch_up(now) if self.resync else [])]

    def _follow(self, now: Instant) -> Effects:
        """The list of hubs may have changed: whose home is this one now?"""
        before, hubs = self.homes.hubs, self.members.hubs()
        moved = self.homes.update(hubs)
        mine = [agent for agent, (_, home) in moved.items() if home == self.name]
        self.care.give(agent for agent, (was, _) in moved.items() if was == self.name)
        self.care.take(mine, now.attention, self.spoke)
        effects: Effects = [self._poll(now)] if _seats(before) != _seats(hubs) else []
        return [*effects, *([self._take_over(set(mine), now)] if mine else [])]

    def _take_over(self, mine: set[str], now: Instant) -> Store:
        """Commands that another hub gave to agents whose home is here now fly on."""

        def found(rows: Any, error: str, now: Instant) -> Effects:
            own = [row for row in rows or () if row.agent in mine and self.orders.router.get(row.id) is None]
            effects = self.orders.restore(own, now)
            asked = {str(row.agent) for row in own} & set(self.fleet.routes)
            return [*effects, *(effect for agent in asked for effect in self.orders.ready(agent, now))]

        return Store("commands", (now.wall - limits.COMMAND_SECONDS, 10_000), found)

    def _poll(self, now: Instant) -> Poll:
        """The engines that this hub is to ask from now on."""
        hubs = self.members.hubs()
        mine = [one for one in self.fleet.settings.engines if poller(one, hubs) == self.name]
        return Poll(frozenset(mine if self.acts(now) else ()))

    def _catch_up(self, now: Instant) -> Effects:
        """The store was away, or another one took over: what it acknowledged before may be gone."""
        self.resync = False
        self.care.see_again(now.attention)
        self.care.lost.clear()
        served = [agent for agent in self.spoke if self.serves(agent, now)]
        self.heard.update(dict.fromkeys(served, now.wall))
        return [Say("the store answers again: everything that was counted on it is counted anew"), self.tidings.again()]

    # -- silence -----------------------------------------------------------------------------------------------------

    def _note(self, now: Instant) -> Effects:
        """Writes down who was heard: guests and who is new at every tick, those at home now and then."""
        effects: Effects = []
        if now.steady > self.noted_at + SEEN_SECONDS:
            self.noted_at = now.steady
            late = now.attention - 1.2 * self.fleet.settings.period
            self.heard.update((agent, now.wall) for agent, ward in self.care.wards.items() if ward.heard > late)
            if self.care.lost:
                effects.append(self._call("seen", tuple(self.care.lost), then=self._looked))
        if self.heard:
            heard, self.heard = self.heard, {}
            effects.append(self._call("hear_agents", self.name, heard))
        return effects

    def _looked(self, rows: Any, error: str, now: Instant) -> None:
        if not error:
            self.care.looked(rows, now.attention)

    def _judge(self, now: Instant) -> Effects:
        effects: Effects = []
        suspects = self.care.suspects(now.attention)
        if suspects:
            effects.append(self._call("seen", tuple(suspects), then=self._marked(suspects)))
        for agent, mark in self.care.verdicts(now.attention, vouched=len(self.members.hubs()) == 1):
            effects.append(self._call("judge_agent", agent, Presence.LOST, mark, then=self._judged(agent)))
        return effects

    def _marked(self, suspects: list[str]) -> Any:
        def found(rows: Any, error: str, now: Instant) -> None:
            known = {} if error else {row.agent: row for row in rows}
            for agent in suspects:
                self.care.noted(agent, known.get(agent), now.attention)

        return found

    def _judged(self, agent: str) -> Any:
        def agreed(value: Any, error: str, now: Instant) -> Effects:
            self.care.judged(agent, None if error else bool(value), now.attention)
            if error or not value:
                return []
            return tell(self.fleet.registry.lose(agent, now), self.fleet)

        return agreed

    def _late(self, now: Instant) -> Effects:
        """Who is late: of those that spoke to this hub last, and have their home here."""
        mine = [one for one in self.care.wards if one in self.spoke and one not in self.care.lost]
        return tell(self.fleet.registry.tick(now, mine), self.fleet) if self.acted else []

    def gone(self, agents: Iterable[Agent]) -> Effects:
        """These said goodbye, or their engine says that they died: nobody is to call them lost."""
        names = [agent.id for agent in agents]
        for agent in names:
            self.spoke.pop(agent, None)
        self.care.lost.update(one for one in names if one in self.care.wards)
        return [self._call("judge_agent", agent, Presence.GONE) for agent in names]

    # -- leaving -----------------------------------------------------------------------------------------------------

    def ask_to_drain(self, hub: str, now: Instant) -> Effects:
        """Has this or another hub drain; the other one reads it among the facts."""
        body: dict[str, object] = {"note": DRAIN, "drains": hub}
        told = Store("record_fact", (BOOK, now.wall, FactKind.NOTE, body))
        return self.drain(now) if hub == self.name else [told]

    def _asked_to_drain(self, body: dict[str, object], now: Instant) -> Effects:
        return self.drain(now) if body.get("drains") == self.name else []

    def drain(self, now: Instant) -> Effects:
        """Send the agents elsewhere, then end."""
        if self.lease.row.draining:
            return []
        self.lease.tell(draining=True)
        self.lease.next_at = float("-inf")
        self.drained_at = now.steady
        return [Say("draining: agents are sent to the other hubs")]

    def _drain(self, now: Instant) -> Effects:
        if not self.lease.row.draining:
            return []
        others = [row for row in self.members.hubs() if row.hub != self.name and not row.draining]
        here = any(self.serves(agent, now) for agent in self.spoke)
        if others and here and now.steady < self.drained_at + DRAIN_SECONDS:
            return []
        self.left = True
        return [Store("drop_lease", (self.name, self.lease.row.born)), Say("drained"), Leave()]


def _told(notice: Told, now: Instant) -> Effects:
    body: Mapping[str, Any] = {"hub": notice.hub, "move": notice.move.value, "epoch": notice.epoch, "at": now.wall}
    return [Publish(f"hub/{notice.hub}", dict(body)), Say(f"hub {notice.hub}: {notice.move.value}")]


def _seats(rows: Iterable[LeaseRow]) -> list[tuple[Any, ...]]:
    return [(row.hub, row.draining, row.engines) for row in rows]
