"""Every death, of whatever kind and number, with real processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.mortals import DEADLY
from tests.support.pid1 import descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

ORPHANS = 5000
ORPHANAGE = f"""
import os, sys
gate, key = os.pipe()
for _ in range({ORPHANS}):
    if os.fork() == 0:
        os.close(key)
        os.read(gate, 1)
        os._exit(0)
print("born", flush=True)
os.read(0, 1)
"""


def steps(command: str, folder: Path, first: int) -> str:
    """A program that runs `command` with $n = first, first + 1 ... in its successive lives."""
    (folder / "n").write_text(f"{first}\n")
    script = f"read n <n; echo $((n + 1)) >n; {command}"
    return f"[program:steps]\nautorestart=true\nstartsecs=0\ndirectory={folder}\ncommand=sh -c '{script}'\n"


def test_all_exit_codes(begin: Begin, tmp_path: Path) -> None:
    init = begin(steps("[ $n -le 255 ] && exit $n; exec sleep 1000", tmp_path, 0))
    rows = init.exits(256)
    assert [row["code"] for row in rows] == list(range(256))
    assert [row["expected"] for row in rows] == [True] + [False] * 255
    assert {row["cause"] for row in rows} == {"exit"}


def test_all_deadly_signals(begin: Begin, tmp_path: Path) -> None:
    """Each ends the program, so each is at its default there, SIGPIPE and SIGXFSZ too."""
    sequence = " ".join(map(str, DEADLY))
    kill = f"set -- {sequence}; [ $n -le $# ] || exec sleep 1000; shift $((n - 1)); ulimit -c 0; kill -$1 $$; exit 77"
    rows = begin(steps(kill, tmp_path, 1)).exits(len(DEADLY))
    assert [(row["signal"], row["code"]) for row in rows] == [(number, None) for number in DEADLY]
    assert not any(row["expected"] for row in rows)


def test_five_thousand_orphans_that_die_together(begin: Begin, tmp_path: Path) -> None:
    script = tmp_path / "orphanage.py"
    script.write_text(ORPHANAGE)
    orphanage = f"[program:orphanage]\nautorestart=false\nstartsecs=0\ncommand={sys.executable} -IS {script}\n"
    init = begin(orphanage + "[program:web]\nstartsecs=0\ncommand=sleep 1000\n")
    init.wait_out("born", 120)
    init.ask("signal", names=["orphanage"], signal="KILL")
    until(lambda: init.ask("about")["counters"]["orphans"] >= ORPHANS, 120)
    assert init.ask("status", names=["web"])[0]["state"] == "RUNNING"
    assert not [pid for pid in descendants(init.pid) if status(pid, "State").startswith("Z")]


def test_an_orphan_tree_of_a_dead_program_leaves_no_zombie(begin: Begin) -> None:
    init = begin(
        "[program:tree]\nautorestart=false\nstartsecs=0\ncommand=sh -c '(sleep 0.2 & sleep 0.1 & wait) & exit 0'\n"
    )
    init.exits()
    until(lambda: list(descendants(init.pid)) == [])
    assert init.ask("about")["counters"]["orphans"] >= 1


def test_a_stopped_program_has_not_died(begin: Begin) -> None:
    init = begin("[program:web]\nstartsecs=0\ncommand=sleep 1000\n")
    row = init.wait_state("web", "RUNNING")
    init.ask("signal", names=["web"], signal="STOP")
    until(lambda: status(init.children()[0], "State").startswith("T"))
    init.ask("signal", names=["web"], signal="CONT")
    until(lambda: status(init.children()[0], "State").startswith("S"))
    assert init.ask("status")[0]["pid"] == row["pid"]


def test_a_crash_of_one_is_no_business_of_the_others(begin: Begin) -> None:
    init = begin("".join(f"[program:p{i}]\nstartsecs=0\ncommand=sleep 1000\n" for i in range(5)))
    before = {row["name"]: row["pid"] for row in (init.wait_state(f"p{i}", "RUNNING") for i in range(5))}
    init.ask("signal", names=["p3"], signal=int(signal.SIGKILL))
    until(lambda: init.ask("status", names=["p3"])[0]["restarts"] == 1)
    after = {row["name"]: row["pid"] for row in init.ask("status")}
    assert {name for name in before if before[name] != after[name]} == {"p3"}
