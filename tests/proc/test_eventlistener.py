"""Event listeners as real processes: the same events as supervisord, and peace from those that break the protocol."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.procfs import switches
from tests.support.recorder import Record, Supervisord, about

pytestmark = pytest.mark.proc

PROGRAMS = """
[program:once]
command=sh -c 'sleep 1.6; exit 0'
autorestart=unexpected
[program:bad]
command=sh -c 'sleep 1.6; exit 3'
autorestart=false
[program:quick]
command=sh -c 'exit 1'
startretries=1
[program:nowhere]
command=/no/such/file
startretries=0
[program:talk]
command=sh -c 'sleep 2; echo out; sleep 0.5; echo h\xe4llo >&2; sleep 1000'
startsecs=0
stdout_events_enabled=true
stderr_events_enabled=true
[program:comm]
command=sh -c '
  sleep 2; printf "a<!--XSUPERVISOR:BEGIN-->mess"; sleep 0.3; printf "age<!--XSUPERVISOR:END-->b"; sleep 1000'
startsecs=0
stdout_capture_maxbytes=4096
[program:none]
command=sleep 1000
autostart=false
[group:g]
programs=member
[program:member]
command=sleep 1000
startsecs=1
""".encode("latin-1").decode("latin-1")

NAMES = ("once", "bad", "quick", "nowhere", "talk", "comm", "none", "member", "rec")
EVENTS = "PROCESS_STATE,PROCESS_LOG,PROCESS_COMMUNICATION,SUPERVISOR_STATE_CHANGE,PROCESS_GROUP,TICK"
TICKS = {"TICK_5 when:T", "TICK_60 when:T", "TICK_3600 when:T"}


def settle(record: Record) -> None:
    """Wait until everything that happens by itself has happened."""
    for pattern in (
        "STATE_EXITED processname:once",
        "STATE_EXITED processname:bad",
        "STATE_FATAL processname:quick",
        "STATE_FATAL processname:nowhere",
        "COMMUNICATION_STDOUT processname:comm",
        "STATE_RUNNING processname:member",
        "LOG_STDERR processname:talk",
        "TICK_5 when",
    ):
        record.wait(pattern)


@pytest.fixture
def theirs(tmp_path: Path) -> list[str]:
    """What supervisord told."""
    record = Record(tmp_path / "theirs")
    with Supervisord(tmp_path / "supervisord", record.section(EVENTS) + PROGRAMS) as original:
        settle(record)
        original.process.terminate()
        original.process.wait(30)
    return record.told()


@pytest.fixture
def ours(begin: Begin, tmp_path: Path) -> Record:
    """What initd told."""
    record = Record(tmp_path / "ours")
    init = begin(record.section(EVENTS) + PROGRAMS)
    settle(record)
    assert init.stop() == 0
    return record


@pytest.mark.slow
def test_the_same_events_as_supervisord(theirs: list[str], ours: Record) -> None:
    """Word for word and in order; only the end differs, where supervisord's listener may go before it heard all."""
    told = ours.told()
    for name in NAMES:
        expected = about(theirs, name)
        assert (expected or name == "none") and about(told, name)[: len(expected)] == expected, name
    assert about(told, "member")[-1].startswith("PROCESS_STATE_STOPPED")
    rest, others = ([one for one in all if "processname" not in one and "TICK" not in one] for all in (told, theirs))
    assert rest == others
    # A run that crosses a full minute hears TICK_60 as well, one that crosses the hour TICK_3600.
    assert {"TICK_5 when:T"} <= {one for one in told if "TICK" in one} <= TICKS


def test_serials_have_no_gaps(ours: Record) -> None:
    headers = [header for header, _ in ours.entries()]
    assert [int(header["serial"]) for header in headers] == list(range(len(headers)))
    assert [int(header["poolserial"]) for header in headers] == list(range(len(headers)))
    assert {(header["ver"], header["server"], header["pool"]) for header in headers} == {("3.0", "supervisor", "rec")}
    when = [int(data.partition(":")[2]) for header, data in ours.entries() if header["eventname"] == "TICK_5"]
    assert when and all(one % 5 == 0 and abs(one - time.time()) < 600 for one in when)


WEB = "[program:web]\ncommand=sleep 1000\nstartsecs=0\n"


