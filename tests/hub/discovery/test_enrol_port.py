"""The rate of the enrolment port, and the process that may die."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from hub import expendable
from hub.discovery.enrol_port import BURST, RATE, Bucket
from tests.support.waiting import until


@given(st.lists(st.floats(0, 10), max_size=200))
def test_no_more_than_burst_and_rate_pass(pauses: list[float]) -> None:
    bucket, now, passed = Bucket(BURST, 0.0), 0.0, 0
    for pause in pauses:
        now += pause / 1000
        for _ in range(3):
            bucket, allowed = bucket.take(now)
            passed += allowed
    assert passed <= BURST + RATE * now + 1e-6


def test_who_waits_passes_again() -> None:
    bucket, results = Bucket(BURST, 0.0), []
    for _ in range(int(BURST) + 1):
        bucket, allowed = bucket.take(0.0)
        results.append(allowed)
    assert results == [True] * int(BURST) + [False]
    assert bucket.take(0.02)[1] is True


def _echo(end: socket.socket) -> None:
    """A worker that gives packets back, dies of `die`, and ends with its hub."""
    while packet := end.recv(1024):
        if packet == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        end.send(str(os.getpid()).encode())


def _ask(end: socket.socket, packet: bytes) -> bytes:
    end.setblocking(True)
    end.settimeout(0.3)
    with suppress(OSError):
        end.send(packet)
        return end.recv(1024)
    return b""


def test_a_worker_that_dies_is_followed_by_another_and_all_end_with_the_hub() -> None:
    end, keeper = expendable.start(_echo)
    first = until(lambda: _ask(end, b"who"))
    end.send(b"die")
    second = until(lambda: _ask(end, b"who"))
    assert first != second
    end.close()
    assert os.waitpid(keeper, 0) == (keeper, 0)
    until(lambda: not os.path.exists(f"/proc/{int(second)}"), what="the worker has ended")
