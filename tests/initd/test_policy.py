"""What a program's end means for the container: every outcome with the status it leaves with, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from initd.config.topics.jobs import Jobs
from initd.config.topics.policy import Policy
from initd.errors import StartFailed
from initd.policy import Policies
from tests.sim.machine import ME, Simulated, config_of
from tests.support.programs import program
from wire.model import State

ESSENTIAL = Policy(True, "shutdown", "shutdown")


class Settings:
    """What the part reads of [initd]."""

    def __init__(self, exit_code_from: str | None = None, exit_when_done: str = "auto") -> None:
        self.exit_code_from = exit_code_from
        self.exit_when_done = exit_when_done


def begin(*programs: Any, named: str | None = None, done: str = "auto") -> Simulated:
    """All started; each has had its first second."""
    sim = Simulated(*programs)
    config = config_of(*programs)._replace(daemon=Settings(named, done))  # type: ignore[arg-type]
    part = sim.part = Policies(sim.supervisor)  # type: ignore[attr-defined]
    part.adopt(config)
    return sim.start().run(2)


def end(sim: Simulated, name: str, code: int = 0, signal: int | None = None) -> Simulated:
    pid = sim[name].pid
    assert pid is not None
    sim.kernel.die(pid, code, signal)
    return sim.run(30)


def oneshot(name: str, **options: object) -> Any:
    return program(name, jobs=Jobs(type="oneshot"), startsecs=0, startretries=0, **options)


def essential(name: str = "web", **options: object) -> Any:
    return program(name, **{"policy": ESSENTIAL, "autorestart": "false", **options})


@pytest.mark.parametrize(("code", "signal", "status"), [(0, None, 0), (3, None, 3), (0, 9, 137), (0, 15, 143)])
def test_the_end_of_an_essential_program_ends_all(code: int, signal: int | None, status: int) -> None:
    sim = end(begin(essential(), program("other")), "web", code, signal)
    assert sim.loop.code == status


def test_a_program_that_nobody_called_essential_ends_nothing() -> None:
    assert end(begin(program(autorestart="false"), program("other")), "web", 3).loop.code is None


def test_an_essential_program_that_is_restarted_ends_nothing() -> None:
    sim = end(begin(essential(autorestart="unexpected")), "web", 3)
    assert sim.loop.code is None
    assert end(sim, "web", 0).loop.code == 0


def test_who_stops_an_essential_program_knows_why() -> None:
    sim = begin(essential(), program("other"))
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(60).loop.code is None


def test_a_stop_after_its_end_is_no_second_end() -> None:
    sim = end(begin(program(policy=Policy(False, "ignore", "shutdown"), autorestart="false")), "web")
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(60).loop.code is None


@pytest.mark.parametrize(("code", "status"), [(0, 1), (7, 7)])
def test_fatal_is_at_least_one(code: int, status: int) -> None:
    sim = begin(essential(startretries=0, startsecs=5))
    assert end(sim, "web", code).loop.code == status


def test_what_cannot_be_started_is_one() -> None:
    sim = Simulated(essential(startretries=0))
    sim.kernel.failures = [StartFailed("exec", 2, "web")]
    Policies(sim.supervisor).adopt(config_of(*sim.supervisor.config.programs))  # type: ignore[union-attr]
    assert sim.start().run(30).loop.code == 1


def test_on_fatal_restart_tries_again_after_a_pause() -> None:
    sim = begin(program(policy=Policy(False, "ignore", "restart"), startretries=0, startsecs=5))
    sim.kernel.die(sim["web"].pid or 0, 1)
    assert sim.run(29)["web"].program.state is State.FATAL
    assert sim.run(10)["web"].program.state is State.RUNNING
    assert sim.loop.code is None


def test_news_of_the_same_end_do_not_prolong_the_pause() -> None:
    sim = begin(program(policy=Policy(False, "ignore", "restart"), startretries=0, startsecs=5))
    sim.kernel.die(sim["web"].pid or 0, 1)
    sim.run(20)
    sim.part._on_change(sim["web"])  # type: ignore[attr-defined]
    assert sim.run(15)["web"].program.spawns == 2


def test_a_start_by_hand_takes_the_place_of_the_pause() -> None:
    sim = begin(program(policy=Policy(False, "ignore", "restart"), startretries=0, startsecs=5))
    sim.kernel.die(sim["web"].pid or 0, 1)
    sim.supervisor.start(sim["web"], ME)
    sim.run(100)
    assert len(sim.kernel.spawned) == 2


def test_a_commanded_shutdown_is_zero() -> None:
    sim = begin(essential(), program("other", autorestart="false"))
    sim.supervisor.shutdown(ME)
    assert sim.run(30).loop.code == 0


def test_the_named_program_gives_the_status() -> None:
    sim = begin(program("main"), essential("other"), named="main")
    sim.kernel.delays = {}
    assert end(sim, "other", 4).loop.code == 143


def test_the_named_program_is_essential() -> None:
    sim = begin(program("main", autorestart="false"), program("other"), named="main")
    assert end(sim, "main", 5).loop.code == 5


def test_the_named_program_may_be_not_essential() -> None:
    never = Policy(False, "ignore", "ignore")
    sim = begin(program("main", autorestart="false", policy=never), program("other"), named="main")
    assert end(sim, "main", 5).loop.code is None
    sim.supervisor.shutdown(ME)
    assert sim.run(30).loop.code == 5


def test_one_shots_alone_end_by_themselves() -> None:
    sim = begin(oneshot("a"), oneshot("b"), program("c", autostart=False))
    assert end(sim, "a").loop.code is None
    assert end(sim, "b").loop.code == 0


def test_the_first_failure_is_the_status() -> None:
    sim = begin(oneshot("a"), oneshot("b"), oneshot("c"))
    end(end(sim, "b", 3), "a", 4)
    assert end(sim, "c").loop.code == 3


def test_one_shots_that_cannot_start_end_too() -> None:
    sim = Simulated(oneshot("a"), oneshot("b"))
    sim.kernel.failures = [StartFailed("exec", 2, "a"), StartFailed("exec", 2, "b")]
    Policies(sim.supervisor).adopt(config_of(*sim.supervisor.config.programs))  # type: ignore[union-attr]
    assert sim.start().run(1).loop.code == 1


def test_the_first_of_several_that_fails_at_once_does_not_end_the_others() -> None:
    sim = Simulated(oneshot("a"), oneshot("b"))
    sim.kernel.failures = [StartFailed("exec", 2, "a")]
    Policies(sim.supervisor).adopt(config_of(*sim.supervisor.config.programs))  # type: ignore[union-attr]
    assert sim.start().run(1).loop.code is None
    assert end(sim, "b").loop.code == 1


@pytest.mark.parametrize("done", ["auto", "false"])
def test_a_service_beside_them_goes_on(done: str) -> None:
    sim = begin(oneshot("a"), program("web"), done=done)
    assert end(sim, "a").loop.code is None


def test_told_not_to_it_stays() -> None:
    assert end(begin(oneshot("a"), done="false"), "a").loop.code is None


def test_told_to_it_leaves_when_services_are_done_too() -> None:
    sim = begin(program("web", autorestart="false"), program("other", autostart=False), done="true")
    assert end(sim, "web", 6).loop.code == 6


def test_a_plain_file_never_leaves_by_itself() -> None:
    sim = begin(program("web", autorestart="false"), program("gone", startretries=0, startsecs=9))
    end(sim, "gone", 1)
    assert end(sim, "web").loop.code is None


def test_an_essential_one_shot_counts_only_where_it_fails() -> None:
    migrate = program("m", policy=ESSENTIAL, jobs=Jobs(type="oneshot"), startsecs=0, startretries=0)
    sim = begin(migrate, program("web"))
    assert end(sim, "m").loop.code is None
    sim.supervisor.start(sim["m"], ME)
    assert end(sim, "m", 9).loop.code == 9


def test_the_first_reason_to_leave_counts() -> None:
    sim = begin(essential("a"), essential("b", stopwaitsecs=5))
    sim.kernel.alive[sim["b"].pid or 0].delays = {15: 2.0}
    assert end(sim, "a", 3).loop.code == 3


@pytest.mark.parametrize(
    ("options", "named", "words"),
    [
        ({}, None, "web is EXITED and essential: leaving with status 3"),
        ({"policy": Policy(False, "shutdown", "ignore")}, None, "web is EXITED and has on_exit=shutdown: leaving"),
        ({"policy": None}, "web", "web is EXITED and named by exit_code_from: leaving"),
    ],
)
def test_the_log_names_the_option_that_ends_everything(options: Any, named: str | None, words: str) -> None:
    sim = end(begin(essential(**options), program("other"), named=named), "web", 3)
    assert any(words in line for line in sim.voice.lines)
