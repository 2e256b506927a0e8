"""What `explain` says of ends and of schedules."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from initd.config.explain import main_check
from initd.config.outlook import exits, next_runs
from initd.config.topics.jobs import Jobs
from initd.config.topics.policy import Policy
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
        "[supervisord]\n[program:db]\ncommand=db\n[program:web]\ncommand=web\ndepends_on=db, job:done\n"
        "[program:job]\ncommand=job\nschedule=@daily\n[program:off]\ncommand=off\nautostart=false\n"
    )
    assert main_check(["-c", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  4. web  web   (after db:ready, job:done)" in lines
    assert "  2. job  job   (at @daily UTC)" in lines
    assert "  3. off  off   (autostart=false)" in lines
