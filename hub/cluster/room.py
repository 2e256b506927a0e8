"""This hub among the hubs of one store: its lease, who else is there, whose home it is, and whom it may call lost.

Theory.  hub.cluster.lease, membership, rendezvous and handover decide; here they are joined to the fleet.  A tick
renews the lease, notes in the store who was heard (guests at once, those at home now and then), and judges the silent.
Each answer of the store brings the hubs, and with them homes; what other hubs found out is read from the facts that all
keep in one order (hub.cluster.tidings).  A call of the store that failed sets `resync`: at its next answer every count
begins anew, because a store that was away may come back without its last writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.clock import Instant
from hub.cluster.editions import Editions
from hub.cluster.errands import Errands
from hub.cluster.handover import DEPARTED, Care
from hub.cluster.hearings import Hearings
from hub.cluster.lease import Ask, Lease, Standing
from hub.cluster.membership import Membership
from hub.cluster.neighbours import HASTEN, Neighbours, seats, told
from hub.cluster.rendezvous import Homes, poller, ranking, refuge
from hub.cluster.rows import LeaseRow
from hub.cluster.shown import shown
from hub.cluster.tidings import BOOK, MOVED, Tidings
from hub.cluster.vouching import Vouching
from hub.commands.heirs import Heirs
from hub.commands.orders import Orders
from hub.discovery.liveness import LATE_AFTER, LOST_AFTER
from hub.discovery.notices import tell
from hub.discovery.registry import Agent
from hub.fleet import Fleet
from hub.words import Effects, Leave, Poll, Say, Store
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
FRESH = 1.2
"""Periods after its last word in which an agent is alive, as far as a hub that comes back can tell."""
SEEING = (Standing.ACTING, Standing.SETTLING)
"""The hub sees the store; whom it hears counts for all."""


class Cluster:
    """See the module's docstring; all of it is called by the core."""

    def __init__(self, fleet: Fleet, orders: Orders, version: str) -> None:
        settings = fleet.settings
        self.fleet, self.orders, self.name = fleet, orders, settings.hub
        self.lease = Lease(LeaseRow(
            self.name, capacity=settings.capacity, peer=settings.client, link=settings.link, version=version,
            engines=tuple(sorted(settings.engines)),
        ))  # fmt: skip
        self.members, self.homes, self.care = Membership(), Homes(), Care(settings.period)
        self.vouching, self.looking = Vouching(), False
        self.spoke: dict[str, float] = {}
        """Agent -> attention when it spoke to this hub last."""
        self.near = Neighbours(fleet, lambda: self.lease.row.born, self.spoke.__contains__, self.homes.of.get)
        self.errands = Errands(fleet, orders, self.near.links, self.near.at, self.acts)
        self.near.heirs = Heirs(orders, self.name, self.near.carrier, self.errands.taken)
        self.tidings = Tidings(fleet, self.met, {DRAIN: self._asked_to_drain, **self.errands.handlers})
        self.asked = {"hub.carry": self.errands.carry, HASTEN: self.tidings.hasten}
        """What this hub answers to others itself; hub.cluster.gather has the rest."""
        self.tidings.departed = self._departed
        self.tidings.moved = lambda agent, hub: self.near.moved(agent, hub, self.spoke.pop(agent, None))
        self.acted = self.saw = self.resync = self.left = False
        self.hearings, self.editions = Hearings(), Editions()
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
        return self.spoke.get(agent, float("-inf")) > now.attention - SERVED * self.fleet.registry.period

    def hubs_of(self, agent: str) -> tuple[HubAddress, ...]:
        """The hubs in the order in which this agent is to turn to them."""
        rows = {row.hub: row for row in self.members.hubs()}
        order = ranking(agent, self.homes.enrolled.get(agent, self._enrolled(agent)), rows.values())
        found = [HubAddress(*place) for hub in order for place in rows[hub].addresses]
        return tuple(found[: limits.HUBS]) or self.fleet.settings.addresses

    def news_for(self, agent: str, sign: float) -> tuple[HubAddress, ...]:
        """The same, unless the agent knows them by now; `sign`: see hub.cluster.editions."""
        return self.hubs_of(agent) if self.editions.is_news(agent, sign) else ()

    def refuge(self, agent: str, now: Instant) -> tuple[HubAddress, ...]:
        """Where an agent that comes only now is to go instead, if this hub is full and another is not."""
        stays = self.fleet.load.full_at is None or self.serves(agent, now)
        return () if stays else refuge(agent, self.name, self.members.hubs())

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub: this one is blind."""
        return self.lease.standing(now.steady) is Standing.BLIND and len(self.members.sightings) > 1

    def rows(self, now: Instant) -> list[dict[str, Any]]:
        """The hubs, as people are shown them."""
        return shown(self, now)

    # -- agents ------------------------------------------------------------------------------------------------------

    def hear(self, agent: str, now: Instant) -> Effects:
        """An agent spoke to this hub; the others are told where it speaks now."""
        new, known = not self.serves(agent, now), agent in self.homes.of
        self.spoke[agent] = now.attention
        self.near.came([agent])
        if not known:
            self.met([agent], now)
        if new or agent in self.care.lost or self.homes.of.get(agent) != self.name:
            self.hearings.waiting[agent] = now.wall
        self.care.hear(agent, now.attention, self.fleet.registry.period)
        body: dict[str, object] = {"note": MOVED, "agent": agent, "to": self.name, "at": now.wall}
        told = new and (known or self.homes.of.get(agent) != self.name)  # where one is at home is known to all
        return [Store("record_fact", (agent, now.wall, FactKind.NOTE, body))] if told else []

    def samples(self, agent: str, now: Instant) -> bool:
        """A sample came; whether this hub serves the agent, to whom it is a sign of life then."""
        if not self.serves(agent, now):
            return False
        self.spoke[agent] = now.attention
        self.care.hear(agent, now.attention, self.fleet.registry.period)
        return True

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
            self.editions.forget(agent)
            self.near.came([agent])

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
        sees = self.lease.standing(now.steady) in SEEING
        if sees and not self.saw:
            self.care.see_again(now.attention)
        self.saw = sees
        effects = [*(self._note(now) if sees else []), *(self._renew(now) if now.steady >= self.lease.next_at else [])]
        acts = self.acts(now)
        if acts != self.acted:
            self.acted = acts
            line = f"the lease is {'held' if acts else 'not held'}: epoch {self.fleet.epoch}"
            effects += [Say(line), self._poll(now)]
        looks = self.care.looks(now.attention)
        if sees and not self.resync:
            effects += self._judge(now, looks)
        effects += self.near.tick(acts and not self.resync, now)
        return [*effects, *(self._late(now) if looks else ()), *self.tidings.tick(now), *self._drain(now)]

    def _call(self, method: str, *args: Any, then: Any = None) -> Store:
        """A call of the store; that it failed is remembered."""

        def answered(value: Any, error: str, now: Instant) -> Effects:
            if error:
                self.resync = True
            return [] if then is None else list(then(value, error, now) or [])

        return Store(method, args, answered)

    def _renew(self, now: Instant) -> Effects:
        settings, period = self.fleet.settings, self.fleet.registry.period
        since = now.attention - SERVED * period
        self.fleet.load.count(sum(at > since for at in self.spoke.values()), now.wall)
        places = tuple(tuple(one) for one in settings.addresses)
        self.lease.tell(addresses=places, peer=settings.client, period=period, **self.fleet.load.row())
        self.care.period = max(period, *(row.period for row in self.members.hubs()), settings.period)
        ask = self.lease.next(now.steady)
        if ask is None:
            return []

        def answered(value: Any, error: str, now: Instant) -> Effects:
            if error:
                self.lease.failed(ask)
                self.resync = True
                return []
            return self._answered(ask, value, asked, now)

        asked = now.attention
        if ask.row.born == 0:
            return [Store("take_lease", (ask.row, ask.above), answered)]
        return [Store("renew_lease", (ask.row, self._unwritten(now)), answered)]

    def _unwritten(self, now: Instant) -> dict[str, float]:
        away = self.resync or self.lease.standing(now.steady) is Standing.BLIND
        return self.hearings.unwritten(self._fresh(now) if away else {})

    def _fresh(self, now: Instant) -> dict[str, float]:
        since = now.attention - FRESH * self.fleet.registry.period
        return {agent: now.wall for agent, at in self.spoke.items() if at > since}

    def _answered(self, ask: Ask, value: Any, asked: float, now: Instant) -> Effects:
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
            self.vouching.recount()
        self.vouching.observe(rows, asked)
        for notice in self.members.observe(rows, ask.sent, now.steady):
            effects += told(notice, now)
            if notice.move in DEPARTED:
                self.care.unsettle(DEPARTED[notice.move], now.attention)
        effects += [*self._follow(now), *self.near.follow(self.members.hubs(), now)]
        if self.acts(now):
            effects += [self._call("drop_lease", row.hub, row.born, row.beat) for row in self.members.lapsed(self.name)]
        return [*effects, *(self._catch_up(now) if self.resync else [])]

    def _follow(self, now: Instant) -> Effects:
        """The list of hubs may have changed: whose home is this one now?"""
        before, hubs = self.homes.hubs, self.members.hubs()
        self.editions.observe(hubs)
        moved = self.homes.update(hubs)
        mine = [agent for agent, (_, home) in moved.items() if home == self.name]
        self.care.give(agent for agent, (was, _) in moved.items() if was == self.name)
        given = [agent for agent in mine if self.members.get(moved[agent][0] or "")]
        self.care.take(given, now.attention, self.spoke, LOST_AFTER)
        self.care.take(mine, now.attention, self.spoke)
        effects: Effects = [self._poll(now)] if seats(before) != seats(hubs) else []
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
        self.hearings.begin_anew(self._fresh(now))
        return [Say("the store answers again: everything that was counted on it is counted anew"), self.tidings.again()]

    # -- silence -----------------------------------------------------------------------------------------------------

    def _note(self, now: Instant) -> Effects:
        """Writes down who was heard: guests and who is new at every tick, those at home now and then."""
        effects: Effects = []
        if now.steady > self.noted_at + SEEN_SECONDS:
            self.noted_at = now.steady
            fresh = self._fresh(now)
            self.hearings.waiting |= {agent: fresh[agent] for agent in fresh.keys() & self.care.wards.keys()}
            if self.care.lost:
                effects.append(self._call("seen", tuple(self.care.lost), then=self._looked))
        if self.hearings.waiting:
            number, heard = self.hearings.write()
            written = lambda value, error, now: self.hearings.written(number, bool(error))  # noqa: E731
            effects.append(self._call("hear_agents", self.name, heard, then=written))
        return effects

    def _looked(self, rows: Any, error: str, now: Instant) -> None:
        if not error:
            self.care.looked(rows, now.attention)

    def _judge(self, now: Instant, looks: bool) -> Effects:
        effects = self._verdicts(now)
        suspects = self.care.suspects(now.attention) if looks else []
        if suspects:
            effects.append(self._call("seen", tuple(suspects), then=self._marked(suspects)))
        if not self.looking and self.care.seeks(now.attention) and len(self.members.hubs()) > 1:
            self.looking = True
            effects.append(self._call("leases", then=self._vouched(now.attention)))
        return effects

    def _verdicts(self, now: Instant) -> Effects:
        if not self.acts(now):
            return []
        others = (row.hub for row in self.members.hubs() if row.hub != self.name)
        due = self.care.verdicts(now.attention, self.vouching.settled(others, now.attention))
        verdicts = ((one, Presence.LOST, mark, self.lease.kept) for one, mark in due)
        return [self._call("judge_agent", *verdict, then=self._judged(verdict[0])) for verdict in verdicts]

    def _vouched(self, asked: float) -> Any:
        def read(rows: Any, error: str, now: Instant) -> Effects:
            self.looking = False
            if error:
                return []
            self.vouching.observe(rows, asked)
            return [] if self.resync else self._verdicts(now)

        return read

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
            return [*tell(self.fleet.registry.lose(agent, now), self.fleet), *self.near.hasten()]

        return agreed

    def _late(self, now: Instant) -> Effects:
        """Who is late: of those that spoke to this hub last, and have their home here."""
        since = now.attention - LATE_AFTER * self.fleet.settings.period  # no agent is late before
        mine = [a for a, at in self.spoke.items() if at <= since and a in self.care.wards and a not in self.care.lost]
        return tell(self.fleet.registry.tick(now, mine), self.fleet) if self.acted else []

    def gone(self, agents: Iterable[Agent]) -> Effects:
        """These said goodbye, or their engine says that they died: nobody is to call them lost."""
        names = [self._departed(agent.id) for agent in agents]
        return [self._call("judge_agent", agent, Presence.GONE) for agent in names]

    def _departed(self, agent: str) -> str:
        self.spoke.pop(agent, None)
        return self.care.depart(agent)

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
