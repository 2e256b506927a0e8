"""Single-command mode: `initd -- COMMAND` is invisible, except that it is a proper init."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.mortals import DEADLY
from tests.support.pid1 import INITD, ROOT
from tests.support.procfs import descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

ECHO = """
import signal
numbers = [number for number in range(1, 32) if number not in (9, 17, 19, 20, 21, 22)]
for number in numbers:
    signal.signal(number, lambda signum, frame: print(f"got {signum}.", flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
"""Says the number of every signal it gets; all but KILL, STOP, CHLD and those of job control."""


FORKED = f"""
import json, os, sys
sys.path.append({str(ROOT)!r})
from initd.single.errand import run
from initd.single.manner import Manner
for argv in json.load(sys.stdin):
    pid = os.fork()
    if pid == 0:
        os._exit(run(Manner(argv=tuple(argv))))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
"""Runs many commands one after the other without starting an interpreter for each."""


def statuses(*scripts: str) -> list[int]:
    """The status of single-command mode for each of these shell scripts."""
    argvs = json.dumps([["sh", "-c", script] for script in scripts])
    done = subprocess.run([sys.executable, "-IS", "-c", FORKED], input=argvs, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [int(line) for line in done.stdout.split()]


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([INITD, "--", *command], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("code", [0, 1, 2, 42, 126, 127, 128, 137, 254, 255])
def test_the_commands_status_is_ours(code: int) -> None:
    assert run("sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("signum", [1, 2, 3, 6, 9, 13, 15, 25, 31])
def test_death_by_a_signal_is_128_and_its_number(signum: int) -> None:
    assert run("sh", "-c", f"ulimit -c 0; kill -{signum} $$").returncode == 128 + signum


def test_all_statuses_pass_through() -> None:
    """tini's first test: none of the 256 has a meaning of its own here."""
    assert statuses(*(f"exit {code}" for code in range(256))) == list(range(256))


def test_death_by_any_signal_is_128_and_its_number() -> None:
    scripts = [f"ulimit -c 0; kill -{signum} $$" for signum in DEADLY]
    assert statuses(*scripts) == [128 + signum for signum in DEADLY]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_kills_the_command_is_the_status(begin: Begin, signum: int) -> None:
    """What `docker kill --signal` shows under tini: 143, 138, 140."""
    init = begin(command=("sh", "-c", "echo up; exec sleep 1000"))
    init.wait_out("up")
    init.send(signum)
    assert init.wait() == 128 + signum


def test_a_pipeline_of_the_command_is_its_own_business(begin: Begin) -> None:
    """As with tini and unlike dumb-init's default: a signal goes to the command, not to its group."""
    init = begin(command=("sh", "-c", "trap 'echo caught; wait' TERM; sleep 0.7 & echo up; wait; wait; exit 3"))
    init.wait_out("up")
    init.send(signal.SIGTERM)
    init.wait_out("caught")
    assert init.wait() == 3


def test_the_init_holds_no_directory_and_the_command_keeps_its_own(begin: Begin) -> None:
    init = begin(command=("sh", "-c", "pwd; exec sleep 1000"))
    init.wait_out(str(init.folder))
    until(lambda: os.readlink(f"/proc/{init.pid}/cwd") == "/")
    [command] = init.children()
    assert os.readlink(f"/proc/{command}/cwd") == str(init.folder)


def test_what_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    missing, plain = run("/nowhere/x"), run(f"{tmp_path}/plain")
    assert (missing.returncode, missing.stderr) == (127, "initd: /nowhere/x: No such file or directory\n")
    assert (plain.returncode, plain.stderr) == (126, f"initd: {tmp_path}/plain: Permission denied\n")
    assert run().returncode == 2


def test_input_output_directory_and_environment_pass_through(tmp_path: Path) -> None:
    done = run("sh", "-c", "cat; pwd; echo $A >&2", input="hello ", cwd=tmp_path, env={**os.environ, "A": "b"})
    assert (done.stdout, done.stderr) == (f"hello {tmp_path}\n", "b\n")


def test_every_signal_is_passed_on(begin: Begin, tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    init = begin(command=(sys.executable, "-IS", str(script)))
    init.wait_out("ready")
    for number in (number for number in range(1, 32) if number not in (9, 17, 19, 20, 21, 22)):
        init.send(number)
        init.wait_out(rf"got {number}\.")


def signal_lines(status: str) -> list[tuple[str, str]]:
    """SigBlk, SigIgn, SigCgt of a /proc/PID/status."""
    pairs = (line.partition(":") for line in status.splitlines())
    return [(name, value) for name, _, value in pairs if name in ("SigBlk", "SigIgn", "SigCgt")]


def test_signals_that_came_blocked_and_ignored_stay_so_for_the_command() -> None:
    code = (
        "import os, signal\n"
        "for n in (signal.SIGTTOU, signal.SIGINT, signal.SIGSEGV): signal.signal(n, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTIN, signal.SIGILL, signal.SIGTERM))\n"
        f"os.execv({INITD!r}, [{INITD!r}, '--', 'cat', '/proc/self/status'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    sets = {name: int(value, 16) for name, value in signal_lines(done.stdout)}

    def bits(*numbers: int) -> int:
        return sum(1 << number - 1 for number in numbers)

    assert sets["SigBlk"] == bits(signal.SIGTTIN, signal.SIGILL, signal.SIGTERM)
    assert sets["SigIgn"] == bits(signal.SIGTTOU, signal.SIGINT, signal.SIGSEGV)


def test_orphans_are_reaped_while_it_runs(begin: Begin) -> None:
    init = begin(command=("sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.2 &) ; done; echo up; exec sleep 1000"))
    init.wait_out("up")
    until(lambda: len(list(descendants(init.pid))) == 1)


def test_what_it_leaves_behind_gets_term_before_the_namespace_ends(begin: Begin, tmp_path: Path) -> None:
    trap = f'trap "echo bye >{tmp_path}/said; exit" TERM; echo ready >{tmp_path}/ready; while :; do sleep 0.05; done'
    init = begin(
        command=("sh", "-c", f"(setsid sh -c '{trap}' &); while [ ! -e {tmp_path}/ready ]; do sleep 0.05; done; exit 9")
    )
    assert init.wait() == 9
    assert (tmp_path / "said").read_text() == "bye\n"


def test_the_command_leads_its_own_group(begin: Begin) -> None:
    init = begin(command=("sleep", "1000"))
    [pid] = until(lambda: [pid for pid in init.children() if status(pid, "Name") == "sleep"])
    assert os.getpgid(pid) == pid


COUNTS = "n=0; trap 'n=$((n + 1)); echo caught' INT; echo up; until read line; do :; done; echo counted $n times"


def hear(terminal: int) -> bytes:
    """What was said there.  A hang-up is asked about twice: the kernel looks for input first and for the hang-up then
    (n_tty_read), so what is said just before it may be told after it."""
    try:
        return os.read(terminal, 1024)
    except OSError:
        return os.read(terminal, 1024)


def test_ctrl_c_arrives_once() -> None:
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execv(INITD, [INITD, "--", "sh", "-c", COUNTS])
    said = b""
    for awaited, typed in ((b"up", b"\x03"), (b"caught", b"\n"), (b"times", b"")):
        while awaited not in said:
            said += hear(terminal)
        os.write(terminal, typed)
    assert b"counted 1 times" in said
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


def test_on_a_terminal_the_command_is_in_the_foreground_and_ctrl_c_is_its_own() -> None:
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execv(
            INITD, [INITD, "--", "sh", "-c", "trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.05; done"]
        )
    said = b""
    while b"up" not in said:
        said += hear(terminal)
    os.write(terminal, b"\x03")
    while b"caught" not in said:
        said += hear(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    os.close(terminal)
