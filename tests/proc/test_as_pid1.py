"""initd as the real PID 1 of a namespace: it starts, restarts, reaps, stops."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.proc.conftest import Begin
from tests.support.procfs import descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SLEEPER = "[program:web]\ncommand=sleep 1000\n"


def test_it_is_pid_1_and_runs_the_program(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    assert status(init.pid, "NSpid").split()[-1] == "1"
    until(lambda: len(init.children()) == 1)


def test_a_killed_program_is_back_and_the_record_names_the_signal(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    time_running(init.pid)
    os.kill(init.children()[0], signal.SIGKILL)
    init.wait_said(r"web \(pid \d+\) was killed by SIGKILL after [\d.]+ s \(not expected")
    assert len(init.wait_said("web started", 2)) == 2


def time_running(pid: int) -> None:
    """Wait until the default startsecs are over."""
    start = time.monotonic()
    until(lambda: time.monotonic() - start > 1.2)


def test_term_stops_everything_and_leaves_with_0(begin: Begin) -> None:
    init = begin(
        SLEEPER
        + "[program:trap]\ncommand=sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.05; done'\n"
    )
    init.wait_out("up")
    assert init.stop() == 0
    assert "bye" in init.out()
    assert "had to kill" not in init.said()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGRTMIN + 3])
def test_each_shutdown_signal(begin: Begin, signum: int) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    init.send(signum)
    assert init.wait() == 0
    assert "stopped in" in init.said()


def test_a_stopped_process_is_woken_to_obey(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    os.kill(init.children()[0], signal.SIGSTOP)
    start = time.monotonic()
    assert init.stop() == 0
    assert time.monotonic() - start < 5
    assert "was killed by SIGTERM" in init.said()


def test_a_second_term_means_now(begin: Begin) -> None:
    init = begin("[program:deaf]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done'\n")
    init.wait_out("up")
    init.send(signal.SIGTERM)
    init.wait_said("stopping for signal TERM")
    start = time.monotonic()
    init.send(signal.SIGTERM)
    assert init.wait() == 0
    assert time.monotonic() - start < 5
    assert "had to kill: deaf" in init.said()


def test_the_deaf_are_killed_inside_the_budget(begin: Begin) -> None:
    init = begin(
        "[program:deaf]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done'\n",
        env={"PIDONE_STOP_BUDGET": "3"},
    )
    init.wait_out("up")
    start = time.monotonic()
    assert init.stop() == 0
    assert 1.5 < time.monotonic() - start < 6
    assert "had to kill: deaf" in init.said()


def test_stragglers_are_swept_and_named(begin: Begin) -> None:
    script = 'trap : TERM; (trap "" TERM; exec setsid sleep 555) & echo up; wait; exit 0'
    init = begin(f"[program:parent]\ncommand=sh -c '{script}'\n")
    init.wait_out("up")
    until(lambda: any("sleep" in status(pid, "Name") for pid in descendants(init.pid)))
    assert init.stop() == 0
    assert "had to kill: sleep (pid" in init.said()


def test_hup_starts_over_with_the_new_file(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    path = init.folder / "app.ini"
    path.write_text(path.read_text().replace("[program:web]", "[program:api]"))
    init.send(signal.SIGHUP)
    init.wait_said("api started")
    assert len(init.children()) == 1
    assert init.stop() == 0


def test_hup_with_a_broken_file_changes_nothing(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    before = until(lambda: [pid for pid in init.children() if "sleep" in status(pid, "Name")])
    (init.folder / "app.ini").write_text("[supervisord]\n[program:web]\nautostart=perhaps\n")
    init.send(signal.SIGHUP)
    init.wait_said("nothing is changed")
    assert set(before) <= set(init.children())
    assert f"{init.folder}/app.ini:3:" in init.said()


def test_a_broken_file_at_start_is_status_2(begin: Begin) -> None:
    init = begin("[program:web]\nautostart=perhaps\n[program:db]\ncommand=x\nstopsignal=NOPE\n")
    assert init.wait() == 2
    assert "app.ini:4: " in init.said()
    assert "app.ini:7: " in init.said()


def test_no_file_is_status_2_with_the_cure(begin: Begin) -> None:
    init = begin("", options=("-c", "/nowhere/x.ini"))
    assert init.wait() == 2
    assert "/nowhere/x.ini: cannot be read: No such file or directory" in init.said()


def test_the_pidfile_says_who_we_are_and_goes_with_us(begin: Begin) -> None:
    init = begin(SLEEPER)
    init.wait_said("web started")
    assert (init.folder / "pid").read_text() == "1\n"
    init.stop()
    assert not (init.folder / "pid").exists()


def test_an_unwritable_pidfile_is_a_warning(begin: Begin) -> None:
    init = begin("[supervisord]\npidfile=/proc/nope\n" + SLEEPER)
    init.wait_said("cannot write the pidfile /proc/nope")
    init.wait_said("web started")


def test_an_impossible_limit_is_status_2(begin: Begin) -> None:
    init = begin("[supervisord]\nminfds=100000000\n" + SLEEPER)
    assert init.wait() == 2
    assert "minfds=100000000: only" in init.said()


def test_without_proc_it_works_and_sweeps(begin: Begin) -> None:
    """Some runtimes hide or do not mount /proc."""
    hide = (
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none /proc; exec "$@"',
        "sh",
    )
    init = begin(SLEEPER, wrapper=hide, namespace=False)
    init.wait_said("web started")
    started = time.monotonic()
    init.send(signal.SIGTERM)
    assert init.wait() == 0
    assert time.monotonic() - started < 5
    assert "stopped in" in init.said()
