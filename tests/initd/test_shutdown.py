"""The end of everything, in virtual time: order, budget, force, sweep."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from initd.events import Asked
from initd.sweep import Leftover
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.model import State

TERM, KILL, CONT = signal.SIGTERM, signal.SIGKILL, signal.SIGCONT
BY_TERM = Asked("signal TERM", "shutdown")


def up(*programs: Any, budget: float | None = None, slow: float | None = 0.0) -> Simulated:
    """Everything running; each process takes `slow` seconds to obey TERM (None: it never does)."""
    sim = Simulated(*programs, budget=budget)
    sim.kernel.delays = {TERM: slow}
    return sim.start().run(2)


def stopped_order(sim: Simulated) -> list[str]:
    names = {process.pid: process for process in sim.kernel.spawned}
    orders = [names[pid].order for _, pid, signum, _ in sim.kernel.sent if signum == TERM and pid in names]
    return [order.environ["SUPERVISOR_PROCESS_NAME"] for order in orders if order is not None]


def shut_down(sim: Simulated, seconds: float = 60.0) -> float:
    """Ask for it; how long it took."""
    asked = sim.loop.now()
    sim.supervisor.shutdown(BY_TERM)
    sim.run(seconds)
    return sim.loop.now() - asked


def test_an_obedient_fleet_stops_at_once() -> None:
    sim = up(program("a"), program("b"))
    assert shut_down(sim) == 0
    assert sim.loop.code == 0
    assert sim.states() == {"a": State.STOPPED, "b": State.STOPPED}


def test_levels_stop_in_falling_priority_one_after_the_other() -> None:
    sim = up(
        program("db", group_priority=1), program("app", group_priority=10), program("web", group_priority=20), slow=1
    )
    assert shut_down(sim) == 3
    assert stopped_order(sim) == ["web", "app", "db"]


def test_one_level_stops_together() -> None:
    assert shut_down(up(*(program(f"p{i}") for i in range(5)), slow=1)) == 1


def test_a_dying_program_of_a_later_level_is_not_restarted() -> None:
    sim = up(program("db", group_priority=1, autorestart="true"), program("web", group_priority=9), slow=2)
    sim.supervisor.shutdown(BY_TERM)
    sim.kernel.die(sim["db"].pid or 0, code=1)
    sim.run(10)
    assert sim.states()["db"] is State.EXITED
    assert len(sim.kernel.spawned) == 2


def test_what_is_backing_off_is_given_up() -> None:
    sim = Simulated(program("bad", startsecs=5), program("web")).start()
    sim.kernel.die(sim["bad"].pid or 0, code=1)
    sim.kernel.delays = {}
    shut_down(sim)
    assert sim.states()["bad"] is State.FATAL
    assert len(sim.kernel.spawned) == 2


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_the_stubborn_are_killed_inside_dockers_ten_seconds(levels: int) -> None:
    sim = up(*(program(f"p{i}", group_priority=i) for i in range(levels)), slow=None)
    assert shut_down(sim) <= 9.0
    assert sim.loop.code == 0
    assert "had to kill: p0 (pid 101)" in sim.voice.lines[-1]


def test_an_explicit_wait_is_honoured() -> None:
    sim = up(program("db", stopwaitsecs=30, stopwaitsecs_given=True), slow=25)
    assert shut_down(sim) == 25
    assert KILL not in sim.kernel.spawned[0].signals


def test_a_short_wait_is_not_stretched_to_the_budget() -> None:
    sim = up(program("a", stopwaitsecs=2, stopwaitsecs_given=True), slow=None)
    assert shut_down(sim) == 2


def test_a_given_budget_squeezes_all() -> None:
    sim = up(program("db", stopwaitsecs=60, stopwaitsecs_given=True), budget=5, slow=None)
    assert shut_down(sim) == 4


def test_a_process_that_kill_cannot_end_does_not_hold_us() -> None:
    sim = up(program("stuck"), program("later", group_priority=1))
    sim.kernel.spawned[0].delays = {TERM: None, KILL: None}
    assert shut_down(sim) <= 9.8
    assert sim.loop.code == 0
    assert TERM in sim.kernel.spawned[1].signals
    assert any(line.startswith("not waiting for stuck") for line in sim.voice.lines)


def test_cont_follows_the_stop_signal_of_whoever_is_still_there() -> None:
    sim = up(program("web"), slow=0.5)
    shut_down(sim)
    assert sim.kernel.spawned[0].signals == [TERM, CONT]


def test_the_dead_are_not_told_again() -> None:
    sim = up(program("web"))
    shut_down(sim)
    assert sim.kernel.spawned[0].signals == [TERM]


def test_a_second_term_kills_at_once() -> None:
    sim = up(program("web"), slow=None)
    sim.supervisor.shutdown(BY_TERM)
    sim.run(1)
    sim.supervisor.shutdown(BY_TERM, by_force=True)
    sim.run(0.5)
    assert sim.loop.code == 0
    assert sim.kernel.spawned[0].signals[-1] == KILL
    assert sim["web"].program.state is State.STOPPED


def test_strays_get_term_and_time() -> None:
    sim = up(program("web"))
    stray = sim.kernel.stray({TERM: 0.3})
    assert shut_down(sim) == pytest.approx(0.3, abs=0.06)
    assert stray.signals == [TERM, CONT]


def test_stubborn_strays_are_killed_and_named() -> None:
    sim = up(program("web"))
    stray = sim.kernel.stray({TERM: None})
    assert shut_down(sim) <= 1.0
    assert stray.signals == [TERM, CONT, KILL]
    assert f"had to kill: stray (pid {stray.pid})" in sim.voice.lines[-1]


def with_companion(seconds: float | None, **options: Any) -> tuple[Simulated, Any]:
    """Everything running, and a child that needs so long to write down what it knows."""
    sim = up(program("web"), **options)
    companion = sim.kernel.stray({TERM: seconds})
    sim.supervisor.companions.append(companion)
    return sim, companion


def test_who_has_something_to_write_down_gets_more_time_than_strays() -> None:
    sim, companion = with_companion(2.5)
    stray = sim.kernel.stray({TERM: None})
    assert shut_down(sim) == pytest.approx(2.5, abs=0.06)
    assert companion.signals == [TERM, CONT] and stray.signals == [TERM, CONT, KILL]


@pytest.mark.parametrize(("budget", "most"), [(None, 4.5), (2.0, 2.0), (0, 0.6)])
def test_its_time_has_a_limit_inside_the_budget(budget: float | None, most: float) -> None:
    sim, companion = with_companion(None, budget=budget)
    assert shut_down(sim) <= most
    assert companion.signals[-1] == KILL


def test_force_spares_nobody() -> None:
    sim, companion = with_companion(None)
    sim.supervisor.shutdown(BY_TERM)
    sim.run(1.0).supervisor.shutdown(BY_TERM, by_force=True)
    assert companion.signals[-1] == KILL


def test_no_budget_left_means_no_grace_for_strays() -> None:
    sim = up(program("web"), budget=0, slow=None)
    stray = sim.kernel.stray({TERM: None})
    assert shut_down(sim) <= 0.6
    assert KILL in stray.signals


def test_an_empty_house_closes_at_once() -> None:
    assert shut_down(Simulated()) == 0


def test_a_reload_keeps_every_programs_own_wait_and_then_calls_back() -> None:
    sim = up(program("a", stopwaitsecs=15), program("b", group_priority=1, stopwaitsecs=3), slow=None)
    called: list[float] = []
    asked = sim.loop.now()
    sim.supervisor.reload(ME, lambda: called.append(sim.loop.now() - asked))
    sim.run(60)
    assert called == [18]
    assert sim.loop.code is None
    assert sim.supervisor.state == "running"


def test_a_shutdown_overtakes_a_reload() -> None:
    sim = up(program("a"), slow=None)
    called: list[int] = []
    sim.supervisor.reload(ME, lambda: called.append(1))
    sim.run(1)
    assert shut_down(sim) <= 9
    assert (called, sim.loop.code) == ([], 0)


def test_a_reload_during_a_shutdown_is_ignored() -> None:
    sim = up(program("a"), slow=3)
    sim.supervisor.shutdown(BY_TERM)
    sim.supervisor.reload(ME, lambda: pytest.fail("called"))
    sim.run(10)
    assert sim.loop.code == 0


def test_no_timer_is_left_behind() -> None:
    sim = up(program("a"), program("b", group_priority=1), slow=1)
    sim.kernel.stray({TERM: 0.2})
    shut_down(sim)
    assert sim.loop.pending == 0


def test_only_those_that_this_stop_killed_are_named() -> None:
    sim = up(program("db"), program("web"), slow=None)
    sim.supervisor.stop(sim["db"], BY_TERM)
    sim.run(20)
    assert sim.states()["db"] is State.STOPPED
    shut_down(sim)
    assert "had to kill: web (pid 102)" in sim.voice.lines[-1]


def test_who_is_killed_by_force_is_named_once() -> None:
    sim = up(program("web"), slow=None)
    pid = sim["web"].pid or 0
    sim.kernel.leftovers = lambda: [Leftover(pid, 1, "sleep", "S", pid, pid, 1)]  # type: ignore[method-assign]
    sim.supervisor.shutdown(BY_TERM)
    sim.supervisor.shutdown(BY_TERM)
    sim.run(20)
    assert sim.voice.lines[-1].endswith(f"had to kill: web (pid {pid})")
