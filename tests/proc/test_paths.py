"""Paths of files and users as real images have them: missing, not writable, without a passwd entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.waiting import until

pytestmark = pytest.mark.proc

ELSEWHERE = ("sh", "-c", 'cd /proc && exec "$@"', "sh")
"""A working directory in which nobody can make a file."""


def test_missing_directories_are_made(begin: Begin, tmp_path: Path) -> None:
    new = tmp_path / "new"
    init = begin(
        f"[supervisord]\nlogfile={new}/log/s.log\npidfile={new}/run/s.pid\n"
        f"[program:web]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstdout_logfile={new}/web/out.log\n"
    )
    until(lambda: (new / "web/out.log").exists() and (new / "web/out.log").read_text() == "hello\n")
    assert (new / "run/s.pid").read_text() == "1\n"
    assert "INFO web started (pid" in (new / "log/s.log").read_text()
    assert init.stop() == 0
    assert not (new / "run/s.pid").exists()
    assert "INFO stopped in" in (new / "log/s.log").read_text()


def test_what_cannot_be_made_is_said_once_and_the_programs_run(begin: Begin) -> None:
    init = begin(
        "[supervisord]\nlogfile=/proc/no/s.log\npidfile=/proc/no/s.pid\n"
        "[program:web]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstdout_logfile=/proc/no/web.log\n"
    )
    init.wait_state("web", "RUNNING")
    for path in ("/proc/no/s.log", "/proc/no/s.pid", "/proc/no/web.log"):
        assert len(init.wait_said(f"cannot write .*{path}")) == 1
    assert b"hello" in bytes(init.ask("tail", name="web")["text"], "utf-8")


def test_the_default_pidfile_is_no_matter(begin: Begin) -> None:
    init = begin("[supervisord]\n[program:web]\ncommand=sleep 1000\n", wrapper=ELSEWHERE)
    init.wait_state("web", "RUNNING")
    assert "pidfile" not in init.said()


def test_a_number_for_initd_and_another_for_a_program(begin: Begin) -> None:
    init = begin("[supervisord]\npidfile=/dev/null\n[program:who]\ncommand=id -u\nuser=54321\nstartsecs=0\n")
    init.wait_out("54321")
    low = begin("[supervisord]\nuser=54322\n[program:who]\ncommand=id -u\nstartsecs=0\n", wrapper=ELSEWHERE)
    low.wait_out("54322")


def test_a_user_who_is_not_here_is_refused_at_the_start(begin: Begin) -> None:
    init = begin("[supervisord]\n[program:who]\ncommand=id\nuser=nobody-here\n")
    assert init.wait() == 2
    assert "app.ini:4: user: there is no user 'nobody-here' here" in init.said()
