"""Killed by the OOM killer, or by somebody: told apart by a real kernel, under both versions of cgroups."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from initd.oom import GLANCE_SECONDS, HASTE_SECONDS
from tests.proc.conftest import Begin
from tests.support.cgroup1 import Group, group
from tests.support.guest import guest  # noqa: F401
from tests.support.pid1 import ROOT
from tests.support.procfs import runs
from tests.support.uml import Guest
from tests.support.waiting import until

pytestmark = pytest.mark.proc

EAT = "[x.append(bytearray(1 << 20)) for x in [[]] for _ in iter(int, 1)]"
"""Python that takes a MiB at a time until it is stopped."""
HOG = f"[program:hog]\nautostart=false\nautorestart=false\nstartsecs=0\ncommand={sys.executable} -IS -c '{EAT}'\n"
WEB = "[program:web]\nstartsecs=0\nautorestart=false\ncommand=sleep 1000\n"


@pytest.fixture
def memory() -> Iterator[Group]:
    with group("memory") as made:
        made.set("memory.limit_in_bytes", 96 << 20)
        yield made


def config() -> str:
    return HOG + WEB


def test_a_program_that_the_oom_killer_took(memory: Group, begin: Begin) -> None:
    init = begin(config(), wrapper=memory.wrapper)
    init.ask("start", names=["hog"])
    record = init.exits()[0]
    assert (record["name"], record["signal"], record["cause"]) == ("hog", signal.SIGKILL, "oom")
    assert "hog (pid" in init.said() and "(oom, cpu" in init.said()


def test_kill_9_by_hand_under_the_same_limit_is_no_oom(memory: Group, begin: Begin) -> None:
    init = begin(config(), wrapper=memory.wrapper)
    init.wait_state("web", "RUNNING")
    web = until(lambda: [pid for pid in init.children() if runs(pid, "sleep")])
    os.kill(web[0], signal.SIGKILL)
    record = init.exits()[0]
    assert (record["name"], record["cause"]) == ("web", "signal")


def test_after_an_oom_a_kill_by_hand_is_no_oom(memory: Group, begin: Begin) -> None:
    init = begin(config(), wrapper=memory.wrapper)
    init.ask("start", names=["hog"])
    init.exits()
    init.ask("signal", names=["web"], signal="KILL")
    assert [row["cause"] for row in init.exits(2)] == ["oom", "signal"]


def test_after_a_grandchilds_oom_a_kill_by_hand_is_no_oom(memory: Group, begin: Begin) -> None:
    """Its parent reaps it, so no death explains the rise; the program killed later was well when it was seen."""
    eater = f"{sys.executable} -IS -c '{EAT}'"
    parent = f'[program:parent]\ncommand=sh -c "{eater} & wait $!; echo ate $?; exec sleep 1000"\n'
    init = begin(parent + WEB, wrapper=memory.wrapper)
    init.wait_out("ate 137")
    seen = time.monotonic()
    until(lambda: init.ask("status") and time.monotonic() - seen > GLANCE_SECONDS + HASTE_SECONDS)
    [web] = [row["pid"] for row in init.ask("status", names=["web"])]
    run = subprocess.run(["nsenter", "-t", str(init.pid), "-p", "-m", "kill", "-9", str(web)])
    assert run.returncode == 0
    assert [(row["name"], row["cause"]) for row in init.exits()] == [("web", "signal")]


@pytest.mark.vm
@pytest.mark.slow
def test_the_same_on_a_real_cgroup_v2_host(guest: Guest) -> None:  # noqa: F811
    done: subprocess.CompletedProcess[str] = guest.run(
        [sys.executable, str(ROOT / "tests/proc/oom_v2.py")], timeout=120
    )
    assert done.stdout.splitlines() == ["hog 9 oom", "web 9 signal"], done.stdout + done.stderr
