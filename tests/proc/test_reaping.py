"""Every death, of whatever kind and number, with real processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.mortals import DEADLY
from tests.support.procfs import descendants, status
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


def each(command: str, first: int, count: int) -> str:
    """Processes that run `command` once each, with $n = first, first + 1 ..."""
    return (
        f"[program:each]\nautorestart=false\nstartsecs=0\nnumprocs={count}\nnumprocs_start={first}\n"
        f"process_name=%(process_num)d\ncommand=sh -c 'n=%(process_num)d; {command}'\n"
    )


def test_all_exit_codes(begin: Begin) -> None:
    init = begin(each("exit $n", 0, 256))
    rows = {row["number"]: row for row in init.exits(256)}
    assert [rows[number]["code"] for number in range(256)] == list(range(256))
    assert [rows[number]["expected"] for number in range(256)] == [True] + [False] * 255
    assert {row["cause"] for row in rows.values()} == {"exit"}


def test_all_deadly_signals(begin: Begin) -> None:
    """Each ends the program, so each is at its default there, SIGPIPE and SIGXFSZ too."""
    kill = f"set -- {' '.join(map(str, DEADLY))}; shift $((n - 1)); ulimit -c 0; kill -$1 $$; exit 77"
    rows = {row["number"]: row for row in begin(each(kill, 1, len(DEADLY))).exits(len(DEADLY))}
    assert [(rows[n]["signal"], rows[n]["code"]) for n in sorted(rows)] == [(number, None) for number in DEADLY]
    assert not any(row["expected"] for row in rows.values())


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
