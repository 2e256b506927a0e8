"""How far a stop reaches, with a real kernel: sessions that outlive sshd, daemons that do not outlive a tree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support import ssh
from tests.support.pid1 import Pid1
from tests.support.procfs import children, command_line
from tests.support.waiting import until

pytestmark = pytest.mark.proc

DAEMON = """import os, signal, sys, time
print("began", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {before}
        time.sleep(1000)
    os._exit(0)
os.wait()
print("settled", flush=True)
time.sleep(1000)
"""
SCRUB = "os.execve('/bin/sleep', ['scrubbed', '1000'], {})"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
"""A program that leaves a daemon behind, in a session of its own, by way of a double fork."""

HOLE = """import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(1000)
time.sleep(1000)
"""
"""The leader ends by TERM, the other member of its group ignores it."""

Write = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Write:
    """A file with this Python; the command that runs it."""

    def write(text: str) -> str:
        (tmp_path / "script.py").write_text(text)
        return f"{sys.executable} -IS {tmp_path}/script.py"

    return write


def program(command: str, scope: str, options: str = "") -> str:
    return f"[initd]\n[program:web]\nstartsecs=0\ncommand={command}\nstop_scope={scope}\nstopwaitsecs=1\n{options}"


def others(init: Pid1) -> list[str]:
    """Command lines of all that lives in initd's namespace beside it, as its children; a zombie has none."""
    return [line for line in map(command_line, children(init.pid)) if line]


@pytest.fixture
def logged_in(begin: Begin, tmp_path: Path) -> Iterator[tuple[Pid1, ssh.Session]]:
    init = begin(ssh.config(tmp_path), wrapper=ssh.NETWORK)
    init.wait_state("sshd", "RUNNING")
    session = ssh.Session(init, tmp_path)
    assert session.say("hello") == "hello"
    yield init, session
    session.destroy()


def test_an_ssh_session_outlives_a_restart_of_sshd(logged_in: tuple[Pid1, ssh.Session]) -> None:
    init, session = logged_in
    before = init.ask("status", names=["sshd"])[0]["pid"]
    init.ask("restart", names=["sshd"], wait=60)
    assert init.wait_state("sshd", "RUNNING")["pid"] != before
    assert session.say("still here") == "still here"
    assert session.log_out() == 0


def test_a_shutdown_ends_the_session_all_the_same(logged_in: tuple[Pid1, ssh.Session]) -> None:
    init, session = logged_in
    assert init.stop() == 0
    assert session.process.wait(60) != 0


def test_a_tree_holds_a_daemon_that_left_group_and_session(begin: Begin, script: Write) -> None:
    init = begin(program(script(DAEMON.format(before="pass")), "tree"))
    until(lambda: len(others(init)) == 2, what="the program and its daemon")
    init.ask("stop", names=["web"], wait=60)
    assert others(init) == []


def test_a_tree_kills_who_is_deaf(begin: Begin, script: Write) -> None:
    init = begin(program(script(DAEMON.format(before=DEAF)), "tree"))
    init.wait_out("deaf")
    until(lambda: len(others(init)) == 2, what="the program and its daemon")
    init.ask("stop", names=["web"], wait=60)
    assert others(init) == []
    assert "did not stop in time: SIGKILL" in init.said()


def test_without_a_scope_the_daemon_stays_as_under_supervisord(begin: Begin, script: Write) -> None:
    init = begin(program(script(DAEMON.format(before="pass")), "leader"))
    until(lambda: len(others(init)) == 2, what="the program and its daemon")
    init.ask("stop", names=["web"], wait=60)
    until(lambda: len(others(init)) == 1, what="the daemon alone")  # the list may skip one while another goes (proc(5))
    assert init.stop() == 0  # and the end of all ends it


def test_who_scrubbed_the_mark_is_reported_and_left_alone(begin: Begin, script: Write) -> None:
    hidden = ("unshare", "--mount", "sh", "-c", 'umount -R -l /sys/fs/cgroup; exec "$@"', "sh")
    init = begin(program(script(DAEMON.format(before=SCRUB)), "tree"), wrapper=hidden)
    init.wait_out("settled")  # while the process between the two is there, even a zombie, the daemon is claimed by it
    until(lambda: any("scrubbed" in one for one in others(init)), what="the daemon")
    init.ask("stop", names=["web"], wait=60)
    init.wait_said(r"survived its stop: sleep \(pid \d+, an orphan without a mark\)")
    until(lambda: ["scrubbed" in one for one in others(init)] == [True], what="the daemon alone")


def test_its_own_cgroup_holds_even_who_scrubbed_the_mark(begin: Begin, script: Write) -> None:
    init = begin(program(script(DAEMON.format(before=SCRUB)), "tree"))
    if not any(Path("/sys/fs/cgroup").glob("*/cgroup.procs")) and not Path("/sys/fs/cgroup/cgroup.procs").exists():
        pytest.skip("no cgroups here")
    until(lambda: any("scrubbed" in one for one in others(init)), what="the daemon")
    init.ask("stop", names=["web"], wait=60)
    assert others(init) == []


def test_a_group_is_stopped_when_its_last_member_is_gone(begin: Begin, script: Write) -> None:
    init = begin(program(script(HOLE), "group"))
    init.wait_out("deaf")
    init.ask("stop", names=["web"], wait=60)
    assert others(init) == []


def test_supervisords_hole_is_still_there_by_default(begin: Begin, script: Write) -> None:
    """killasgroup=true and a leader that ends: supervisord reports STOPPED, and the deaf member stays."""
    text = f"[initd]\n[program:web]\nstartsecs=0\ncommand={script(HOLE)}\nstopasgroup=true\nkillasgroup=true\n"
    init = begin(text)
    init.wait_out("deaf")
    init.ask("stop", names=["web"], wait=60)
    assert len(others(init)) == 1


REUSE = """import os, signal, sys
sys.path.insert(0, sys.argv[1])
from initd import sweep
from initd.reaper import start_ticks
def sleeper():
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return pid
first = sleeper()
known = [(first, start_ticks(first))]
os.kill(first, 9)
os.waitpid(first, 0)
while True:
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(first - 1))
    again = sleeper()
    if again == first and start_ticks(again) != known[0][1]:
        break
    os.kill(again, 9)
    os.waitpid(again, 0)
assert sweep.send(known, 9) == []
assert sweep.send([(again, start_ticks(again))], 15) == []
assert os.waitpid(again, 0)[1] == 15, "KILL has hit the new process of that pid"
print("spared")
"""


def test_a_pid_that_was_given_anew_is_spared() -> None:
    namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    run = [*namespace, sys.executable, "-c", REUSE, os.getcwd()]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.stdout == "spared\n", done.stderr
