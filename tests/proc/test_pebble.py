"""What pebble's tests ask of a service manager, where it applies to initd."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import Pid1
from tests.support.procfs import children, descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SLEEPER = "command=sleep 1000\nstartsecs=0\n"


def pid_of(init: Pid1, name: str) -> int:
    return int(init.wait_state(name, "RUNNING")["pid"])


def test_starting_what_runs_and_stopping_what_is_down_changes_nothing(begin: Begin) -> None:
    init = begin(f"[program:a]\n{SLEEPER}[program:b]\n{SLEEPER}autostart=false\n")
    before = pid_of(init, "a")
    init.ask("start", names=["a"], wait=10)
    init.ask("stop", names=["b"], wait=10)
    assert pid_of(init, "a") == before


def test_a_stop_right_after_the_start_is_obeyed(begin: Begin) -> None:
    """Inside the time in which a start is not yet taken for good."""
    init = begin("[program:x]\ncommand=sleep 1000\nstartsecs=30\n")
    init.wait_state("x", "STARTING")
    init.ask("stop", names=["x"], wait=10)
    assert init.wait_state("x", "STOPPED")["pid"] is None


def test_the_kill_delay_is_honoured(begin: Begin) -> None:
    """Trap and sleep: what ends within its time is not killed."""
    init = begin("[program:x]\ncommand=sh -c 'trap \"sleep 1; exit 5\" TERM; echo up; while :; do sleep 0.05; done'\n")
    init.wait_out("up")
    init.ask("stop", names=["x"], wait=20)
    assert init.exits(1)[0]["code"] == 5


def test_a_stop_during_backoff_ends_it(begin: Begin) -> None:
    init = begin("[program:x]\ncommand=sh -c 'exit 1'\nstartsecs=30\nbackoff=20\n")
    init.wait_state("x", "BACKOFF")
    init.ask("stop", names=["x"], wait=10)
    init.wait_state("x", "STOPPED")


def test_a_crash_is_followed_by_a_new_process(begin: Begin) -> None:
    init = begin(f"[program:x]\n{SLEEPER}autorestart=true\n")
    first = init.children()[0] if init.wait_state("x", "RUNNING") else 0
    os.kill(first, signal.SIGKILL)
    until(lambda: init.children() not in ([], [first]))


def test_a_fast_exit_is_reported_with_its_last_lines(begin: Begin) -> None:
    init = begin("[program:x]\ncommand=sh -c 'for i in 1 2 3; do echo line $i; done; exit 3'\nstartretries=0\n")
    [record] = init.exits(1)
    assert record["code"] == 3
    assert [line.rstrip() for line in record["last_lines"]] == ["line 1", "line 2", "line 3"]


def test_a_bad_command_harms_no_other(begin: Begin) -> None:
    init = begin(f"[program:bad]\ncommand=/no/such/file\nstartretries=0\n[program:good]\n{SLEEPER}")
    init.wait_state("bad", "FATAL")
    init.wait_state("good", "RUNNING")


ZOMBIE = "sh -c '(sleep 0.2; exit 0) & exec sleep 0.4'"


def test_a_zombie_left_by_a_service_is_reaped(begin: Begin) -> None:
    """The service makes a child that becomes a zombie, and exits: the grandchild must vanish."""
    init = begin(f"[program:x]\ncommand={ZOMBIE}\nstartsecs=0\nautorestart=false\n[program:y]\n{SLEEPER}")
    init.wait_state("x", "EXITED")
    until(lambda: len(list(descendants(init.pid))) == 1)


def test_a_grandchild_that_holds_stdout_delays_no_stop(begin: Begin) -> None:
    """In a session of its own: the pipe stays open, the stop is done all the same."""
    init = begin("[program:x]\ncommand=sh -c 'setsid sleep 4242 & echo up; exec sleep 1000'\nstartsecs=0\n")
    init.wait_out("up")
    begun = time.monotonic()
    init.ask("stop", names=["x"], wait=20)
    assert time.monotonic() - begun < 8


def test_all_that_run_are_stopped_and_wait_for_each_other(begin: Begin) -> None:
    init = begin("".join(f"[program:p{n}]\n{SLEEPER}" for n in range(5)))
    for n in range(5):
        init.wait_state(f"p{n}", "RUNNING")
    init.ask("stop", names=["all"], wait=20)
    assert {row["state"] for row in init.ask("status")} == {"STOPPED"}
    assert children(init.pid) == []


@pytest.mark.parametrize(("policy", "expected"), [("shutdown", 3), ("restart", None), ("ignore", None)])
def test_what_an_exit_means_is_said_per_program(begin: Begin, policy: str, expected: int | None) -> None:
    once = "" if policy == "restart" else "autorestart=false\n"
    init = begin(
        f"[program:x]\ncommand=sh -c 'echo run; sleep 0.2; exit 3'\nstartsecs=0\non_exit={policy}\n{once}"
        f"[program:y]\n{SLEEPER}"
    )
    if expected is not None:
        assert init.wait() == expected
        return
    init.wait_out("run\nrun" if policy == "restart" else "run")
    init.exits(1)
    assert init.stop() == 0


def test_it_is_a_subreaper_where_it_is_not_pid_1(begin: Begin) -> None:
    init = begin("[program:x]\ncommand=sh -c '(sleep 4243 &); exec sleep 1000'\nstartsecs=0\n", namespace=False)
    init.wait_state("x", "RUNNING")
    until(lambda: [pid for pid in init.children() if status(pid, "Name") == "sleep"][1:])