def test_a_listener_that_talks_plain_text_harms_nobody(begin: Begin) -> None:
    bad = "[eventlistener:bad]\ncommand=sh -c 'echo hello world; sleep 1000'\nevents=PROCESS_STATE\nstartsecs=0\n"
    init = begin(bad + WEB)
    init.wait_said("bad said b?'hello world.*gets no events")
    assert init.wait_state("web", "RUNNING") and init.ask("status", names=["bad"])[0]["state"] == "RUNNING"
    assert "hello world" not in init.out()
    assert init.stop() == 0


def test_a_listener_that_never_reads_costs_one_event(begin: Begin) -> None:
    deaf = "[eventlistener:deaf]\ncommand=sh -c 'echo READY; sleep 1000'\nevents=EVENT\nbuffer_size=2\nstartsecs=0\n"
    chatty = (
        "[program:chatty]\ncommand=sh -c 'yes | head -c 3000000; sleep 1000'\nstdout_events_enabled=true\nstartsecs=0\n"
    )
    init = begin(deaf + chatty + "stdout_logfile=NONE\n" + WEB)
    init.wait_said("pool deaf: its buffer of 2 events is full")
    assert init.wait_state("web", "RUNNING")
    assert init.ask("restart", names=["web"], wait=30)["outcome"] == "done"
    assert init.stop() == 0


def test_a_listener_that_dies_with_an_event_gets_it_again(begin: Begin, tmp_path: Path) -> None:
    script = (
        f"cd {tmp_path}; if [ -e once ]; then exec {sys.executable} -u rec/listener.py rec/record; fi;"
        "touch once; echo READY; read line; exit 1"
    )
    (tmp_path / "listener.sh").write_text(script)
    record = Record(tmp_path / "rec")
    init = begin(
        f"[eventlistener:l]\ncommand=sh {tmp_path}/listener.sh\nevents=PROCESS_STATE_RUNNING\nstartsecs=0\n{WEB}"
    )
    record.wait("STATE_RUNNING processname:l")
    assert int(record.entries()[0][0]["serial"]) == 0
    assert init.stop() == 0


KILLER = """
import os, signal, sys
while True:
    sys.stdout.write("READY\\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    sys.stdin.read(int(dict(word.split(":") for word in line.split())["len"]))
    os.kill(os.getppid(), signal.SIGQUIT)
    sys.stdout.write("RESULT 2\\nOK")
    sys.stdout.flush()
"""


def test_the_popular_listener_that_kills_its_parent_ends_the_container(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "kill.py").write_text(KILLER)
    listener = (
        f"[eventlistener:quit]\ncommand={sys.executable} {tmp_path}/kill.py\nevents=PROCESS_STATE_FATAL\nstartsecs=0\n"
    )
    init = begin(listener + WEB + "[program:doomed]\ncommand=false\nstartretries=0\n")
    assert init.wait(60) == 0
    assert "doomed is FATAL" in init.said() and "stopping for signal QUIT" in init.said()


def test_news_by_the_api_and_groups_that_come_and_go(begin: Begin, tmp_path: Path) -> None:
    record = Record(tmp_path / "rec")
    section = record.section("REMOTE_COMMUNICATION,PROCESS_GROUP")
    init = begin(section + WEB)
    init.wait_state("rec", "RUNNING")
    assert init.ask("announce", type="deploy", data="v2\nnow")["told"] is True
    text = f"[supervisord]\npidfile={init.folder}/pid\n{section}[program:new]\ncommand=sleep 1000\nstartsecs=0\n"
    (init.folder / "app.ini").write_text(text)
    init.ask("update", wait=30)
    record.wait("GROUP_ADDED groupname:new")
    told = record.told()
    assert "REMOTE_COMMUNICATION type:deploy\nv2\nnow" in told
    assert told.index("PROCESS_GROUP_REMOVED groupname:web\n") < told.index("PROCESS_GROUP_ADDED groupname:new\n")


def test_a_file_of_one_shots_ends_although_somebody_listens(begin: Begin, tmp_path: Path) -> None:
    record = Record(tmp_path / "rec")
    init = begin(record.section("PROCESS_STATE") + "[program:job]\ncommand=sleep 2\ntype=oneshot\nstartsecs=0\n")
    assert init.wait(60) == 0
    assert any("STATE_EXITED processname:job" in one for one in record.told())


def test_ticks_cost_nothing_where_nobody_listens(begin: Begin, tmp_path: Path) -> None:
    record = Record(tmp_path / "rec")
    init = begin(record.section("PROCESS_STATE") + WEB)
    record.wait("STATE_RUNNING processname:web")
    before = switches(init.pid)
    time.sleep(6)
    assert switches(init.pid) - before <= 1
    os.kill(init.pid, signal.SIGTERM)
