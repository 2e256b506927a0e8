"""Our supervisorctl beside the original: the same words to the same daemon, the same output and exit status."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.rpclab import OURS, THEIRS, Daemon, plain
from tests.support.waiting import until

pytestmark = pytest.mark.proc

PROGRAMS = """
[program:web]
command=/bin/sh -c "echo to stdout; echo to stderr >&2; exec sleep 1000"
[program:spare]
command=sleep 1000
autostart=false
[program:missing]
command=/no/such/file
autostart=false
[program:plain]
command={folder}/app.ini
autostart=false
[program:brief]
command=/bin/sh -c "exit 3"
autostart=false
startretries=0
[program:done]
command=/bin/sh -c "exit 2"
startsecs=0
autorestart=false
[program:mute]
command=sleep 1000
stdout_logfile=NONE
[program:wk]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
[group:pool]
programs=wk
priority=5
[program:a_program_with_a_name_beyond_thirty_characters]
command=sleep 1000
autostart=false
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    daemon = Daemon("initd", PROGRAMS)
    try:
        daemon.start()
        settle(daemon)
        yield daemon
    finally:
        daemon.destroy()


def settle(daemon: Daemon) -> None:
    """Bring every process back to where it was at first."""
    for name in ("web", "mute", "pool:wk_0", "pool:wk_1"):
        if daemon.rpc.getProcessInfo(name)["statename"] in ("STOPPED", "EXITED", "FATAL"):
            daemon.rpc.startProcess(name, False)
        daemon.wait_state(name, "RUNNING")
    for name in ("spare", "a_program_with_a_name_beyond_thirty_characters"):
        if daemon.rpc.getProcessInfo(name)["statename"] not in ("STOPPED", "EXITED", "FATAL"):
            daemon.rpc.stopProcess(name)
    daemon.wait_state("done", "EXITED")
    until(lambda: "to stderr" in daemon.rpc.readProcessStderrLog("web", 0, 0))


LOOKING = [
    "status", "status web", "status pool:*", "status pool:wk_0 web", "status nope", "status nope:*", "status pool:nope",
    "status pool", "status all", "status web nope", "status done", "status spare", "status pool:",
    "pid", "pid web", "pid all", "pid spare", "pid nope", "pid web nope spare",
    "version", "version x", "avail", "avail x", "open x", "open ftp://x",
    "help", "help help", "help status", "help nope", "help tail", "help maintail", "help EOF", "?", "? pid",
    "tail", "tail web", "tail web stderr", "tail web STDERR", "tail -5 web", "tail -0 web", "tail -x web",
    "tail web bad",
    "tail nope", "tail mute", "tail a b c d", "tail -f", "tail -5 web stderr", "tail spare", "tail -5",
    "maintail x", "maintail -x", "maintail -1 -2", "start", "stop", "restart", "signal", "signal HUP", "clear", "fg",
    "fg a b", "fg nope", "fg spare", "reread", "reread x", "update", "update nope", "add nope", "add web", "add",
    "remove nope", "remove web", "remove", "shutdown x", "reload x", "nope", "start-web", "exit", "quit", "EOF", "!ls",
]  # fmt: skip
"""Lines that change nothing."""

for one in ("add", "avail", "clear", "exit", "fg", "open", "pid", "quit", "reload", "remove", "reread", "restart"):
    LOOKING.append(f"help {one}")
for one in ("shutdown", "signal", "start", "stop", "update", "version"):
    LOOKING.append(f"help {one}")


@pytest.mark.parametrize("line", LOOKING)
def test_a_line_that_changes_nothing_is_answered_alike(daemon: Daemon, line: str) -> None:
    ours, theirs = (daemon.ctl(client, *line.split()) for client in (OURS, THEIRS))
    assert (ours[0], plain(ours[1])) == (theirs[0], plain(theirs[1]))


