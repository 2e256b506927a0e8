"""Some seeds of the cluster's simulation; script/prove simulate runs many."""

from __future__ import annotations

import pytest

from tests.prove.simulate import Immortal
from tests.sim.cluster.__main__ import main
from tests.sim.cluster.faults import KINDS, Fault
from tests.sim.cluster.fleet import Simulation, Size, shrink, story


@pytest.mark.parametrize("seed", range(8))
def test_three_hubs_under_faults(seed: int) -> None:
    checks = Simulation(seed, Size(3, 60, 12)).run()
    assert checks.acts > 0 and checks.done


@pytest.mark.parametrize("seed", range(2))
def test_ten_hubs_under_faults(seed: int) -> None:
    assert Simulation(seed, Size(10, 100, 20)).run().done


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


def test_one_seed_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["4", "--agents", "20", "--faults", "4", "--seconds", "20", "--story"]) == 0
    assert "seed 4 holds" in capsys.readouterr().out
