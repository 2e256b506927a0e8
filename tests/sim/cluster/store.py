"""The shared store of the simulation: what hub.store.base promises of hubs, agents, facts and commands, and its faults.

A call travels, is carried out in one step, and its answer travels; without an answer within ANSWER_SECONDS the caller
is told so, and does not know what became of it.  A failover puts the store back to what its replica had, except
commands: a claim is answered only when a replica has it too (WAIT), for an id that is forgotten would be carried out
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.cluster.lease import ANSWER_SECONDS
from hub.cluster.rows import LeaseRow, SeenRow, Taken
from tests.sim.cluster.world import Process, World
from wire.model import Presence

LEFT = (Presence.LOST, Presence.GONE)


class State:
    """All that is kept; rows are immutable, so a copy of the tables is a replica."""

    def __init__(self) -> None:
        self.epoch = 0
        self.leases: dict[str, LeaseRow] = {}
        self.seen: dict[str, SeenRow] = {}
        self.order: list[str] = []
        self.durable: dict[tuple[str, int], int] = {}
        self.commands: dict[str, int] = {}
        self.reports: list[tuple[str, Presence, int]] = []

    def copy(self) -> State:
        other = State()
        for name, value in vars(self).items():
            setattr(other, name, value if isinstance(value, int) else value.copy())
        return other


class Store(Process):
    """Answers hubs; `judged` and `back` are told to whoever checks."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "store")
        self.state = State()
        self.up = True
        self.generation = 0
        self.lagging = False
        self.known: dict[str, int] = {}
        self.replica = self.state
        self.judging: Callable[[str, str], None] = lambda hub, agent: None

    # -- calls -------------------------------------------------------------------------------------------------------

    def call(self, hub: Process, method: str, args: tuple[Any, ...], then: Callable[[Any, bool], None]) -> None:
        done: list[bool] = []

        def answer(value: Any, failed: bool) -> None:
            if not done:
                done.append(True)
                then(value, failed)

        def carry_out() -> None:
            broken = not self.up or self.known.get(hub.name) != self.generation
            self.known[hub.name] = self.generation
            value = None if broken else getattr(self, method)(*args)
            self.world.send(self.name, hub, answer, value, broken)

        self.world.send(hub.name, self, carry_out)
        hub.after(ANSWER_SECONDS, answer, None, True)

    def replicate(self) -> None:
        self.replica = self.state.copy()

    def fail_over(self) -> None:
        """The replica takes over: what came after `replicate` is lost, and every connection breaks."""
        commands, self.state = self.state.commands, self.replica
        self.state.commands = commands
        self.generation += 1

    # -- hubs --------------------------------------------------------------------------------------------------------

    def next_epoch(self, above: int) -> int:
        self.state.epoch = max(self.state.epoch, above) + 1
        return self.state.epoch

    def take_lease(self, row: LeaseRow, above: int) -> Taken:
        epoch = self.next_epoch(above)
        self.state.leases[row.hub] = row._replace(born=epoch, epoch=epoch)
        return Taken(epoch, self.leases())

    def renew_lease(self, row: LeaseRow, heard: Mapping[str, float] | None = None) -> tuple[LeaseRow, ...] | None:
        present = self.state.leases.get(row.hub)
        if present is None or present.born != row.born:
            return None
        self.hear_agents(row.hub, heard or {})
        self.state.leases[row.hub] = row
        return self.leases()

    def drop_lease(self, hub: str, born: int, beat: int | None = None) -> bool:
        present = self.state.leases.get(hub)
        if present is None or present.born != born or beat not in (None, present.beat):
            return False
        del self.state.leases[hub]
        return True

    def leases(self) -> tuple[LeaseRow, ...]:
        return tuple(self.state.leases[hub] for hub in sorted(self.state.leases))

    # -- agents ------------------------------------------------------------------------------------------------------

    def hear_agents(self, hub: str, heard: Mapping[str, float]) -> tuple[str, ...]:
        back = []
        for agent, at in heard.items():
            known = self.state.seen.get(agent)
            if known is None:
                self.state.order.append(agent)
                self.state.seen[agent] = SeenRow(agent, hub, at)
                continue
            if known.presence in LEFT:
                back.append(agent)
                self.state.reports.append((agent, Presence.LIVE, known.mark + 1))
            self.state.seen[agent] = SeenRow(agent, hub, max(at, known.at), known.mark + 1)
        return tuple(back)

    def judge_agent(self, judge: LeaseRow, agent: str, presence: Presence, mark: int | None = None) -> bool:
        known, hub = self.state.seen.get(agent), judge.hub
        if hub not in self.state.leases or not self.state.leases[hub].covers(judge):
            return False
        if known is None or known.presence is presence or mark not in (None, known.mark):
            return False
        if presence is Presence.LOST:
            self.judging(hub, agent)
        self.state.seen[agent] = known._replace(presence=presence)
        self.state.reports.append((agent, presence, known.mark))
        return True

    def seen(self, agents: Sequence[str]) -> dict[str, SeenRow]:
        return {agent: self.state.seen[agent] for agent in agents if agent in self.state.seen}

    def agents_after(self, position: int) -> tuple[int, list[str]]:
        """Agents that came after a position of the list: what the real hubs learn from each other's feeds."""
        return len(self.state.order), self.state.order[position:]

    # -- facts and commands ------------------------------------------------------------------------------------------

    def durable(self, agents: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return {one: self.state.durable.get(one, 0) for one in agents}

    def append_facts(self, agent: str, boot: int, first: int, last: int) -> int:
        kept = self.state.durable.get((agent, boot), 0)
        if first <= kept + 1:
            kept = self.state.durable[agent, boot] = max(kept, last)
        return kept

    def claim_command(self, id: str, boot: int) -> int:
        """The boot that this command is for: of whoever claimed it first."""
        return self.state.commands.setdefault(id, boot)
