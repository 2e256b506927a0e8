"""A hub of the simulation: hub.cluster joined as the daemon joins it, on a clock that runs at a rate of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.clock import Attention
from hub.cluster.handover import DEPARTED, Care
from hub.cluster.hearings import Hearings
from hub.cluster.lease import Ask, Lease, Standing
from hub.cluster.membership import Membership
from hub.cluster.rendezvous import Homes, poller, ranking
from hub.cluster.rows import LeaseRow, SeenRow
from hub.cluster.vouching import Vouching
from hub.discovery.liveness import LOST_AFTER
from tests.sim.cluster.ranked import RankedHomes
from tests.sim.cluster.world import Process, World
from wire.model import Presence

if TYPE_CHECKING:
    from tests.sim.cluster.agent import Agent
    from tests.sim.cluster.fleet import Simulation

TICK = 0.25
FRESH = 1.2
"""Periods after its last word in which an agent is alive, as far as a hub that comes back can tell."""
CAPACITY = 10_000
SEEN_SECONDS = 10.0
"""Between two notes of the agents at home; guests are noted at every tick."""


class Hub(Process):
    """One hub; a killed one comes back with nothing in memory."""

    def __init__(self, world: World, name: str, fleet: Simulation) -> None:
        super().__init__(world, name)
        self.fleet = fleet
        self.rate, self.offset = 1 + world.random.uniform(-0.02, 0.02), world.random.uniform(0, 1e6)
        self.start()

    def start(self) -> None:
        self.alive = True
        self.lease: Lease = self.fleet.lease(LeaseRow(self.name, capacity=CAPACITY, engines=tuple(self.fleet.engines)))
        self.members, self.care = Membership(), Care(self.fleet.period)
        self.homes: Homes | RankedHomes = RankedHomes(self.fleet.rankings) if self.fleet.rankings else Homes()
        self.attention = Attention(self.clock)
        self.vouching, self.looking = Vouching(), False
        self.saw = False
        self.position = 0
        self.polled: set[str] = set()
        self.spoke: dict[str, float] = {}
        self.hearings = Hearings()
        self.durable: dict[tuple[str, int], int] = {}
        self.routes: dict[str, tuple[Agent, int, int]] = {}
        self.rankings: dict[str, list[str]] = {}
        self.met: dict[str, int] = {}
        """Agent -> the boot that it registered with, in this life of the hub."""
        self.resync = self.raising = False
        self.noted_at = self.clock
        self.after(self.world.random.random() * TICK, self.tick)

    @property
    def clock(self) -> float:
        return self.offset + self.world.now * self.rate

    def may_act(self) -> bool:
        return self.alive and not self.paused and self.lease.acts(self.clock)

    def acts_for(self, agent: str) -> bool:
        return self.homes.of.get(agent) == self.name and self.may_act()

    def call(self, method: str, *args: Any, then: Callable[[Any], None] | None = None) -> None:
        def answered(value: Any, failed: bool) -> None:
            if failed:
                self.resync = True
            elif then is not None:
                then(value)

        self.fleet.store.call(self, method, args, answered)

    # -- time --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        self.after(TICK, self.tick)
        self.attention = self.attention.advance(self.clock, True)
        sees = self.lease.standing(self.clock) in (Standing.ACTING, Standing.SETTLING)
        if sees and not self.saw:
            self.care.see_again(self.attention.total)
        self.saw = sees
        if sees:
            self.note()
        self.renew()
        if sees and not self.resync:
            self.judge()
        if self.may_act():
            self.poll()

    def renew(self) -> None:
        ask = self.lease.next(self.clock)
        if ask is None:
            return
        asked = self.attention.total
        renewal = ("renew_lease", (ask.row, self.unwritten()))
        method, args = renewal if ask.row.born else ("take_lease", (ask.row, ask.above))

        def answered(value: Any, failed: bool) -> None:
            if failed:
                self.lease.failed(ask)
                self.resync = True
                return
            self.answered(ask, value, asked)

        self.fleet.store.call(self, method, args, answered)

    def answered(self, ask: Ask, value: Any, asked: float) -> None:
        now = self.clock
        if not ask.row.born:
            self.fleet.checks.births(self.name, ask.above, value.epoch)
            rows = value.rows if self.lease.taken(ask, value, now) else None
        else:
            rows = value if self.lease.renewed(ask, value, now) else None
        if rows is None:
            return
        if self.resync:
            self.members.recount(now)
            self.vouching.recount()
        self.vouching.observe(rows, asked)
        for notice in self.members.observe(rows, ask.sent, now):
            if notice.move in DEPARTED:
                self.care.unsettle(DEPARTED[notice.move], self.attention.total)
        self.follow()
        if self.lease.acts(now):
            for row in self.members.lapsed(self.name):
                self.call("drop_lease", row.hub, row.born, row.beat)
        self.call("agents_after", self.position, then=self.learn)
        if self.resync:
            self.catch_up()

    def follow(self) -> None:
        """The list of hubs may have changed: whose home am I now?"""
        hubs = self.members.hubs()
        if _names(hubs) != _names(self.homes.hubs):
            self.rankings.clear()
            self.polled = {engine for engine in self.fleet.engines if poller(engine, hubs) == self.name}
        moved = self.homes.update(hubs)
        if moved:
            self.care.give(agent for agent, (was, _) in moved.items() if was == self.name)
            here, mine = _names(hubs), [agent for agent, (_, now) in moved.items() if now == self.name]
            given = [agent for agent in mine if moved[agent][0] in dict(here)]
            self.care.take(given, self.attention.total, self.spoke, LOST_AFTER)
            self.care.take(mine, self.attention.total, self.spoke)

    def learn(self, news: tuple[int, list[str]]) -> None:
        self.position, agents = news
        fresh = [agent for agent in agents if agent not in self.homes.of]
        self.homes.add(dict.fromkeys(fresh, 0.0))
        self.care.take((agent for agent in fresh if self.homes.of[agent] == self.name), self.attention.total)

    def catch_up(self) -> None:
        """The store was away, or another one took over: what it acknowledged before may be gone."""
        self.resync, self.position = False, 0
        self.care.see_again(self.attention.total)
        self.call("durable", list(self.durable), then=self.durable.update)
        self.care.lost.clear()
        self.hearings.begin_anew(self.fresh())

    def fresh(self) -> dict[str, float]:
        recent = self.attention.total - FRESH * self.fleet.period
        return {agent: self.world.now for agent, at in self.spoke.items() if at > recent}

    def unwritten(self) -> dict[str, float]:
        away = self.resync or self.lease.standing(self.clock) is Standing.BLIND
        return self.hearings.unwritten(self.fresh() if away else {})

    # -- agents ------------------------------------------------------------------------------------------------------

    def register(self, agent: Agent, life: int, boot: int, number: int, epoch: int, facts: tuple[int, int]) -> None:
        """Needs to read the store: a hub that cannot sends the agent away, or leaves it without an answer."""
        if self.astray():
            self.turn_away(agent, number)
            return

        def answered(durable: Any, failed: bool) -> None:
            self.resync = self.resync or failed
            if failed:
                self.turn_away(agent, number)
                return
            self.durable.update(durable)
            self.met[agent.name] = boot
            self.heartbeat(agent, life, boot, number, epoch, facts)

        self.fleet.store.call(self, "durable", ([(agent.name, boot)],), answered)

    def turn_away(self, agent: Agent, number: int, away: bool = True) -> None:
        self.world.send(self.name, agent, agent.reply, number, self.name, 0, 0, [], away, False, again=True)

    def heartbeat(self, agent: Agent, life: int, boot: int, number: int, epoch: int, facts: tuple[int, int]) -> None:
        name, key = agent.name, (agent.name, boot)
        if self.met.get(name) != boot:
            self.turn_away(agent, number, self.astray())
            return
        new = name not in self.routes or self.routes[name][2] != boot
        if new or name in self.care.lost or self.homes.of.get(name) != self.name:
            self.hearings.waiting[name] = self.world.now
        self.spoke[name] = self.attention.total
        agent.hearings.append(self.world.now)
        self.routes[name] = (agent, life, boot)
        self.care.hear(name, self.attention.total)
        if self.lease.raise_epoch(epoch) and not self.raising:
            self.raising = True
            self.call("next_epoch", epoch, then=self.raised)
        if key not in self.durable:
            self.call("durable", [key], then=lambda found: self.durable.update(found))
        elif facts[1] > self.durable[key]:
            self.call("append_facts", name, boot, *facts, then=lambda kept: self.durable.update({key: kept}))
        known = self.durable.get(key, 0)
        epoch = self.lease.row.epoch if self.lease.row.born else 0
        away = self.astray()
        answer = (number, self.name, known, epoch, self.order(name), away, True)
        self.world.send(self.name, agent, agent.reply, *answer, again=True)

    def astray(self) -> bool:
        """Blind: agents are better off elsewhere."""
        return self.lease.standing(self.clock) is Standing.BLIND and len(self.members.hubs()) > 1

    def raised(self, epoch: int) -> None:
        self.raising = False
        self.lease.raised(epoch)

    def order(self, agent: str) -> list[str]:
        if agent not in self.rankings:
            table, hubs = self.fleet.rankings, self.members.hubs()
            self.rankings[agent] = table.ranking(agent, hubs) if table else ranking(agent, 0.0, hubs)
        return self.rankings[agent]

    def note(self) -> None:
        """Writes down who was heard: guests and who is new at every tick, those at home now and then."""
        if self.clock > self.noted_at + SEEN_SECONDS:
            self.noted_at = self.clock
            mine = (
                a for a, ward in self.care.wards.items() if ward.heard > self.attention.total - self.fleet.period * 1.2
            )
            self.hearings.waiting.update(dict.fromkeys(mine, self.world.now))
            if self.care.lost:
                lost = tuple(self.care.lost)
                self.call("seen", lost, then=lambda found: self.care.looked(found.values(), self.attention.total))
        if self.hearings.waiting:
            self.write(*self.hearings.write())

    def write(self, number: int, heard: dict[str, float]) -> None:
        def written(value: Any, failed: bool) -> None:
            self.resync = self.resync or failed
            self.hearings.written(number, failed)

        self.fleet.store.call(self, "hear_agents", (self.name, heard), written)

    def judge(self) -> None:
        attention = self.attention.total
        self.verdicts()
        suspects = self.care.suspects(attention)
        if suspects:
            self.look_up(suspects)
        if not self.looking and self.care.seeks(attention) and len(self.members.hubs()) > 1:
            self.looking = True
            self.fleet.store.call(self, "leases", (), lambda rows, failed: self.vouched(rows, failed, attention))

    def vouched(self, rows: Any, failed: bool, asked: float) -> None:
        self.looking, self.resync = False, self.resync or failed
        if not failed:
            self.vouching.observe(rows, asked)
            if not self.resync:
                self.verdicts()

    def verdicts(self) -> None:
        if not self.may_act():
            return
        others = (row.hub for row in self.members.hubs() if row.hub != self.name)
        attention = self.attention.total
        for agent, mark in self.care.verdicts(attention, self.vouching.settled(others, attention)):
            if self.fleet.checks.act(self, agent):
                self.verdict(agent, mark)

    def look_up(self, suspects: list[str]) -> None:
        def answered(found: dict[str, SeenRow] | None, failed: bool) -> None:
            self.resync = self.resync or failed
            for agent in suspects:
                self.care.noted(agent, (found or {}).get(agent), self.attention.total)

        self.fleet.store.call(self, "seen", (suspects,), answered)

    def verdict(self, agent: str, mark: int) -> None:
        def answered(agreed: bool | None, failed: bool) -> None:
            self.resync = self.resync or failed
            self.care.judged(agent, None if failed else agreed, self.attention.total)

        self.fleet.store.call(self, "judge_agent", (self.lease.kept, agent, Presence.LOST, mark), answered)

    def poll(self) -> None:
        for engine in self.polled:
            self.fleet.checks.poll(self, engine)

    # -- commands ----------------------------------------------------------------------------------------------------

    def order_command(self, id: str, agent: str) -> None:
        """From a client: any hub forwards it to the agent's home."""
        home = self.fleet.hubs.get(self.homes.of.get(agent) or "")
        if home is self:
            self.launch(id, agent)
        elif home is not None:
            self.world.send(self.name, home, home.launch, id, agent)

    def launch(self, id: str, agent: str) -> None:
        """At home: claimed for the boot that is connected, then handed over; repetitions do no harm."""
        route = self.routes.get(agent)
        if route is None or not self.acts_for(agent):
            return
        target, _, boot = route

        def claimed(owner: int) -> None:
            if owner == boot and self.acts_for(agent) and self.fleet.checks.act(self, agent):
                epoch = self.lease.row.epoch
                self.world.send(self.name, target, target.command, id, boot, epoch, self.name)

        self.call("claim_command", id, boot, then=claimed)

    def drain(self) -> None:
        self.lease.tell(draining=True)

    def leave(self) -> None:
        row = self.lease.row
        self.fleet.store.call(self, "drop_lease", (row.hub, row.born), lambda value, failed: None)
        self.world.at(self.world.now + 0.1, self.kill)


def _names(hubs: tuple[LeaseRow, ...]) -> list[tuple[str, bool]]:
    return [(row.hub, row.draining) for row in hubs]
