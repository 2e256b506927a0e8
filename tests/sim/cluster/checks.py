"""What must hold at every moment of the simulation, and at its end.

- no two hubs may act for one agent, or poll one engine, at one time (looked at whenever one of them acts);
- nobody is called lost who is alive and could be heard: neither one that an acting hub with a working way to the store
  just served, nor, whatever happens to hubs and store, one that no fault of its own network kept from every hub (one
  that was cut off from some, and tried these first, may be lost where really nobody heard it for three periods);
- no command is executed twice, and none under a lower epoch than the one before;
- at the end every fact of every living agent is stored, everybody alive is live in the store, and whoever vanished was
  called lost once, within its bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.discovery.liveness import LOST_AFTER
from wire.model import Presence

if TYPE_CHECKING:
    from tests.sim.cluster.agent import Agent
    from tests.sim.cluster.fleet import Simulation
    from tests.sim.cluster.hub import Hub

BOUND, BOUND_PERIODS = 18.0, 6.0
"""Seconds, and periods, in which who vanished is told after the last fault: a lease, settling, a grace, a silence."""
TRAVEL = 0.5
"""Seconds that a verdict may be on its way: who comes back in them is called lost and then back, rightly."""


class Broken(Exception):
    """An invariant does not hold."""


class Checks:
    """Looks on; raises Broken at the first breach."""

    def __init__(self, fleet: Simulation) -> None:
        self.fleet = fleet
        self.excused: dict[str, float] = {}
        """Agent -> until when a fault of its own may make it look lost."""
        self.hindered: dict[str, float] = {}
        """Agent -> until when a fault of its own may have it try hub after hub; longer than three periods is lost."""
        self.done: dict[str, tuple[str, int]] = {}
        self.epochs: dict[tuple[str, int], int] = {}
        self.lost_at: dict[str, float] = {}
        self.acts = self.polls = self.losses = 0
        fleet.store.judging = self.judged

    def fail(self, text: str) -> None:
        self.fleet.world.tell(f"BROKEN: {text}")
        raise Broken(text)

    def act(self, hub: Hub, agent: str) -> bool:
        """A hub is about to act for an agent."""
        self.acts += 1
        others = [other.name for other in self.fleet.hubs.values() if other is not hub and other.acts_for(agent)]
        if others:
            self.fail(f"{hub.name} acts for {agent}, and so does {others[0]}")
        return True

    def poll(self, hub: Hub, engine: str) -> None:
        self.polls += 1
        for other in self.fleet.hubs.values():
            if other is not hub and engine in other.polled and other.may_act():
                self.fail(f"{hub.name} polls {engine}, and so does {other.name}")

    def judged(self, hub: str, agent_name: str) -> None:
        """The store is about to agree that an agent is lost."""
        agent, now = self.fleet.agents[agent_name], self.fleet.world.now
        self.losses += 1
        self.lost_at[agent_name] = now
        if agent.ended:
            return
        away = self.hindered.get(agent_name, 0.0) >= now and self._silent(agent)
        if self.excused.get(agent_name, 0.0) < now and self._reaches(agent_name) and not away:
            self.fail(f"{hub} calls {agent_name} lost, which is alive and was never cut off from every hub")
        server = self.fleet.hubs.get(agent.served_by)
        near = TRAVEL < now - agent.served_at < 1.2 * self.fleet.period
        if near and server and server.may_act() and self.fleet.steady_since(server.name) < agent.served_at:
            self.fail(f"{hub} calls {agent_name} lost, which {server.name} served {now - agent.served_at:.2f} s ago")

    def _silent(self, agent: Agent) -> bool:
        """Whether no hub heard it for three periods, until just now at the most."""
        now = self.fleet.world.now
        before = [at for at in agent.hearings if at < now - TRAVEL]
        return not before or now - before[-1] >= LOST_AFTER * self.fleet.period

    def _reaches(self, agent: str) -> bool:
        """Whether there is a hub that the agent and the store can talk to."""
        joined, hubs = self.fleet.world.joined, self.fleet.hubs.values()
        up = (hub.name for hub in hubs if hub.alive and not hub.paused)
        return any(joined(agent, hub) and joined(hub, "store") for hub in up)

    def executed(self, agent: Agent, id: str, epoch: int) -> None:
        if id in self.done:
            self.fail(f"{id} was executed by {self.done[id]} and by {(agent.name, agent.boot)}")
        self.done[id] = (agent.name, agent.boot)
        last = self.epochs.get((agent.name, agent.boot), 0)
        if epoch < last:
            self.fail(f"{agent.name} obeyed epoch {epoch} after {last}")
        self.epochs[agent.name, agent.boot] = epoch

    def births(self, hub: str, before: int, born: int) -> None:
        if born <= before:
            self.fail(f"{hub} took epoch {born} after {before}")

    def finish(self) -> None:
        """The end, long after the last fault."""
        state, calm = self.fleet.store.state, self.fleet.calm
        for agent in self.fleet.agents.values():
            seen = state.seen.get(agent.name)
            if agent.ended:
                self._vanished(agent, calm)
                continue
            kept = state.durable.get((agent.name, agent.boot), 0)
            if kept < agent.settled_seq:
                self.fail(f"{agent.name} had {agent.settled_seq} facts, {kept} are stored")
            if seen is None or seen.presence is not Presence.LIVE:
                self.fail(f"{agent.name} is alive, the store says {seen}")
        told: dict[str, Presence] = {}
        for name, presence, _ in state.reports:
            if told.get(name) is presence:
                self.fail(f"{name} was told {presence} twice in a row")
            told[name] = presence

    def _vanished(self, agent: Agent, calm: float) -> None:
        seen = self.fleet.store.state.seen.get(agent.name)
        if seen is None:
            return
        if seen.presence is not Presence.LOST:
            self.fail(f"{agent.name} vanished at {agent.ended_at:.1f} and was not called lost")
        late = self.lost_at[agent.name] - max(agent.ended_at, calm)
        if late > BOUND + BOUND_PERIODS * self.fleet.period:
            self.fail(
                f"{agent.name} vanished at {agent.ended_at:.1f} and was called lost {late:.1f} s after the last fault"
            )
