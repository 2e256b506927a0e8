"""Every method of the XML-RPC API beside a real supervisord 4.3.0 that runs the same file."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.rpclab import Daemon, Pair, outcome
from tests.support.waiting import until

pytestmark = pytest.mark.proc

PROGRAMS = """
[program:web]
command=/bin/sh -c "echo one two three; echo four; echo oops >&2; exec cat"
stdout_logfile={folder}/web.log
stderr_logfile={folder}/web.err
directory=/
exitcodes=0,2
environment=A=1
[program:spare]
command=sleep 1000
autostart=false
stdout_logfile=NONE
stopsignal=INT
user=root
[program:missing]
command=/no/such/file
autostart=false
stdout_logfile={folder}/missing.log
[program:nowhere]
command=no-such-command-at-all
autostart=false
[program:plain]
command={folder}/app.ini
autostart=false
[program:folder]
command=/etc
autostart=false
[program:brief]
command=/bin/sh -c "exit 3"
autostart=false
startretries=0
[program:done]
command=/bin/sh -c "exit 2"
startsecs=0
autorestart=false
[program:fine]
command=/bin/sh -c "exit 0"
startsecs=0
autorestart=false
[program:killed]
command=/bin/sh -c "kill -9 $$"
startsecs=0
autorestart=false
[program:unquoted]
command=sh -c "open
autostart=false
[program:empty]
command=
autostart=false
[program:wk]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
priority=7
[group:pool]
programs=wk
priority=5
[program:none]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=0
"""
NAMES = (
    "web",
    "spare",
    "missing",
    "nowhere",
    "plain",
    "folder",
    "brief",
    "done",
    "fine",
    "killed",
    "unquoted",
    "empty",
)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    pair = Pair(PROGRAMS)
    try:
        pair.wait_state("web", "RUNNING")
        pair.wait_state("pool:wk_1", "RUNNING")
        pair.wait_state("done", "EXITED")
        pair.wait_state("killed", "EXITED")
        for daemon in pair.each():
            until(lambda daemon=daemon: "oops" in daemon.rpc.readProcessStderrLog("web", 0, 0))
            until(lambda daemon=daemon: "four" in daemon.rpc.readProcessStdoutLog("web", 0, 0))
        yield pair
    finally:
        pair.destroy()


UNLIKE = ("pid", "now", "start", "stop")
"""Values that differ from run to run; whether they are 0 does not."""


def normal(value: Any, daemon: Daemon) -> Any:
    """A result without what differs from run to run."""
    if isinstance(value, str):
        return value.replace(str(daemon.folder), "FOLDER")
    if isinstance(value, (list, tuple)):
        return [normal(one, daemon) for one in value]
    if isinstance(value, dict):
        row = {name: bool(one) if name in UNLIKE else normal(one, daemon) for name, one in value.items()}
        if "description" in row and "statename" in row and row["statename"] in ("RUNNING", "EXITED", "STOPPED"):
            row["description"] = row["description"] == "Not started" or row["statename"]
        for name, one in row.items():
            if name.endswith("logfile") and (one == "auto" or "---supervisor-" in str(one)):
                row[name] = ""  # initd makes such a file when the process is started first
        return row
    return value


def both(pair: Pair, method: str, *args: Any) -> tuple[Any, Any]:
    """What the two answer to one call."""
    told = []
    for daemon in pair.each():
        function = daemon.proxy
        for part in method.split("."):
            function = getattr(function, part)
        told.append(normal(outcome(lambda function=function: function(*args)), daemon))
    return told[0], told[1]


LOOKING: list[tuple[str, tuple[Any, ...]]] = [
    *[(f"supervisor.{name}", ()) for name in (
        "getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState", "getAllProcessInfo",
        "getAllConfigInfo", "getNothing", "_update", "getPID.x", "",
    )],
    *[("supervisor.getProcessInfo", (name,)) for name in (
        *NAMES, "pool:wk_0", "wk_0", "pool", "pool:*", "nope", "", ":", "a:b:c",
    )],
    ("supervisor.getProcessInfo", ()),
    ("supervisor.getProcessInfo", ("web", "web")),
    *[("supervisor.readProcessStdoutLog", ("web", *place)) for place in (
        (0, 0), (0, 5), (4, 3), (-5, 0), (-500, 0), (100, 5), (-5, 5), (0, -1), (5, -1), (2, 1000), (18, 1),
    )],
    *[(f"supervisor.{name}", ("web", 0, 3)) for name in ("readProcessLog", "readProcessStderrLog")],
    *[("supervisor.readProcessStdoutLog", (name, 0, 0)) for name in ("spare", "missing", "nope", "pool:*")],
    ("supervisor.readProcessStdoutLog", ("web", "0", "5")),
    ("supervisor.readProcessStdoutLog", ("web", 0)),
    *[("supervisor.tailProcessStdoutLog", ("web", *place)) for place in (
        (0, 5), (0, 18), (0, 19), (0, 1000), (5, 5), (19, 5), (1000, 5), (0, 0), (-5, 5), (5, -1), (13, 6), (18, 1),
    )],
    *[(f"supervisor.{name}", ("web", 0, 100)) for name in ("tailProcessLog", "tailProcessStderrLog")],
    *[("supervisor.tailProcessStdoutLog", (name, 0, 10)) for name in ("spare", "missing", "nope", "pool:*")],
    ("supervisor.readLog", (-5, 5)),
    ("supervisor.readLog", (0, -5)),
    ("supervisor.sendProcessStdin", ("spare", "x")),
    ("supervisor.sendProcessStdin", ("nope", "x")),
    ("supervisor.sendProcessStdin", ("pool:*", "x")),
    ("supervisor.addProcessGroup", ("web",)),
    ("supervisor.addProcessGroup", ("nope",)),
    ("supervisor.removeProcessGroup", ("web",)),
    ("supervisor.removeProcessGroup", ("nope",)),
    ("supervisor.reloadConfig", ()),
    *[("supervisor.signalProcess", args) for args in (
        ("web", "XX"), ("spare", "HUP"), ("nope", "HUP"), ("web", "0"), ("web", "CONT"), ("web", 18),
        ("web", "sigcont"),
        ("pool:*", "CONT"), ("pool:*", "XX"), ("nope:*", "CONT"), ("web", "SIGRTMIN+1"), ("web",),
    )],
    ("supervisor.signalProcessGroup", ("pool", "CONT")),
    ("supervisor.signalProcessGroup", ("nope", "CONT")),
    ("supervisor.signalAllProcesses", ("CONT",)),
    ("supervisor.signalAllProcesses", ("XX",)),
    *[("supervisor.startProcess", (name,)) for name in (
        "web", "missing", "nowhere", "plain", "folder", "brief", "nope", "pool:nope", "nope:*", "pool:wk_0", "unquoted",
        "empty",
    )],
    ("supervisor.startProcess", ("missing", False)),
    ("supervisor.startProcess", ()),
    ("supervisor.startProcess", ("web", True, 1)),
    ("supervisor.startProcessGroup", ("pool",)),
    ("supervisor.startProcessGroup", ("none",)),
    ("supervisor.startProcessGroup", ("nope",)),
    ("supervisor.startProcessGroup", ("missing",)),
    *[("supervisor.stopProcess", (name,)) for name in ("spare", "nope", "nope:*", "done", "missing")],
    ("supervisor.stopProcessGroup", ("spare",)),
    ("supervisor.stopProcessGroup", ("none",)),
    ("supervisor.stopProcessGroup", ("nope",)),
    ("supervisor.clearProcessLogs", ("nope",)),
    ("supervisor.clearProcessLog", ("pool:*",)),
    ("system.listMethods", ()),
    ("system.methodHelp", ("nope",)),
    ("system.methodSignature", ("nope",)),
    ("system.multicall", ([],)),
    ("system.multicall", ([{"methodName": "supervisor.getVersion", "params": []}, {"params": []}],)),
    ("system.multicall", ([{"methodName": "x"}, {"methodName": "supervisor.getState"}],)),
    ("system.multicall", ([{"methodName": "system.multicall", "params": [[]]}],)),
    ("system.multicall", ([{"methodName": "supervisor.getProcessInfo", "params": ["nope"]}],)),
    ("system.multicall", ([{"methodName": "supervisor.getState"}, {"methodName": "system.listMethods"}],)),
    ("system.nothing", ()),
    ("nothing.nothing", ()),
    ("nothing", ()),
]  # fmt: skip


@pytest.mark.parametrize(("method", "args"), LOOKING, ids=lambda value: str(value)[:60])
def test_a_call_that_changes_nothing_is_answered_alike(pair: Pair, method: str, args: tuple[Any, ...]) -> None:
    ours, theirs = both(pair, method, *args)
    assert ours == theirs


def test_every_method_has_the_same_types(pair: Pair) -> None:
    for name in pair.ours.proxy.system.listMethods():
        ours, theirs = both(pair, "system.methodSignature", name)
        assert (name, ours) == (name, theirs)
        assert len(pair.ours.proxy.system.methodHelp(name)) > 20


STEPS: list[tuple[str, tuple[Any, ...]]] = [
    ("startProcess", ("spare",)),
    ("startProcess", ("spare",)),
    ("getProcessInfo", ("spare",)),
    ("stopProcess", ("spare",)),
    ("getProcessInfo", ("spare",)),
    ("startProcessGroup", ("spare", False)),
    ("stopProcess", ("spare", False)),
    ("stopProcessGroup", ("pool",)),
    ("getProcessInfo", ("pool:wk_0",)),
    ("startProcess", ("pool:*",)),
    ("stopProcess", ("pool:*",)),
    ("startProcess", ("pool:wk_1",)),
    ("signalProcess", ("pool:wk_1", "KILL")),
    ("startProcess", ("brief",)),
    ("getProcessInfo", ("brief",)),
    ("stopProcess", ("brief",)),
    ("sendProcessStdin", ("web", "hello\n")),
    ("stopAllProcesses", ()),
    ("stopAllProcesses", ()),
    ("getAllProcessInfo", ()),
    ("removeProcessGroup", ("pool",)),
    ("getProcessInfo", ("pool:wk_1",)),
    ("getAllConfigInfo", ()),
    ("reloadConfig", ()),
    ("addProcessGroup", ("pool",)),
    ("addProcessGroup", ("pool",)),
    ("getProcessInfo", ("pool:wk_0",)),
    ("clearProcessLogs", ("web",)),
    ("clearAllProcessLogs", ()),
    ("startProcess", ("web",)),
    ("clearProcessLogs", ("web",)),
    ("clearLog", ()),
]


def test_a_session_that_changes_things_goes_alike() -> None:
    pair = Pair(PROGRAMS)
    try:
        pair.wait_state("web", "RUNNING")
        pair.wait_state("pool:wk_1", "RUNNING")
        pair.wait_state("killed", "EXITED")
        with pair.theirs.awake():
            for number, (method, args) in enumerate(STEPS):
                if method in ("getProcessInfo", "getAllProcessInfo"):
                    for daemon in pair.each():
                        until(lambda d=daemon, a=args: _is_settled(d, *a))
                ours, theirs = (_in_order(told) for told in both(pair, f"supervisor.{method}", *args))
                assert (number, method, args, ours) == (number, method, args, theirs)
    finally:
        pair.destroy()


def _in_order(told: Any) -> Any:
    """Rows of a batch come as the processes end, which is up to them."""
    rows = isinstance(told, list) and all(isinstance(one, dict) for one in told)
    return sorted(told, key=lambda row: (row["group"], row["name"])) if rows else told


def _is_settled(daemon: Daemon, *names: str) -> bool:
    """Whether this process, or each of all, is in a state that stays."""
    try:
        rows = [daemon.rpc.getProcessInfo(name) for name in names] or daemon.rpc.getAllProcessInfo()
    except xmlrpc.client.Fault:
        return True
    return all(row["statename"] not in ("STARTING", "STOPPING", "BACKOFF") for row in rows)


@pytest.mark.parametrize("method", ["shutdown", "restart"])
def test_the_whole_is_ended_alike(method: str) -> None:
    pair = Pair("[program:web]\ncommand=sleep 1000\nstartsecs=0\n")
    try:
        ours, theirs = both(pair, f"supervisor.{method}")
        assert ours == theirs is True
        for daemon in pair.each():
            if method == "shutdown":
                assert daemon.process.wait(60) == 0
                assert not (daemon.folder / "s.sock").exists()
            else:
                until(lambda d=daemon: _runs(d), what=f"{daemon.kind} runs again")
    finally:
        pair.destroy()


def _runs(daemon: Daemon) -> bool:
    try:
        return daemon.rpc.getProcessInfo("web")["statename"] == "RUNNING"
    except (OSError, xmlrpc.client.Error):
        return False