CHANGING = [
    "start spare", "start web", "start missing", "start plain", "start brief", "start nope", "start nope:*",
    "start pool:*", "start all", "start spare web nope", "start pool:wk_0", "start done",
    "stop web", "stop spare", "stop nope", "stop nope:*", "stop pool:*", "stop all", "stop pool:wk_1 web",
    "restart web", "restart spare", "restart pool:*", "restart nope", "restart missing",
    "signal HUP nope", "signal CONT web", "signal 18 web", "signal SIGCONT pool:*", "signal CONT all", "signal XX web",
    "signal CONT spare", "signal XX pool:*", "signal CONT nope:*", "signal 0 web", "signal 999 web", "signal cont web",
    "clear web", "clear nope", "clear pool:wk_0", "clear all", "clear pool:*", "clear web nope",
]  # fmt: skip


@pytest.mark.parametrize("line", CHANGING)
def test_a_line_that_changes_something_does_it_alike(daemon: Daemon, line: str) -> None:
    told = []
    for client in (OURS, THEIRS):
        settle_after_clear(daemon, line)
        told.append(daemon.ctl(client, *line.split()))
    settle_after_clear(daemon, line)
    assert (told[0][0], plain(told[0][1])) == (told[1][0], plain(told[1][1]))


def settle_after_clear(daemon: Daemon, line: str) -> None:
    if line.startswith("clear"):
        return
    try:
        settle(daemon)
    except AssertionError:
        daemon.rpc.stopProcess("web")
        settle(daemon)


def test_without_any_control_section_initd_itself_is_asked(daemon: Daemon) -> None:
    bare = daemon.folder / "bare.ini"
    bare.write_text("[program:web]\ncommand=sleep 1000\n")
    through_rpc = daemon.ctl(OURS, "status")
    for options in (("-c", str(bare)), ()):
        direct = daemon.ctl(OURS, "status", options=options)
        assert (direct[0], plain(direct[1])) == (through_rpc[0], plain(through_rpc[1]))


def test_a_url_that_leads_nowhere_gives_way_to_initd(daemon: Daemon) -> None:
    lost = daemon.folder / "lost.ini"
    lost.write_text(f"[supervisorctl]\nserverurl=unix://{daemon.folder}/none.sock\n")
    assert daemon.ctl(OURS, "pid", options=("-c", str(lost))) == daemon.ctl(OURS, "pid")


UNREACHABLE = ["status", "start x", "stop x", "tail x", "pid", "shutdown", "version", "signal HUP x", "clear all"]


@pytest.mark.parametrize("line", UNREACHABLE)
@pytest.mark.parametrize("url", ["unix://{folder}/none.sock", "http://127.0.0.1:9"])
def test_nobody_there_is_said_alike(daemon: Daemon, line: str, url: str) -> None:
    options = ("-c", str(daemon.ini), "-s", url.format(folder=daemon.folder))
    ours, theirs = (daemon.ctl(client, *line.split(), options=options) for client in (OURS, THEIRS))
    assert ours == theirs


@pytest.mark.parametrize("options", [("-x",), ("-c", "/no/file"), ("-s", "nonsense"), ("-s",), ("-u", "a", "-u", "b")])
def test_wrong_options_leave_with_2_and_no_output(daemon: Daemon, options: tuple[str, ...]) -> None:
    ours, theirs = (daemon.ctl(client, "status", options=options) for client in (OURS, THEIRS))
    assert ours == theirs == (2, "")


SESSION = "help pid\n\nstatus web\nnope\nversion\nexit\n"


def test_a_conversation_reads_alike(daemon: Daemon) -> None:
    ours, theirs = (daemon.ctl(client, text=SESSION) for client in (OURS, THEIRS))
    assert (ours[0], plain(ours[1])) == (theirs[0], plain(theirs[1]))
    ours, theirs = (daemon.ctl(client, "-i", text="pid web\n") for client in (OURS, THEIRS))
    assert (ours[0], plain(ours[1])) == (theirs[0], plain(theirs[1]))


def test_the_environment_of_the_tests_is_not_in_the_way() -> None:
    assert "SUPERVISOR_SERVER_URL" not in os.environ
