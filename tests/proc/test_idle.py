"""An idle PID 1 sleeps: it wakes 0 times."""

from __future__ import annotations

import time

import pytest

from tests.proc.conftest import Begin
from tests.support.procfs import status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

WINDOW = 3.0
"""Seconds of watching; supervisord's loop would wake three times."""


def wakings(pid: int) -> int:
    return int(status(pid, "voluntary_ctxt_switches"))


def slept(pid: int, seconds: float) -> bool:
    """Whether it did not wake once in so many seconds."""
    before, end = wakings(pid), time.monotonic() + seconds
    until(lambda: time.monotonic() >= end)
    return wakings(pid) == before


def test_no_waking_without_a_reason(begin: Begin) -> None:
    init = begin("".join(f"[program:p{i}]\ncommand=sleep 1000\n" for i in range(20)))
    init.wait_state("p19", "RUNNING")
    until(lambda: slept(init.pid, 0.5), what="the last of its timers")
    assert slept(init.pid, WINDOW)


def test_single_command_mode_sleeps_too(begin: Begin) -> None:
    init = begin(command=("sh", "-c", "echo up; exec sleep 1000"))
    init.wait_out("up")
    until(lambda: slept(init.pid, 0.5))
    assert slept(init.pid, WINDOW)
