"""One run: hubs, agents, a client, the store, and the faults of a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from hub.cluster.lease import Lease
from hub.cluster.rows import LeaseRow
from tests.sim.cluster.agent import Agent
from tests.sim.cluster.checks import Broken, Checks
from tests.sim.cluster.faults import Fault, draw, plan
from tests.sim.cluster.hub import CAPACITY, Hub
from tests.sim.cluster.ranked import Rankings
from tests.sim.cluster.store import Store
from tests.sim.cluster.world import Process, World

FIRST = 25.0
"""Seconds until the first fault: leases have settled and agents are home."""
MANY = 5000
"""From so many agents on homes come from one table (tests.sim.cluster.ranked)."""
CALM = 60.0
"""Seconds without faults at the end, in which everything must become right again."""


COMMANDS = 100
"""Most commands at a time: each is asked for six times."""


class Size(NamedTuple):
    """How large and how long."""

    hubs: int = 3
    agents: int = 60
    faults: int = 12
    seconds: float = 60.0
    """Time in which faults happen."""
    period: float = 2.0


class Simulation:
    """Built from a seed and a size; `faults` None draws them from the seed."""

    def __init__(
        self,
        seed: int,
        size: Size,
        faults: list[Fault] | None = None,
        lease: Callable[[LeaseRow], Lease] = Lease,
    ) -> None:
        self.size, self.period, self.lease = size, size.period, lease
        self.world = World(seed)
        self.engines = [f"engine{number}" for number in range(size.hubs)]
        self.store = Store(self.world)
        self.hubs: dict[str, Hub] = {}
        self.agents: dict[str, Agent] = {}
        self.steady: dict[str, float] = {}
        self.checks = Checks(self)
        hubs, agents = [f"h{number}" for number in range(size.hubs)], [f"a{number}" for number in range(size.agents)]
        self.rankings = Rankings(hubs, CAPACITY, agents) if size.agents > MANY else None
        for name in hubs:
            self.hubs[name] = Hub(self.world, name, self)
        for name in agents:
            self.agents[name] = Agent(self.world, name, self)
        self.calm = FIRST + size.seconds
        self.faults = draw(seed, size.faults, FIRST, self.calm) if faults is None else faults
        plan(self, self.faults)
        self.client = Process(self.world, "client")
        self.commands = self.cut_count = 0
        self.world.at(1.0, self.life)

    def run(self) -> Checks:
        """To the end; raises Broken."""
        self.world.run(self.calm + CALM - 10.0)
        for agent in self.agents.values():
            agent.settled_seq = agent.last_seq
        self.world.run(self.calm + CALM)
        self.checks.finish()
        return self.checks

    # -- what goes on ------------------------------------------------------------------------------------------------

    def life(self) -> None:
        """Facts happen and a client commands, until the end comes near."""
        dice, names = self.world.random, list(self.agents)
        for _ in range(max(1, len(names) // 20)):
            self.agents[dice.choice(names)].happen()
        for _ in range(max(1, min(len(names) // 100, COMMANDS))):
            self.commands += 1
            self.command(f"c{self.commands}", dice.choice(names), 5)
        self.world.at(self.world.now + 0.5, self.life)

    def command(self, id: str, agent: str, tries: int) -> None:
        """Asks any hub, and asks again, of another one, since the client cannot know what became of it."""
        hub = self.hubs[self.world.random.choice(sorted(self.hubs))]
        self.world.send("client", hub, hub.order_command, id, agent)
        if tries:
            self.world.at(self.world.now + 3.0, self.command, id, agent, tries - 1)

    # -- what faults need --------------------------------------------------------------------------------------------

    def restart(self, hub: Hub) -> None:
        if not hub.alive:
            self.world.tell(f"{hub.name} starts")
            hub.start()

    def wake(self, hub: Hub) -> None:
        if hub.paused:
            self.world.tell(f"SIGCONT {hub.name}")
            hub.resume()

    def vanish(self, name: str) -> None:
        agent = self.agents[name]
        if agent.alive:
            self.world.tell(f"{name} vanishes")
            agent.vanish()

    def reboot(self, name: str) -> None:
        agent = self.agents[name]
        if agent.alive:
            agent.kill()
            agent.start()

    def next_cut(self) -> int:
        self.cut_count += 1
        return self.cut_count

    def excuse(self, names: Iterable[str], length: float) -> None:
        """A fault of their own: until they had time to find a hub again."""
        until = self.world.now + length + 6 * self.period + 2 * self.period * len(self.hubs)
        for name in names:
            self.checks.excused[name] = max(self.checks.excused.get(name, 0.0), until)

    def excuse_restart(self, name: str) -> None:
        """It begins anew, maybe at a hub that is not there: until it found another one."""
        self.checks.excused[name] = max(self.checks.excused.get(name, 0.0), self.world.now + 4 * self.period)

    def hinder(self, names: Iterable[str], length: float) -> None:
        """They cannot reach every hub, nor for a while find one that they held meanwhile."""
        for name in names:
            until = self.world.now + length + 6 * self.period
            self.checks.hindered[name] = max(self.checks.hindered.get(name, 0.0), until)

    def unsteady(self, hub: str, length: float) -> None:
        """The hub's way to the store is cut for so long."""
        self.steady[hub] = max(self.steady.get(hub, 0.0), self.world.now + length)

    def steady_since(self, hub: str) -> float:
        """From when on the hub's way to the store has worked."""
        return self.steady.get(hub, 0.0)


def kind(told: list[str]) -> str:
    """What broke, without names and numbers: shrinking must not wander off to another fault."""
    return " ".join(word for word in told[-1].split() if word.isalpha())


def story(
    seed: int, size: Size, faults: list[Fault] | None = None, lease: Callable[[LeaseRow], Lease] = Lease
) -> list[str]:
    """What happened in a run that broke; empty where all held."""
    simulation = Simulation(seed, size, faults, lease)
    try:
        simulation.run()
    except Broken:
        return simulation.world.story
    return []


def shrink(seed: int, size: Size, lease: Callable[[LeaseRow], Lease] = Lease) -> tuple[list[Fault], list[str]]:
    """The fewest faults found that still break it, by leaving out one after the other, and that run's story."""
    faults = Simulation(seed, size, None, lease).faults
    told = story(seed, size, faults, lease)
    number = 0
    while told and number < len(faults):
        fewer = faults[:number] + faults[number + 1 :]
        again = story(seed, size, fewer, lease)
        if again and kind(again) == kind(told):
            faults, told = fewer, again
        else:
            number += 1
    return faults, told
