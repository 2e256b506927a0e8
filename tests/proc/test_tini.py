"""Called as tini, initd does what tini's own tests ask of it, and ends as the original does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.names import called, inherited_signals, original, statuses, terminal
from tests.support.pid1 import Pid1
from tests.support.procfs import children, descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

QUIET = {"TINI_SUBREAPER": ""}
ORPHANS = "for i in 1 2 3 4 5 6 7 8; do (sleep 0.3 &); done; echo up; exec sleep 1000"
PROXY = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
ADOPTERS = {
    "by option": (("-s",), {}, ()),
    "by environment": ((), QUIET, ()),
    "by whoever executed it": ((), {}, (sys.executable, "-c", PROXY)),
}


@pytest.fixture
def tini(tmp_path: Path) -> str:
    return called("tini", tmp_path)


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ, **environ})


def test_every_status_can_be_turned_into_0() -> None:
    argvs = [["-e", str(code), "--", "sh", "-c", f"exit {code}"] for code in range(256)]
    assert statuses("tini", argvs, QUIET) == [0] * 256


def test_every_status_passes_where_all_others_are_listed() -> None:
    others = [[word for n in range(256) if n != code for word in ("-e", str(n))] for code in range(256)]
    argvs = [[*words, "sh", "-c", f"exit {code}"] for code, words in enumerate(others)]
    assert statuses("tini", argvs, QUIET) == list(range(256))


@pytest.mark.parametrize("way", ADOPTERS)
def test_orphans_are_adopted_and_reaped(begin: Begin, tini: str, way: str) -> None:
    options, environ, wrapper = ADOPTERS[way]
    init = begin(
        command=("sh", "-c", ORPHANS), launcher=(tini, *options), env=environ, wrapper=wrapper, namespace=False
    )
    init.wait_out("up")
    until(lambda: len(list(descendants(init.pid))) == 1)
    [main] = descendants(init.pid)
    assert os.getpgid(main) == main
    assert "zombie" not in init.said()


def test_reaps_are_said_on_request(begin: Begin, tini: str) -> None:
    init = begin(command=("sh", "-c", ORPHANS), launcher=(tini, "-s", "-w"), namespace=False)
    init.wait_said(r"Reaped zombie process with pid=\d+", 8)


def test_without_a_subreaper_it_warns_and_orphans_go_elsewhere(begin: Begin, tini: str) -> None:
    init = begin(
        command=("sh", "-c", "(sleep 4711 &); echo up; exec sleep 1000"),
        launcher=(tini,),
        namespace=False,
        wrapper=("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", '"$@"; exit', "x"),
    )
    init.wait_out("up")
    init.wait_said("zombie reaping won't work")
    until(lambda: len(children(init.pid)) == 1)
    assert status(children(init.pid)[0], "Name") == "sleep"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_ends_the_command_and_is_the_status(begin: Begin, tini: str, signum: int) -> None:
    init = begin(command=("sh", "-c", "echo up; exec sleep 1000"), launcher=(tini, "-s"), namespace=False)
    init.wait_out("up")
    init.send(signum)
    assert init.wait() == 128 + signum


OPEN = "import signal; signal.signal(10, signal.SIG_DFL); print(str(1), flush=True); signal.pause()"
GROUP = f"trap '' USR1; {sys.executable} -c '{OPEN}'; exit 3"


@pytest.mark.parametrize("way", [("-g", {}), ("-s", {"TINI_KILL_PROCESS_GROUP": "1"})])
def test_the_group_gets_what_the_command_ignores(begin: Begin, tini: str, way: tuple[str, dict[str, str]]) -> None:
    init = begin(command=("sh", "-c", GROUP), launcher=(tini, way[0]), env={**QUIET, **way[1]}, namespace=False)
    init.wait_out("1")
    init.send(signal.SIGUSR1)
    assert init.wait() == 3


@pytest.mark.parametrize("options", [["-s", "--"], ["--"]])
def test_exactly_the_callers_signals_are_blocked_and_ignored(tini: str, options: list[str]) -> None:
    ignored = [signal.SIGTTOU, signal.SIGSEGV, signal.SIGINT]
    blocked = [signal.SIGTTIN, signal.SIGILL, signal.SIGTERM]
    assert inherited_signals([tini, *options], ignored, blocked) == {"SigIgn": set(ignored), "SigBlk": set(blocked)}
    assert inherited_signals([tini, *options], [], []) == {"SigIgn": set(), "SigBlk": set()}


def test_the_parents_death_is_a_signal_to_the_command(tini: str, tmp_path: Path) -> None:
    script = f"trap 'echo ok >{tmp_path}/told; exit' USR1; echo up; while :; do sleep 0.05; done"
    starter = f'{tini} -s -p SIGUSR1 -- sh -c "$0" & wait'
    with subprocess.Popen(["sh", "-c", starter, script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == b"up\n"
        parent.kill()
    until(lambda: (tmp_path / "told").exists())


LINES = {
    "no words": [], "bad option": ["-x", "true"], "bad status": ["-e", "300", "true"], "no value": ["-e"],
    "bad signal": ["-p", "NOPE", "true"], "help": ["-h"], "version": ["--version"], "licence": ["-l"],
    "missing": ["--", "/nowhere/x"], "missing in PATH": ["--", "no-such-command"], "no program": ["--", "/etc/passwd"],
    "a directory": ["--", "/etc"], "true": ["--", "true"], "false": ["--", "false"], "no dashes": ["false"],
    "bundled": ["-sgw", "--", "false"], "value beside": ["-e1", "--", "false"],
    "killed": ["--", "sh", "-c", "kill -9 $$"], "killed and pardoned": ["-e", "137", "--", "sh", "-c", "kill -9 $$"],
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_it_ends_as_the_original_does(tini: str, line: str) -> None:
    ours, theirs = run(tini, *LINES[line], **QUIET), run(original("tini"), *LINES[line], **QUIET)
    assert ours.returncode == theirs.returncode
    assert bool(ours.stdout) == bool(theirs.stdout) and bool(ours.stderr) == bool(theirs.stderr), ours


@pytest.mark.parametrize(("verbosity", "lines"), [("0", 0), ("1", 1), ("2", 3), ("x", 0)])
def test_verbosity_by_environment(tini: str, verbosity: str, lines: int) -> None:
    done = run(tini, "--", "true", TINI_VERBOSITY=verbosity)
    assert (done.returncode, len(done.stderr.splitlines())) == (0, lines), done.stderr


def test_options_end_where_the_command_begins(tini: str) -> None:
    assert run(tini, "-s", "sh", "-c", "exit 4").returncode == 4


def test_input_passes_through(tini: str) -> None:
    assert subprocess.run([tini, "-s", "--", "cat"], input=b"hello", capture_output=True).stdout == b"hello"


def test_on_a_terminal(tini: str) -> None:
    with terminal([tini, "-s", "--", "sh", "-i"]) as shell:
        shell.type(b"exit 0\n")
        assert shell.status() == 0
    with terminal([tini, "-s", "--", "sh", "-c", "echo u''p; exec sleep 1000"]) as sleeper:
        sleeper.wait_for(b"up")
        sleeper.type(b"\x03")
        assert sleeper.status() == 130


def test_as_pid_1_it_needs_no_option_and_says_nothing(begin: Begin, tini: str) -> None:
    init: Pid1 = begin(command=("sh", "-c", ORPHANS), launcher=(tini,))
    init.wait_out("up")
    until(lambda: len(list(descendants(init.pid))) == 1)
    assert init.said() == ""


@pytest.mark.parametrize("name", ["docker-init", "tini-static"])
def test_its_other_names(tmp_path: Path, name: str) -> None:
    assert run(called(name, tmp_path), "--version").stdout.startswith("tini version 0.19.0")
    assert run(called(name, tmp_path), "--", "sh", "-c", "exit 6", **QUIET).returncode == 6


def test_called_as_catatonit(tmp_path: Path) -> None:
    catatonit = called("catatonit", tmp_path)
    assert run(catatonit, "-g", "--", "sh", "-c", "exit 5").returncode == 5
    words = ([], ["-h"], ["--version"], ["-P"], ["-x"])
    assert [run(catatonit, *one).returncode for one in words] == [1, 0, 0, 1, 1]
