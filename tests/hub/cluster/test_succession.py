"""A roll whose hub dies or loses its lease is gone on with by another one, and no command is carried out twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.linkedhubs import Linked, LinkedHubs, commands
from wire import messages as M
from wire.model import CommandState


@pytest.fixture
def crew(tmp_path: Path) -> LinkedHubs:
    found = LinkedHubs(tmp_path)
    for number in range(6):
        found.hubs[0].hello(found.hubs[0].agent(f"shop-{number}", "web"))
    for _ in range(6):
        beat(found)
    return found


def roll(hub: Linked, **args: object) -> object:
    return hub.query("roll", verb="restart", targets=["shop-*/web"], id="r1", at_a_time=2, **args)


class Agents:
    """All at hub-0, each with the memory of a PID 1."""

    def __init__(self, hub: Linked) -> None:
        self.hub, self.carried_out = hub, Counter[str]()
        self.seen = 0

    def work(self, most: int = 100) -> None:
        """Carry out what came, and tell; what is known already is only told."""
        fresh = commands(self.hub)[self.seen :][:most]
        self.seen += len(fresh)
        for command in fresh:
            if not self.carried_out[command.id]:
                self.carried_out[command.id] += 1
            agent = self.hub.core.orders.router.get(command.id).agent
            self.hub.ask("agents", agent, M.Progress(command.id, CommandState.DONE, {"processes": []}, None, 0.0))


def wait(crew: LinkedHubs, agents: Agents, seconds: float) -> None:
    """Time passes, agents beat and work."""
    for _ in range(round(seconds)):
        beat(crew)
        agents.work()


def beat(crew: LinkedHubs) -> None:
    """A second in which agents do no more than beat."""
    for agent in list(crew.hubs[0].core.fleet.routes):
        crew.hubs[0].beat(agent)
    crew.wait(1.0)


def phases(crew: LinkedHubs, *hubs: Linked) -> list[tuple[str, str, int]]:
    found = [(hub.name, row) for hub in hubs for row in hub.query("rolls", all=True) if row["hub"] == hub.name]
    return [(name, str(row["phase"]), row["done"]) for name, row in found]


def stop(hub: Linked, on: bool = True) -> None:
    hub.acting = hub.reached = not on


def test_a_roll_is_listed_cancelled_and_resumed_at_any_hub(crew: LinkedHubs) -> None:
    first, second, third = crew.hubs
    agents = Agents(first)
    roll(second)
    assert [[(row["id"], row["hub"]) for row in hub.query("rolls")] for hub in crew.hubs] == [[("r1", "hub-1")]] * 3
    assert third.query("roll.cancel", id="r1")["phase"] == "cancelling"
    assert third.query("roll.cancel", id="r2").code == "unknown-command"
    wait(crew, agents, 2.0)
    assert first.query("rolls", id="r1")[0]["phase"] == "cancelled"
    assert first.query("roll.resume", id="r1")["phase"] == "running"
    wait(crew, agents, 10.0)
    assert [row[1:] for row in phases(crew, second)] == [("done", 6)]


def test_another_hub_goes_on_with_the_roll_of_a_dead_one(crew: LinkedHubs) -> None:
    first, second, third = crew.hubs
    agents = Agents(first)
    assert roll(second)["phase"] == "running"
    agents.work(1)
    stop(second)
    wait(crew, agents, 60.0)
    assert [row[1:] for row in phases(crew, first, third)] == [("done", 6)]
    assert sorted(agents.carried_out) == [f"r1.{n}" for n in range(1, 7)] and set(agents.carried_out.values()) == {1}


def test_a_hub_that_wakes_up_without_its_lease_leaves_the_roll_to_its_successor(crew: LinkedHubs) -> None:
    first, second, third = crew.hubs
    agents = Agents(first)
    roll(second)
    stop(second)
    wait(crew, agents, 60.0)
    before = crew.store.command("r1")
    stop(second, on=False)
    second.mono, second.attention = first.mono, first.attention
    wait(crew, agents, 30.0)
    assert crew.store.command("r1") == before, "it wrote nothing over the truth"
    assert [row[1:] for row in phases(crew, first, third)] == [("done", 6)]
    assert set(agents.carried_out.values()) == {1} and len(agents.carried_out) == 6


def test_a_successor_that_dies_is_succeeded(crew: LinkedHubs) -> None:
    first, second, third = crew.hubs
    agents = Agents(first)
    roll(third)
    stop(third)
    taker = None
    for _ in range(60):
        beat(crew)
        taker = next((hub for hub in (first, second) if "r1" in hub.core.rolls.rolls), None)
        if taker is not None:
            break
    assert taker is not None
    if taker is second:
        stop(second)
    wait(crew, agents, 90.0)
    living = [hub for hub in crew.hubs if hub.acting]
    assert [row[1:] for row in phases(crew, *living)] == [("done", 6)]
    assert set(agents.carried_out.values()) == {1}


def test_a_roll_goes_on_after_a_restart_of_its_hub_at_whichever_hub(crew: LinkedHubs) -> None:
    first, second, third = crew.hubs
    agents = Agents(first)
    roll(second)
    second.start()
    wait(crew, agents, 60.0)
    assert [row[1:] for row in phases(crew, first, second, third)] == [("done", 6)]
    assert set(agents.carried_out.values()) == {1} and len(agents.carried_out) == 6
