"""ctrl-Z, fg and bg where a shell started initd: the shell notices, and both come back together."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.proc.conftest import Begin
from tests.support.names import Terminal, called, terminal
from tests.support.pid1 import INITD, children, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

COUNTS = "n=0; echo up; while read line; do n=$((n+1)); echo line $n $line; done"
SHELL = ["/bin/bash", "--norc", "--noprofile", "-i"]


def shell_with_job(shell: Terminal, command: str) -> None:
    """Start it in the foreground and wait for its first word."""
    shell.type(b"PS1=; set +o emacs; stty -echo; echo re''ady\n")
    shell.wait_for(b"ready")
    shell.type(f"{INITD} -- sh -c '{command}'\n".encode())
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
        until(lambda: shell_said(shell, b"Stopped", 2))
        shell.type(b"fg\n")
        until(lambda: os.tcgetpgrp(shell.fd) != shell.pid)
        shell.type(b"\x04")
        shell.type(b"echo status $?; exit 0\n")
        shell.wait_for(b"status 0")
        assert shell.status() == 0


def shell_said(shell: Terminal, text: bytes, count: int) -> bool:
    if shell.said.count(text) < count:
        shell.said += os.read(shell.fd, 4096)
    return shell.said.count(text) >= count


def test_in_the_background_it_runs_on() -> None:
    with terminal(SHELL) as shell:
        shell_with_job(
            shell, "echo up; until [ -e /proc/$PPID/x ]; do sleep 0.1; n=x$n; [ $n = xxxxxxxx ] && exit; done"
        )
        shell.type(b"\x1a")
        shell.wait_for(b"Stopped")
        shell.type(b"bg; wait; echo status $?; exit 0\n")
        shell.wait_for(b"status 0")
        assert shell.status() == 0


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
