"""What `explain` says of ends and of schedules."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from initd.backoff import Backoff
from initd.config.explain import main_check
from initd.config.outlook import exits, next_runs
from initd.config.probe import probe
from initd.config.topics.jobs import Jobs
from initd.config.topics.liveness import Liveness
from initd.config.topics.policy import Policy
from initd.config.topics.readiness import Readiness
from initd.config.topics.restarts import Restarts
from initd.jobs.cron import schedule
from tests.support.programs import program


def thens(**options: object) -> list[str]:
    return [outcome["then"] for outcome in exits(program("web", **options))]


def test_a_plain_program_ends_as_with_supervisord() -> None:
    assert thens(autorestart="false") == [
        "tried 4 times, waiting 1, 2, 3 s between, then FATAL",
        "stays down (EXITED)",
        "stays down (EXITED)",
    ]


def test_a_one_shot_is_done_or_fails() -> None:
    assert thens(jobs=Jobs("oneshot"), startretries=2) == ["done (EXITED)", "tried again 2 times, then FATAL"]


def test_an_essential_program_ends_all() -> None:
    essential = Policy(True, "shutdown", "shutdown")
    assert "everything is stopped, and initd exits with its status" in thens(policy=essential)
    assert thens(policy=essential, jobs=Jobs("oneshot"), startretries=0)[-1].endswith("at least 1")


def test_the_next_runs_are_shown_in_their_zone() -> None:
    job = program("job", jobs=Jobs("oneshot", schedule("30 2 * * *"), "Europe/Berlin"))
    now = datetime.fromisoformat("2026-03-28T12:00:00+01:00").timestamp()
    assert next_runs(job, now) == [
        "2026-03-29 03:00:00 +02:00",
        "2026-03-30 02:30:00 +02:00",
        "2026-03-31 02:30:00 +02:00",
    ]
    assert next_runs(program("web"), now) == []


def test_check_says_what_comes_first_and_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.ini"
    path.write_text(
        "[supervisord]\n[program:a]\ncommand=a\ndepends_on=db\n[program:db]\ncommand=db\n"
        "[program:web]\ncommand=web\ndepends_on=db, job:done\n"
        "[program:job]\ncommand=job\nschedule=@daily\n[program:off]\ncommand=off\nautostart=false\n"
    )
    assert main_check(["-c", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if ". " in line[:6]] == ["db", "a", "job", "off", "web"]
    assert "  5. web  web   (after db:ready, job:done)" in lines
    assert "  3. job  job   (at @daily UTC)" in lines
    assert "  4. off  off   (autostart=false)" in lines


def rows(**options: object) -> dict[str, str]:
    return {row["when"]: row["then"] for row in exits(program("web", **options))}


def test_the_shape_of_restarts_is_told() -> None:
    restarts = Restarts(Backoff(2.0, 3.0, 10.0), (5, 60.0))
    found = rows(restarts=restarts, startretries=3)
    assert "waiting 2, 6, 10 s between" in found["it ends within 1 s of its start"]
    assert found["it exits otherwise or a signal ends it"].startswith("restarted after 2 s, each time 3 times later")
    assert found["it ends 5 times in 60 s unasked"] == "FATAL"


def test_what_probes_lead_to_is_told() -> None:
    ready = Readiness(probe("tcp:localhost:80"), 60.0, 0.0, 1.0, 2.0, 1)
    live = Liveness(probe("exec:check"), 0.0, 10.0, 3.0, 3, 1, "signal:10")
    found = rows(readiness=ready, liveness=live)
    assert found["it is not ready within 60 s of its start (tcp:localhost:80)"] == "stopped; that is a failed start"
    assert found["exec:check fails 3 times in a row"] == "gets SIGUSR1"
