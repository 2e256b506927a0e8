"""ctrl-Z, fg and bg where a shell started initd: the shell notices, and both come back together."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.names import Terminal, called, terminal
from tests.support.pid1 import INITD
from tests.support.procfs import children, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

COUNTS = "n=0; echo up; while read line; do n=$((n+1)); echo line $n $line; done"
SHELL = ["/bin/bash", "--norc", "--noprofile", "-i"]

BASH = "bash"
"""For commands that start others under ctrl-Z.  dash does that by vfork(2), and if the child is stopped between vfork
and execve, dash sleeps uninterruptibly and cannot stop: no shell hears of it, with initd above it or without."""


def waits_for(file: Path) -> str:
    """A command that starts others all the time until the file is there, then leaves with 7."""
    return f"echo up; until [ -e {file} ]; do sleep 0.01; done; exit 7"


def shell_with_job(shell: Terminal, command: str, interpreter: str = "sh") -> None:
    """Start it in the foreground and wait for its first word."""
    shell.type(b"PS1=; set +o emacs; stty -echo; echo re''ady\n")
    shell.wait_for(b"ready")
    shell.type(f"{INITD} -- {interpreter} -c '{command}'\n".encode())
    shell.wait_for(b"up\r\n")


def test_ctrl_z_stops_both_and_fg_brings_them_back() -> None:
    with terminal(SHELL) as shell:
        shell_with_job(shell, COUNTS)
        shell.type(b"\x1a")
        shell.wait_for(b"Stopped")
        shell.type(b"echo here''again\n")
        shell.wait_for(b"hereagain")
        shell.type(b"fg\n")
        until(lambda: os.tcgetpgrp(shell.fd) != shell.pid)
        shell.type(b"one\n")
        shell.wait_for(b"line 1 one")
        shell.type(b"\x1a")
        shell.wait_for(b"Stopped", 2)
        shell.type(b"fg\n")
        until(lambda: os.tcgetpgrp(shell.fd) != shell.pid)
        shell.type(b"\x04")
        shell.type(b"echo status $?; exit 0\n")
        shell.wait_for(b"status 0")
        assert shell.status() == 0


def test_in_the_background_it_runs_on(tmp_path: Path) -> None:
    with terminal(SHELL) as shell:
        shell_with_job(shell, waits_for(tmp_path / "go"), BASH)
        shell.type(b"\x1a")
        shell.wait_for(b"Stopped")
        shell.type(b"bg; echo be''hind; wait %1; echo status $?; exit 0\n")
        shell.wait_for(b"behind")
        (tmp_path / "go").touch()
        shell.wait_for(b"status 7")
        assert shell.status() == 0


def test_however_often_it_is_stopped_it_comes_back(tmp_path: Path) -> None:
    """At any moment of a command that starts others all the time."""
    with terminal(SHELL) as shell:
        shell_with_job(shell, waits_for(tmp_path / "go"), BASH)
        [initd] = children(shell.pid)
        [command] = children(initd)
        for stop in range(1, 13):
            shell.type(b"\x1a")
            shell.wait_for(b"Stopped", stop)
            shell.type(b"fg\n")
            until(lambda: os.tcgetpgrp(shell.fd) == command and status(command, "State")[0] != "T")
        (tmp_path / "go").touch()
        shell.type(b"echo status $?; exit 0\n")
        shell.wait_for(b"status 7")


def test_reading_in_the_background_stops_both() -> None:
    with terminal(SHELL) as shell:
        shell.type(b"PS1=; stty -echo; echo re''ady\n")
        shell.wait_for(b"ready")
        shell.type(f"{INITD} -- sh -c 'echo up; read line; echo got $line' &\n".encode())
        shell.wait_for(b"up\r\n")
        initd = until(lambda: children(shell.pid))[0]
        until(lambda: status(initd, "State")[0] == "T")
        shell.type(b"fg\n")
        until(lambda: status(initd, "State")[0] == "S")
        until(lambda: os.tcgetpgrp(shell.fd) not in (shell.pid, initd))
        shell.type(b"this\n")
        shell.wait_for(b"got this")


@pytest.mark.parametrize("signum", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_suspension_sent_to_initd_stops_both(begin: Begin, signum: int) -> None:
    init = begin(command=("sh", "-c", "echo up; while :; do sleep 0.05; done"), namespace=False)
    init.wait_out("up")
    [command] = init.children()
    init.send(signum)
    until(lambda: status(init.pid, "State")[0] == status(command, "State")[0] == "T")
    init.send(signal.SIGCONT)
    until(lambda: status(init.pid, "State")[0] == "S" and status(command, "State")[0] != "T")
    init.send(signal.SIGTERM)
    assert init.wait() == 143


def test_a_debugger_that_stops_the_command_does_not_stop_initd(begin: Begin) -> None:
    init = begin(command=("sh", "-c", "(sleep 0.3 &); echo up; exec sleep 1000"), namespace=False)
    init.wait_out("up")
    [command] = until(lambda: found if len(found := init.children()) == 1 else None)
    os.kill(command, signal.SIGSTOP)
    until(lambda: status(command, "State")[0] == "T")
    init.send(signal.SIGHUP)  # it still listens: this waits in the stopped command, CONT lets it act
    init.send(signal.SIGCONT)
    assert init.wait() == 129


IGNORES = "import os, signal, sys; signal.signal(20, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


def test_who_ignores_suspension_goes_on(begin: Begin) -> None:
    init = begin(
        command=("sh", "-c", "echo up; exec sleep 1000"), namespace=False, wrapper=(sys.executable, "-c", IGNORES)
    )
    init.wait_out("up")
    init.send(signal.SIGTSTP)
    init.send(signal.SIGTERM)
    assert init.wait() == 143


@pytest.mark.parametrize("name", ["initd", "tini"])
def test_ctrl_z_does_not_hang_a_container(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As PID 1 there is no shell above that could say fg."""
    path = called(name, tmp_path_factory.mktemp("names")) if name != "initd" else INITD
    with terminal(["/usr/bin/unshare", "--pid", "--fork", "--kill-child", path, "--", "sh", "-c", COUNTS]) as box:
        box.wait_for(b"up\r\n")
        box.type(b"\x1a")
        box.type(b"still\n")
        box.wait_for(b"line 1 still")
        box.type(b"\x04")
        assert box.status() == 0


def test_the_terminal_is_given_back_at_the_end() -> None:
    """To a script that is not interactive and so does not take it back itself."""
    script = f"{INITD} -- true; read line; echo got $line"
    with terminal(["/bin/sh", "-c", script]) as shell:
        shell.type(b"this\n")
        shell.wait_for(b"got this")
