"""`hubctl top` on a terminal and off it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.liveagent import LiveAgent
from tests.support.livehub import ROOT, LiveHub
from tests.support.waiting import until

Run = Callable[..., int]


def test_off_a_terminal_it_prints_once(hubctl: Run, shop: LiveAgent, capsys: pytest.CaptureFixture[str]) -> None:
    assert hubctl("top") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 of 1 agents live" in lines[0] and lines[2].startswith("AGENT") and len(lines) == 5
    assert "\033" not in "".join(lines)


def test_on_a_terminal_it_goes_on_until_ctrl_c_and_is_seen_as_watching(hub: LiveHub, shop: LiveAgent) -> None:
    ours, theirs = pty.openpty()
    key = str(hub.folder / "state" / "client" / "admin.json")
    argv = [
        sys.executable,
        "-I",
        str(ROOT / "initd" / "prefix.py"),
        "hub.ctl",
        "--key",
        key,
        "top",
        "--interval",
        "0.2",
    ]
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    seen = b""

    def pictures() -> int:
        nonlocal seen
        seen += os.read(ours, 65536)
        return seen.count(b"\033[H")

    until(lambda: pictures() >= 3, what="three pictures")
    until(lambda: shop.beat().watch, what="the hub asks for quick samples")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert b"\033[32mlive" in seen or b"\033[32mRUNNING" in seen
    until(lambda: not shop.beat().watch, what="nobody watches any more")
    os.close(ours)
