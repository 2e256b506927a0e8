"""Some seeds of the cluster's simulation; script/prove simulate runs many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.rendezvous import Homes, ranking
from hub.cluster.rows import LeaseRow
from tests.prove.simulate import Immortal
from tests.sim.cluster.__main__ import main
from tests.sim.cluster.agent import Agent
from tests.sim.cluster.checks import Broken
from tests.sim.cluster.faults import KINDS, Fault
from tests.sim.cluster.fleet import Simulation, Size, shrink, story
from tests.sim.cluster.hub import Hub
from tests.sim.cluster.ranked import RankedHomes, Rankings
from wire.places import Places


@pytest.mark.parametrize("seed", range(8))
def test_three_hubs_under_faults(seed: int) -> None:
    checks = Simulation(seed, Size(3, 60, 12)).run()
    assert checks.acts > 0 and checks.done


@pytest.mark.parametrize("seed", range(2))
def test_ten_hubs_under_faults(seed: int) -> None:
    assert Simulation(seed, Size(10, 100, 20)).run().done


def test_a_row_that_a_failover_put_back_gives_no_second_home() -> None:
    assert Simulation(474, Size(10, 60, 20)).run().done


def test_a_thousand_agents() -> None:
    assert Simulation(7, Size(10, 1000, 10, 20.0)).run().done


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_fault_alone(kind: str) -> None:
    faults = [Fault(kind, 30.0, 8.0, (1, 2, 3, 4))]
    assert Simulation(1, Size(3, 30, seconds=20.0), faults).run().done


def test_without_faults_who_vanishes_is_lost_after_three_periods() -> None:
    simulation = Simulation(3, Size(3, 30, 0, 20.0))
    simulation.world.at(30.0, simulation.vanish, "a7")
    checks = simulation.run()
    assert 4.0 <= checks.lost_at.pop("a7") - 30.0 <= 7.0
    assert checks.lost_at == {}


def test_a_seed_tells_the_same_story_twice() -> None:
    runs = [Simulation(5, Size(3, 30, 12, 30.0)) for _ in range(2)]
    for run in runs:
        run.run()
    assert runs[0].world.story == runs[1].world.story
    assert runs[0].world.count == runs[1].world.count


def test_a_hub_that_acts_without_its_lease_is_noticed_and_shrunk() -> None:
    size = Size(3, 30, 12)
    seed = next(seed for seed in range(20) if story(seed, size, None, Immortal))
    faults, told = shrink(seed, size, Immortal)
    assert 1 <= len(faults) <= 3 and "BROKEN" in told[-1]


def test_who_leaves_its_hub_before_another_lets_it_in_is_lost_falsely(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was until a soak found it: all hubs lose sight of the store, send agents away, and answer no newcomer."""
    monkeypatch.setattr(Agent, "knock", Agent.visit)
    monkeypatch.setattr(Hub, "turn_away", lambda hub, agent, number, away=True: None)
    told = story(3, Size(3, 60, 12))
    assert "which is alive and was never cut off from every hub" in told[-1]


@pytest.mark.parametrize("waits", [False, True])
def test_a_link_that_dies_while_its_hub_is_stopped_finds_another(waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`waits`: for a hub that takes the connection, as for one that is busy."""
    if waits:
        monkeypatch.setattr(Places, "returning", lambda places: None)
    simulation = Simulation(1, Size(3, 30, 0, 40.0), [Fault("pause hub", 30.0, 14.0, (0, 0, 0, 0))])
    agents = simulation.agents.values()
    simulation.world.at(32.0, lambda: [one.relink() for one in agents if one.places.at == "h0"])
    if waits:
        with pytest.raises(Broken):
            simulation.run()
    else:
        assert not simulation.run().lost_at


def test_one_seed_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["4", "--agents", "20", "--faults", "4", "--seconds", "20", "--story"]) == 0
    assert "seed 4 holds" in capsys.readouterr().out


@given(st.lists(st.sets(st.sampled_from([f"h{n}" for n in range(8)]), min_size=1), min_size=1, max_size=6), st.data())
def test_the_shared_table_of_homes_says_what_the_hubs_own_does(lists: list[set[str]], data: st.DataObject) -> None:
    agents = [f"a{number}" for number in range(20)]
    own, shared = Homes(), RankedHomes(Rankings([f"h{n}" for n in range(8)], 5, agents))
    for number, there in enumerate(lists):
        rows = tuple(LeaseRow(hub, 1, capacity=5, draining=data.draw(st.booleans())) for hub in sorted(there))
        moved = own.update(rows)
        assert shared.update(rows) == moved
        if not number:
            own.add(dict.fromkeys(agents, 0.0))
            shared.add(dict.fromkeys(agents, 0.0))
        assert shared.of == own.of
        assert all(shared.rankings.ranking(one, rows) == ranking(one, 0.0, rows) for one in agents)
