"""The container's exit status, told by a real PID 1."""

from __future__ import annotations

import pytest

from tests.proc.conftest import Begin

pytestmark = pytest.mark.proc

SLEEPS = "[program:other]\ncommand=sleep 1000\n"


def program(name: str, script: str, *options: str) -> str:
    return "\n".join([f"[program:{name}]", f'command=sh -c "{script}"', "startsecs=0", *options, ""])


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_an_essential_program(begin: Begin, script: str, status: int) -> None:
    init = begin(SLEEPS + program("main", script, "essential=true", "autorestart=false"))
    assert init.wait() == status


def test_a_program_that_cannot_start(begin: Begin) -> None:
    init = begin(SLEEPS + "[program:main]\ncommand=/nowhere\nessential=true\nstartretries=0\n")
    assert init.wait() == 1


def test_one_shots_alone(begin: Begin) -> None:
    assert begin(program("a", "exit 0", "type=oneshot") + program("b", "exit 0", "type=oneshot")).wait() == 0


def test_the_first_failed_one_shot(begin: Begin) -> None:
    assert begin(program("a", "exit 5", "type=oneshot") + program("b", "sleep 0.3", "type=oneshot")).wait() == 5


def test_the_named_program(begin: Begin) -> None:
    head = "[supervisord]\n[initd]\nexit_code_from=main\n"
    assert begin(head + SLEEPS + program("main", "sleep 0.2; exit 9", "autorestart=false")).wait() == 9


def test_a_commanded_stop_is_zero(begin: Begin) -> None:
    init = begin(SLEEPS + program("main", "exec sleep 1000", "essential=true"))
    init.wait_state("main", "RUNNING")
    assert init.stop() == 0


def test_a_plain_file_goes_on(begin: Begin) -> None:
    init = begin(program("main", "exit 3", "autorestart=false"))
    init.wait_state("main", "EXITED")
    assert init.stop() == 0
