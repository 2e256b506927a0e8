"""Hooks, stop signals in turn, one-shots, back-off and crash loops with real processes."""

from __future__ import annotations

import os
import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import Pid1
from tests.support.waiting import until

pytestmark = pytest.mark.proc

COUNTER = """import signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, lambda number, frame: print("got", number, time.monotonic(), flush=True))
print("up", flush=True)
while True:
    signal.pause()
"""
"""Says which signals it got, and when; obeys none."""


def program(command: str, options: str = "", name: str = "web") -> str:
    return f"[initd]\n[program:{name}]\ncommand={command}\n{options}\n"


KEPT = "[program:kept]\ncommand=sleep 1000\n"
"""Somebody who stays: initd leaves when every one-shot is done and there is nobody else."""


def shell(folder: Path, text: str, name: str = "hook") -> str:
    """A shell script; its path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def record(init: Pid1, count: int = 1) -> dict[str, Any]:
    return init.exits(count)[-1]


# Hooks


def test_pre_start_runs_first_with_the_programs_environment_and_output(begin: Begin, tmp_path: Path) -> None:
    pre = shell(tmp_path, 'echo "prepared $COLOUR in $(pwd)"; sleep 0.2; echo done')
    init = begin(program("sleep 1000", f"startsecs=0\npre_start={pre}\nenvironment=COLOUR=red\ndirectory=/usr"))
    init.wait_state("web", "RUNNING")
    assert init.wait_out(r"prepared red in /usr\ndone")
    assert not init.ask("exits", after=0)


def test_a_failing_pre_start_is_a_failed_start_until_it_is_mended(begin: Begin, tmp_path: Path) -> None:
    pre = shell(tmp_path, f"test -e {tmp_path}/mended || exit 7")
    init = begin(program("sleep 1000", f"startretries=50\nbackoff=0.2\nbackoff_factor=1\npre_start={pre}"))
    first = record(init)
    assert (first["cause"], first["step"], first["code"], first["why"]) == (
        "start failure", "pre_start", 7, "pre_start: exit status 7",
    )  # fmt: skip
    (tmp_path / "mended").touch()
    init.wait_state("web", "RUNNING")


def test_a_pre_start_that_hangs_is_ended_with_its_children(begin: Begin, tmp_path: Path) -> None:
    pre = shell(tmp_path, "trap '' TERM; sleep 1000 & wait; wait")
    init = begin(program("sleep 1000", f"startretries=0\npre_start_timeout=0.3\npre_start={pre}"))
    row = init.wait_state("web", "FATAL")
    assert row["why"].startswith("pre_start took longer than 0.3")
    assert record(init)["signal"] == signal.SIGKILL
    until(lambda: not init.children(), what="no process is left")


def test_a_missing_pre_start_says_so(begin: Begin) -> None:
    init = begin(program("sleep 1000", "startretries=0\npre_start=/no/such/thing"))
    assert "pre_start: exec: /no/such/thing" in init.wait_state("web", "FATAL")["why"]


def test_post_stop_is_told_of_each_end_and_the_restart_waits_for_it(begin: Begin, tmp_path: Path) -> None:
    post = shell(tmp_path, 'echo "post $PIDONE_EXIT_CODE/$PIDONE_EXIT_SIGNAL/$PIDONE_EXIT_CAUSE"; sleep 0.5')
    init = begin(program("sleep 1000", f"startsecs=0\npost_stop={post}"))
    pid = init.wait_state("web", "RUNNING")["pid"]
    [leader] = init.children()
    os.kill(leader, signal.SIGKILL)
    init.wait_out("post /SIGKILL/signal")
    init._until(lambda: init.wait_state("web", "RUNNING")["pid"] not in (pid, None), "a new process")
    ended, started = record(init)["ended_at"], init.ask("status")[0]["since"]
    assert started - ended >= 0.5


def test_stop_waits_for_post_stop(begin: Begin, tmp_path: Path) -> None:
    post = shell(tmp_path, f"sleep 0.5; echo $PIDONE_EXIT_BY > {tmp_path}/told")
    init = begin(program("sleep 1000", f"startsecs=0\npost_stop={post}"))
    init.wait_state("web", "RUNNING")
    [row] = init.ask("stop", names=["web"], wait=30)["processes"]
    assert (row["outcome"], row["state"], (tmp_path / "told").read_text()) == ("done", "STOPPED", "uid=0\n")


def test_a_post_stop_that_is_killed_is_named(begin: Begin) -> None:
    init = begin(program("sleep 1000", "startsecs=0\npost_stop=sleep 1000\npost_stop_timeout=0.2"))
    init.wait_state("web", "RUNNING")
    assert init.ask("stop", names=["web"], wait=30)["outcome"] == "done"
    [line] = [line for line in init.said().splitlines() if "did not stop in time" in line]
    assert line.startswith("initd: web: post_stop (pid ")


def test_a_shutdown_lets_post_stop_finish(begin: Begin, tmp_path: Path) -> None:
    post = shell(tmp_path, f"sleep 0.5; touch {tmp_path}/tidied")
    init = begin(program("sleep 1000", f"startsecs=0\npost_stop={post}"))
    init.wait_state("web", "RUNNING")
    assert init.stop() == 0
    assert (tmp_path / "tidied").exists()


def test_a_shutdown_during_pre_start_is_quick(begin: Begin) -> None:
    init = begin(program("sleep 1000", "pre_start=sleep 1000"))
    init.wait_state("web", "STARTING")
    assert init.stop() == 0
    assert "sleep 1000 started" not in init.said()


# Stops


def test_stop_signals_come_in_turn(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    command = f"{sys.executable} -IS {tmp_path}/counter.py"
    init = begin(program(command, "startsecs=0\nstop_signals=TERM:0.4, INT:0.6, QUIT:0.5"))
    init.wait_out("up")
    [row] = init.ask("stop", names=["web"], wait=60)["processes"]
    assert row["state"] == "STOPPED"
    got = [line.split() for line in init.out().splitlines() if line.startswith("got")]
    assert [int(number) for _, number, _ in got] == [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
    waits = [float(later[2]) - float(earlier[2]) for earlier, later in pairwise(got)]
    assert waits[0] >= 0.35
    assert waits[1] >= 0.55
    ended = record(init)
    assert (ended["signal"], ended["escalated"], ended["cause"]) == (signal.SIGKILL, True, "stopped")


def test_a_program_that_obeys_the_second_signal_is_not_killed(begin: Begin) -> None:
    init = begin(program("sh -c \"trap '' TERM; trap 'exit 3' INT; echo up; while :; do sleep 0.05; done\"",
                         "startsecs=0\nstop_signals=TERM:0.2, INT"))  # fmt: skip
    init.wait_out("up")
    init.ask("stop", names=["web"], wait=60)
    ended = record(init)
    assert (ended["code"], ended["escalated"], ended["expected"]) == (3, False, True)


# One-shots


def test_a_oneshot_is_done_once(begin: Begin) -> None:
    init = begin(program("sh -c 'echo worked'", "type=oneshot\nautorestart=unexpected") + KEPT)
    assert init.wait_state("web", "EXITED")["restarts"] == 0
    init.wait_state("kept", "RUNNING")
    assert init.ask("healthy")["healthy"]
    assert record(init)["expected"]


def test_starting_a_oneshot_waits_for_its_end(begin: Begin) -> None:
    init = begin(program("sh -c 'sleep 0.5'", "type=oneshot\nautostart=false"))
    [row] = init.ask("start", names=["web"], wait=60)["processes"]
    assert (row["outcome"], row["state"]) == ("done", "EXITED")


def test_a_oneshot_that_fails_is_tried_again_then_fatal(begin: Begin) -> None:
    init = begin(program("sh -c 'exit 4'", "type=oneshot\nstartretries=2\nbackoff=0.1") + KEPT)
    row = init.wait_state("web", "FATAL")
    assert (row["restarts"], row["why"], len(init.exits(3))) == (2, "exit status 4", 3)


# Restart shapes


def test_a_crash_loop_ends(begin: Begin) -> None:
    init = begin(program("sh -c 'exit 1'", "startsecs=0\nautorestart=true\ncrash_loop=4 in 60s"))
    row = init.wait_state("web", "FATAL")
    assert (row["why"], row["restarts"]) == ("4 exits in 60 s", 3)
    assert len(init.ask("exits", after=0, limit=50)) == 4


def test_waits_grow_after_exits_from_running(begin: Begin) -> None:
    options = "startsecs=0\nautorestart=true\nbackoff=0.2\nbackoff_factor=2\nbackoff_jitter=0\ncrash_loop=5 in 60s"
    init = begin(program("sh -c 'exit 1'", options))
    init.wait_state("web", "FATAL")
    ends = init.exits(5)
    waits = [later["started_at"] - earlier["ended_at"] for earlier, later in pairwise(ends)]
    for wait, least in zip(waits, (0.2, 0.4, 0.8, 1.6), strict=True):
        assert least - 0.02 <= wait < least + 5
