"""Limits of programs on the real kernel: with every privilege, without any, in cgroups of both versions."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from initd.daemon import TRACE
from tests.proc.conftest import Begin
from tests.proc.test_oom import EAT
from tests.support.cgroup1 import Group, group
from tests.support.guest import guest  # noqa: F401
from tests.support.pid1 import ROOT
from tests.support.procfs import status
from tests.support.uml import Guest
from tests.support.waiting import until

pytestmark = pytest.mark.proc

UNPRIVILEGED = (
    *("setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-IS"),
    str(ROOT / "initd" / "__main__.py"),
)
"""initd as root without a single capability, as `docker run --cap-drop=ALL`."""


def pid_in(begin: Begin, options: str, wrapper: tuple[str, ...] = ()) -> int:
    init = begin(f"[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\n{options}", wrapper=wrapper)
    init.wait_state("web", "RUNNING")
    return until(lambda: init.children(), what="the program")[0]


def test_everything_at_once(begin: Begin) -> None:
    pid = pid_in(
        begin,
        "user=nobody\ngroup=daemon\ngroups=audio,4242\nrlimit_nofile=100:200\nrlimit_core=0\nnice=5\n"
        "oom_score_adj=300\ncapabilities=net_bind_service\nno_new_privs=true\n",
    )
    assert [status(pid, field).split()[0] for field in ("Uid", "Gid", "NoNewPrivs")] == ["65534", "1", "1"]
    assert status(pid, "Groups").split() == ["29", "4242"]
    assert {status(pid, "Cap" + name) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {f"{1 << 10:016x}"}
    assert re.search(r"Max open files +100 +200 ", Path(f"/proc/{pid}/limits").read_text())
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "300\n"
    assert os.getpriority(os.PRIO_PROCESS, pid) == 5


def test_without_limits_nothing_is_different(begin: Begin) -> None:
    pid = pid_in(begin, "")
    assert status(pid, "CapBnd") == status(os.getpid(), "CapBnd")
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0)


def test_what_is_not_permitted_is_one_warning_each_and_the_program_runs(begin: Begin) -> None:
    init = begin(
        "[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nnice=-5\noom_score_adj=-900\ngroups=1\n",
        launcher=UNPRIVILEGED,
    )
    init.wait_state("web", "RUNNING")
    init.ask("restart", names=["web"], wait=30)
    for option in ("nice", "oom_score_adj", "groups"):
        assert len(re.findall(rf"web: {option}: .*(?:denied|permitted); it starts all the same", init.said())) == 1


def test_strict_limits_refuse_the_start_and_name_the_step(begin: Begin) -> None:
    init = begin(
        "[initd]\nstrict_limits=true\n[program:web]\ncommand=sleep 1000\nnice=-5\nstartretries=0\n",
        launcher=UNPRIVILEGED,
    )
    init.wait_state("web", "FATAL")
    record = init.exits()[0]
    assert (record["cause"], record["step"]) == ("start failure", "limits")
    assert "web did not start: limits: nice: " in init.said()


def test_a_group_that_does_not_exist_is_a_failed_start(begin: Begin) -> None:
    init = begin("[initd]\n[program:web]\ncommand=sleep 1000\ngroup=nosuch\nstartretries=0\n")
    init.wait_state("web", "FATAL")
    assert "web did not start: user: no group 'nosuch'" in init.said()


@pytest.fixture
def memory() -> Iterator[Group]:
    with group("memory") as made:
        yield made


@pytest.fixture
def tasks() -> Iterator[Group]:
    with group("pids") as made:
        yield made


HOG = f"[initd]\n[program:hog]\nstartsecs=0\nautorestart=false\ncommand={sys.executable} -IS -c '{EAT}'\n"


def test_version_1_limits_are_set_and_removed(memory: Group, tasks: Group, begin: Begin) -> None:
    text = "cgroup_memory_max=64MB\ncgroup_pids_max=7\ncgroup_memory_high=32MB\n"
    init = begin(
        f"[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\n{text}", wrapper=memory.wrapper + tasks.wrapper
    )
    init.wait_state("web", "RUNNING")
    own = memory.path / "pidone-web"
    assert (own / "memory.limit_in_bytes").read_text() == f"{64 << 20}\n"
    assert (tasks.path / "pidone-web" / "pids.max").read_text() == "7\n"
    assert [int(pid) for pid in (own / "cgroup.procs").read_text().split()] == init.children()
    assert "cgroup_memory_high: needs cgroup version 2" in init.said()
    init.ask("stop", names=["web"], wait=30)
    until(lambda: not own.exists(), what="its cgroup to be removed")


def test_its_own_oom_is_told_exactly_while_a_kill_by_hand_is_none(memory: Group, begin: Begin) -> None:
    config = HOG + "cgroup_memory_max=32MB\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nautorestart=false\n"
    init = begin(config + "cgroup_memory_max=32MB\n", wrapper=memory.wrapper)
    assert [(row["name"], row["cause"]) for row in init.exits()] == [("hog", "oom")]
    init.ask("signal", names=["web"], signal="KILL")
    assert [(row["name"], row["cause"]) for row in init.exits(2)][1] == ("web", "signal")


def test_a_pids_limit_holds(tasks: Group, begin: Begin) -> None:
    init = begin(
        "[initd]\n[program:many]\nautorestart=false\nstartsecs=0\ncgroup_pids_max=5\nstopasgroup=true\n"
        "command=sh -c 'for i in 1 2 3 4 5 6 7; do sleep 1000 & done; wait'\n",
        wrapper=tasks.wrapper,
    )
    until(lambda: "fork" in (init.said() + init.out()).lower(), what="a fork that is refused")


@pytest.mark.vm
@pytest.mark.slow
def test_version_2(guest: Guest) -> None:  # noqa: F811
    """PID 1 moves into the leaf, the program gets its limits, its OOM is exact, its cgroup goes, tree reaches all."""
    done = guest.run([sys.executable, str(ROOT / "tests" / "proc" / "limits_v2.py")], timeout=280)
    assert done.stdout.split("\n")[:-1] == [
        "controllers cpu memory pids",
        "limits 33554432 31457280 50000 100000 50",
        "leaf 1",
        "hog 9 oom",
        "web 9 signal",
        "gone",
    ], done.stdout + done.stderr


def test_a_limit_that_cannot_be_had_is_said(begin: Begin) -> None:
    hidden = ("unshare", "--mount", "sh", "-c", 'umount -l /sys/fs/cgroup 2>/dev/null; exec "$@"', "sh")
    init = begin("[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\ncgroup_pids_max=9\n", wrapper=hidden)
    init.wait_state("web", "RUNNING")
    assert re.search(r"web: cgroup_pids_max: .*; it starts all the same", init.said())


def test_nothing_is_imported_when_a_reload_brings_limits(begin: Begin, tmp_path: Path) -> None:
    """ctypes, too, is read by children alone."""
    init = begin("[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\n", env={TRACE: str(tmp_path / "trace")})
    init.wait_state("web", "RUNNING")
    (tmp_path / "pw").write_text("hunter2")
    with open(init.folder / "app.ini", "a") as file:
        file.write(f"stop_scope=tree\nno_new_privs=true\ncapabilities=none\nsecrets=PW={tmp_path}/pw\n")
    init.send(signal.SIGHUP)
    init.wait_said("web started", 2)
    init.ask("stop", names=["web"], wait=60)
    assert init.stop() == 0
    stages = {stage: set(names) for stage, *names in map(str.split, (tmp_path / "trace").read_text().splitlines())}
    assert stages["end"] == stages["stage2"]
    assert not {"ctypes", "initd.limits.capabilities"} & stages["end"]
    assert not {name for name in stages["stage1"] if name.startswith(("initd.limits", "initd.family", "initd.surr"))}
