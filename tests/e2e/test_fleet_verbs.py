"""hubctl's verbs over a fleet, against a real hub and real initds that joined it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.livehub import ROOT, LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until
from wire.limits import COMMAND_RESULTS

PROGRAMS = """
[program:talker]
command=sh -c 'n=0; while :; do n=$((n+1)); echo "$NAME says $n"; sleep 0.2; done'
environment=NAME=%(ENV_BOX)s
startsecs=0

[program:flood]
command=sh -c 'n=1000000; while :; do n=$((n+1)); echo "$n $n $n $n"; done'
autostart=false
startsecs=0

[program:broken]
command=sh -c 'echo "cannot find the file"; exit 3'
autostart=false
startsecs=0
autorestart=true
"""
HUBCTL = [sys.executable, "-m", "hub.ctl"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveHub, list[LiveInitd]]]:
    """A hub and two containers' initds."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "hub").mkdir()
    hub = LiveHub(folder / "hub").start()
    boxes = [
        LiveInitd(folder / name, PROGRAMS, PIDONE_JOIN=hub.join().format(), BOX=name).start()
        for name in ("shop-1", "shop-2")
    ]
    try:
        until(lambda: len(hub.client.ps()) == 6 and len(hub.client.agents()) == 2, 60, "both have joined")
        yield hub, boxes
    finally:
        for box in boxes:
            box.destroy()
        hub.stop()


Fleet = tuple[LiveHub, list[LiveInitd]]


def started(fleet: Fleet, *words: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "PIDONE_CLIENT_KEY": str(fleet[0].folder / "state" / "client" / "admin.json")}
    pipe = subprocess.PIPE
    return subprocess.Popen([*HUBCTL, *words], cwd=ROOT, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def hubctl(fleet: Fleet, *words: str, typed: str = "") -> tuple[int, str]:
    process = started(fleet, *words)
    out, err = process.communicate(typed, timeout=90)
    return process.returncode, out + err


def test_logs_merges_and_follows_both(fleet: Fleet) -> None:
    process = started(fleet, "logs", "-f", "*/talker", "--interval", "0.2")
    assert process.stdout is not None
    told: dict[str, list[int]] = {"shop-1": [], "shop-2": []}
    while min(len(one) for one in told.values()) < 15:
        target, _, line = process.stdout.readline().partition(" | ")
        name, _, number = line.strip().partition(" says ")
        assert target == f"{name}/talker", line
        told[name].append(int(number))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.communicate()
    assert all(one == list(range(one[0], one[0] + len(one))) for one in told.values())
    rows = [row for row in fleet[0].client.query("audit") if row["action"] == "tail"]
    assert sorted((row["target"], row["outcome"]) for row in rows) == [
        (f"{name}/talker", outcome) for name in told for outcome in ("ended", "following")
    ], "two rows of each, however often it was looked at"
    assert all(int(row["detail"].split()[0]) > 5 for row in rows if row["outcome"] == "ended")


def test_a_slow_writer_is_whole_beside_a_fast_one_of_which_the_missing_bytes_are_told(fleet: Fleet) -> None:
    """Each line of the fast one has 32 bytes: what is shown and what is said to be missing add up to all it wrote."""
    assert hubctl(fleet, "start", "shop-1/flood")[0] == 0
    process = started(fleet, "logs", "-f", "shop-1/flood", "shop-1/talker", "--interval", "0.2", "-n", "1")
    assert process.stdout is not None
    told: dict[str, list[str]] = {"flood": [], "talker": []}
    while len(told["talker"]) < 12:
        target, _, line = process.stdout.readline().rstrip("\n").partition(" | ")
        told[target.partition("/")[2]].append(line)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    hubctl(fleet, "stop", "shop-1/flood")
    numbers = [int(line.rpartition(" ")[2]) for line in told["talker"]]
    assert numbers == list(range(numbers[0], numbers[0] + 12))
    assert _whole(told["flood"]) > 3


def _whole(lines: list[str]) -> int:
    """How many gaps were told; raises where what is shown and what is missing do not add up."""
    last, missing, gaps = 0, 0, 0
    for line in lines:
        if line.startswith("[... "):
            missing, gaps = int(line.split()[1]), gaps + 1
        elif len(line) == 31:
            number = int(line[:7])
            assert not last or abs((number - last - 1) * 32 - missing) < 32, (last, missing, line)
            last, missing = number, 0
    return gaps


def test_a_script_that_commands_hundreds_of_times_is_never_told_to_wait(fleet: Fleet) -> None:
    client = fleet[0].client
    for _ in range(COMMAND_RESULTS + 20):
        done = client.query("command", verb="signal", target="shop-2/talker", args={"signal": "CONT"}, hold=10.0)
        assert done["state"] == "done", done["error"]


def test_a_roll_restarts_each_program_once(fleet: Fleet) -> None:
    before = {row["agent_name"]: row["pid"] for row in fleet[0].client.ps("*/talker")}
    code, out = hubctl(fleet, "restart", "*/talker", "--at-a-time", "1", "--wait", "ready")
    assert code == 0 and "2/2" in out, out

    def renewed() -> bool:
        after = {row["agent_name"]: row["pid"] for row in fleet[0].client.ps("*/talker")}
        return set(after) == set(before) and not set(after.values()) & set(before.values())

    until(renewed, 30, "the figures of both new processes")


def test_a_crash_loop_is_a_storm_and_why_tells_of_it(fleet: Fleet) -> None:
    assert hubctl(fleet, "start", "shop-1/broken", "--wait", "0")[0] == 0
    until(lambda: fleet[0].client.query("storms"), 60, "a storm")
    code, out = hubctl(fleet, "storms", "--all", "--since", "1h")
    assert code == 0 and "broken" in out and "exit 3" in out
    code, out = hubctl(fleet, "exits", "--text", "cannot find", "--group-by", "program,end")
    assert code == 0 and "exit 3" in out and "broken" in out, out
    hubctl(fleet, "stop", "shop-1/broken")
    code, out = hubctl(fleet, "why", "shop-1/broken")
    assert code == 0 and "crash storm begun" in out and out.splitlines()[-1].startswith("verdict: broken"), out


def test_who_stopped_it_is_told(fleet: Fleet) -> None:
    assert hubctl(fleet, "stop", "shop-2/talker", "--id", "6f1c")[0] == 0

    def verdict() -> Any:
        said = hubctl(fleet, "why", "shop-2/talker")[1].splitlines()[-1]
        return said if "stopped by" in said else None

    said = until(verdict, 30, "the exit is known")
    assert said.startswith("verdict: talker stopped by hub:admin through stop 6f1c")


def test_the_prompt(fleet: Fleet) -> None:
    typed = "status\nrestart talker\npid talker\nnonsense\nstop nobody\ntail talker\nquit\n"
    code, out = hubctl(fleet, "shell", "shop-1", typed=typed)
    assert code == 0, out
    assert "RUNNING" in out and "done" in out and "*** Unknown syntax: nonsense" in out and "shop-1 says" in out
    assert "no program matches" in out
    assert hubctl(fleet, "shell", "shop-1", "pid", "talker")[1].strip().isdigit()
    assert hubctl(fleet, "shell", "nobody", "status")[0] == 2
