"""Schedules by a clock that somebody sets, and the programs they start, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.jobs import Jobs
from initd.jobs.agenda import LATE, MISSED, NOTHING, RUN, begin, look
from initd.jobs.cron import schedule
from initd.jobs.part import Schedules
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.limits import CLOCK_BACK_SECONDS
from wire.model import State

HOURLY = schedule("0 * * * *")


def offset(at: float) -> int:
    return 0


@pytest.mark.parametrize(
    ("now", "catch_up", "expected", "following"),
    [
        (3599.0, "skip", NOTHING, 3600),
        (3600.0, "skip", RUN, 7200),
        (3600.0 + LATE, "skip", RUN, 7200),
        (3601.0 + LATE, "skip", MISSED, 7200),
        (90000.0, "skip", MISSED, 93600),
        (90000.0, "once", RUN, 93600),
        (-100.0, "skip", NOTHING, 3600),
        (-CLOCK_BACK_SECONDS - 100, "once", NOTHING, -CLOCK_BACK_SECONDS),
    ],
)
def test_a_look_at_the_clock(now: float, catch_up: str, expected: str, following: float) -> None:
    agenda, what = look(begin(HOURLY, catch_up, 10.0, offset), now, offset)
    assert (what, agenda.next_at) == (expected, following)


@given(st.lists(st.floats(-10000, 20000), max_size=30))
def test_however_the_clock_jumps_no_run_comes_twice_within_the_rule(jumps: list[float]) -> None:
    now, agenda, ran = 1e9, begin(HOURLY, "once", 1e9, offset), [0.0]
    for jump in jumps:
        due = agenda.next_at
        now += jump
        agenda, what = look(agenda, now, offset)
        assert agenda.next_at is not None
        assert agenda.next_at > now
        if what == RUN:
            assert due is not None
            assert now >= due > ran[-1]
            ran.append(due)


def test_an_interval_keeps_its_beat() -> None:
    agenda = begin(schedule("every 90s"), "skip", 1000.0, offset)
    assert agenda.next_at == 1090
    assert look(agenda, 1095.0, offset)[0].next_at == 1180
    assert look(agenda, 1400.0, offset)[0].next_at == 1450


def job(text: str, **options: object) -> Any:
    jobs = {name: options.pop(name) for name in ("timezone", "catch_up") if name in options}
    return program(
        "job",
        **{
            "autostart": False,
            "startsecs": 0,
            "startretries": 0,
            "jobs": Jobs("oneshot", schedule(text), **jobs),
            **options,
        },
    )  # type: ignore[arg-type]


def start(one: Any, monkeypatch: pytest.MonkeyPatch) -> Simulated:
    monkeypatch.setattr("initd.jobs.alarm._make_timerfd", lambda: -1)
    sim = Simulated(one)
    sim.shift = 0.0  # type: ignore[attr-defined]
    sim.kernel.wall = lambda: 1.6e9 + sim.loop.now() + sim.shift  # type: ignore[attr-defined, method-assign]
    part = Schedules(sim.supervisor)
    assert sim.supervisor.config is not None
    part.adopt(sim.supervisor.config)
    sim.part = part  # type: ignore[attr-defined]
    return sim.start()


def finish(sim: Simulated) -> None:
    pid = sim["job"].pid
    assert pid is not None
    sim.kernel.die(pid, 0)
    sim.run(0)


def runs(sim: Simulated) -> int:
    return sim["job"].program.spawns


def test_it_is_started_at_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("*/10 * * * *"), monkeypatch)
    assert sim["job"].why == "next run 2020-09-13 12:50:00 UTC"
    sim.run(400)  # it is 12:43:20 at first
    assert runs(sim) == 1
    finish(sim)
    assert sim["job"].why == "exit status 0; next run 2020-09-13 13:00:00 UTC"
    sim.run(600)
    assert runs(sim) == 2
    assert sim["job"].program.wisher.actor == "schedule"


def test_a_run_that_waits_for_others_is_not_called_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("* * * * *"), monkeypatch)
    sim.supervisor.gates.append(lambda process: "waits for db:ready" if process.name == "job" else "")
    sim.run(200)
    assert runs(sim) == 0
    assert any("job: its last run still waits for db:ready, this one is skipped" in line for line in sim.voice.lines)


def test_runs_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("* * * * *"), monkeypatch)
    sim.run(600)
    assert runs(sim) == 1
    assert sum("skipped" in line for line in sim.voice.lines) >= 8
    finish(sim)
    sim.run(60)
    assert runs(sim) == 2


def test_an_interval_starts_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("every 90s"), monkeypatch)
    sim.run(89)
    assert runs(sim) == 0
    for _ in range(3):
        sim.run(2)
        finish(sim)
        sim.run(88)
    assert runs(sim) == 3


@pytest.mark.parametrize(("catch_up", "expected"), [("skip", 0), ("once", 1)])
def test_a_clock_set_forward(monkeypatch: pytest.MonkeyPatch, catch_up: str, expected: int) -> None:
    sim = start(job("0 * * * *", catch_up=catch_up), monkeypatch)
    sim.shift = 5 * 3600.0  # type: ignore[attr-defined]
    sim.run(61)
    assert runs(sim) == expected
    assert "18:00:00" in sim["job"].why or expected


def test_a_clock_set_back_a_little_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("0 * * * *"), monkeypatch)
    sim.run(1100)
    finish(sim)
    sim.shift = -3000.0  # type: ignore[attr-defined]
    sim.run(3600)
    assert runs(sim) == 1


def test_start_and_stop_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("0 * * * *"), monkeypatch)
    sim.supervisor.start(sim["job"], ME)
    sim.run(1)
    sim.supervisor.stop(sim["job"], ME)
    assert sim.run(1)["job"].program.state is State.STOPPED
    sim.run(1100)
    assert runs(sim) == 2


def test_a_schedule_that_is_the_same_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("every 90s"), monkeypatch)
    sim.run(50)
    assert sim.supervisor.config is not None
    sim.part.adopt(sim.supervisor.config)  # type: ignore[attr-defined]
    sim.run(41)
    assert runs(sim) == 1


def test_a_schedule_that_is_gone_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("every 90s"), monkeypatch)
    sim["job"].config = program("job", autostart=False)
    assert sim.supervisor.config is not None
    sim.part.adopt(sim.supervisor.config)  # type: ignore[attr-defined]
    sim.run(1000)
    assert runs(sim) == 0
    assert sim.loop.pending == 0


def test_a_shutdown_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start(job("* * * * *"), monkeypatch)
    sim.supervisor.shutdown(ME)
    sim.run(200)
    assert runs(sim) == 0
