"""What an exception cut short is found and finished: each broken truth in virtual time, and storms of MemoryErrors."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.mend import mend
from tests.sim.machine import ME, Simulated
from tests.support.programs import program as configured
from wire.model import State


class Faulty:
    """Replaces methods by ones that raise MemoryError as long as `on`, with the odds given."""

    def __init__(self, odds: float = 1.0, seed: int = 0) -> None:
        self.on, self._odds, self._dice = True, odds, Random(seed)

    def break_(self, owner: Any, name: str) -> None:
        honest: Callable[..., Any] = getattr(owner, name)

        def call(*args: Any, **options: Any) -> Any:
            if self.on and self._dice.random() < self._odds:
                raise MemoryError("injected")
            return honest(*args, **options)

        setattr(owner, name, call)


def sim_of(**options: Any) -> Simulated:
    sim = Simulated(configured("web", autorestart="true", **options))
    sim.loop.menders.append(lambda: mend(sim.supervisor))
    return sim


def test_nothing_is_mended_where_nothing_is_broken() -> None:
    sim = sim_of().start().run(2)
    before = (sim["web"].program, len(sim.kernel.spawned), sim.changes())
    sim.loop.mend()
    assert (sim["web"].program, len(sim.kernel.spawned), sim.changes()) == before


def test_a_deadline_without_a_timer_is_armed() -> None:
    sim = sim_of(startsecs=5).start()
    timer = sim["web"].timer
    assert timer is not None
    timer.cancel()
    sim.loop.mend()
    assert sim.run(6)["web"].program.state is State.RUNNING


def test_a_death_that_was_reaped_and_not_told_is_told() -> None:
    sim = sim_of().start().run(2)
    pid = sim["web"].pid
    assert pid is not None
    del sim.kernel.alive[pid]
    sim.loop.mend()
    assert sim.exits()[-1].pid is None or sim.exits()[-1].code == 255
    assert sim["web"].pid not in (None, pid)


def test_a_start_that_was_never_answered_has_failed() -> None:
    sim = sim_of()
    faulty = Faulty()
    faulty.break_(sim.kernel, "start_ticks")
    sim.start()
    faulty.on = False
    sim.loop.mend()
    sim.run(60)
    assert sim["web"].program.state is State.RUNNING
    assert list(sim.kernel.alive) == [sim["web"].pid]


def test_a_ward_whose_death_was_lost_hears_of_it() -> None:
    sim, heard = sim_of(), []
    sim.supervisor.register(4711, heard.append)
    sim.loop.mend()
    assert [death.pid for death in heard] == [4711]


PLACES = [
    ("loop", "at"),
    ("kernel", "judge"),
    ("kernel", "start_ticks"),
    ("journal", "append"),
    ("output", "open"),
    ("output", "drain"),
    ("voice", "say"),
]


@pytest.mark.parametrize("where", PLACES)
@given(seed=st.integers(0, 2**32), odds=st.floats(0.05, 0.6))
def test_after_any_storm_the_program_runs_again(where: tuple[str, str], seed: int, odds: float) -> None:
    sim, faulty = sim_of(startsecs=1, startretries=1000), Faulty(odds, seed)
    owner = getattr(sim, where[0])
    sim.start().run(2)
    faulty.break_(owner, where[1])
    for _ in range(6):
        try:
            for pid in tuple(sim.kernel.alive):
                sim.kernel.die(pid, signal=9)
            sim.run(1.5)
        except MemoryError:
            pass  # the loop catches it
    faulty.on = False
    for _ in range(4):
        sim.loop.mend()
        sim.run(600)
    assert sim["web"].program.state is State.RUNNING
    assert list(sim.kernel.alive) == [sim["web"].pid]
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(20)["web"].program.state is State.STOPPED
