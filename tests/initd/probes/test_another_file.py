"""Probes that change while programs run: liveness at once, readiness from the next start on, and nobody is stuck."""

from __future__ import annotations

from typing import Any

from initd.config.probe import probe
from initd.probes.part import Probes
from initd.reload.changeover import redefine
from tests.initd.probes.test_part import Canned, begin, liveness, readiness, state
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.model import Cause, State


def change(sim: Simulated, part: Probes, one: Any) -> Simulated:
    redefine(sim["web"], one)
    assert sim.supervisor.config is not None
    part.adopt(sim.supervisor.config)
    return sim


def test_who_starts_has_nothing_to_wait_for_when_its_probe_is_gone() -> None:
    sim, looks, part = begin(readiness(), Canned(then="refused"))
    assert state(sim.run(5)) is State.STARTING
    assert state(change(sim, part, program("web"))) is State.RUNNING
    asked = len(looks.asked)
    sim.run(100)
    assert (state(sim), len(looks.asked), sim["web"].program.spawns) == (State.RUNNING, asked, 1)


def test_a_new_readiness_probe_counts_from_the_next_start_on() -> None:
    sim, looks, part = begin(program("web", startsecs=5), Canned(then="refused"))
    change(sim.run(2), part, readiness())
    assert state(sim.run(50)) is State.RUNNING and looks.asked == []
    sim.supervisor.restart(sim["web"], ME)
    assert state(sim.run(30)) is State.STARTING and looks.asked != []


def test_another_readiness_probe_leaves_the_present_start_alone() -> None:
    sim, _, part = begin(readiness(within=10), Canned(then="refused"))
    change(sim.run(3), part, readiness(probe("exists:/x"), within=100))
    record = sim.run(8)["web"].last_exit
    assert record is not None and "tcp:127.0.0.1:1" in record.why and record.run_time == 10


def test_another_liveness_probe_counts_at_once() -> None:
    sim, _, part = begin(program("web"), Canned(then="refused"))
    change(sim.run(5), part, liveness(interval=1, failures=2))
    sim.run(1.5)
    assert sim["web"].last_exit is not None and sim["web"].last_exit.cause is Cause.PROBE


def test_a_liveness_probe_that_is_gone_is_forgotten() -> None:
    sim, looks, part = begin(liveness(action="ignore", interval=1, failures=1), Canned(then="refused"))
    assert sim.run(5)["web"].ailing
    change(sim, part, program("web"))
    asked = len(looks.asked)
    sim.run(50)
    assert (sim["web"].ailing, sim["web"].why, len(looks.asked)) == ("", "", asked)


def test_a_watchdog_is_for_those_who_have_an_address() -> None:
    sim, _, part = begin(program("web"))
    change(sim.run(5), part, liveness(probe("watchdog"), interval=1, failures=1))
    sim.run(60)
    assert sim["web"].program.spawns == 1
