"""The rate of the enrolment port, and the process that may die."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from hub import expendable
from hub.discovery.enrol_port import BURST, BUSY_RATE, BUSY_SECONDS, RATE, Bucket, Pace, Queue
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


def test_who_comes_too_soon_is_sent_to_the_end_of_the_row() -> None:
    pace = Pace(0.0)
    told = [pace.take(0.0) for _ in range(int(BURST + BUSY_RATE) + 10)]
    assert told[: int(BURST)] == [0.0] * int(BURST) and told[-10:] == [None] * 10
    waits = [seconds for seconds in told[int(BURST) : -10] if seconds is not None]
    assert waits == sorted(waits) and waits[0] == 1.0 and waits[-1] == 1.0 + BUSY_RATE // RATE
    assert all(waits.count(seconds) <= RATE for seconds in set(waits))


@given(st.lists(st.floats(0, 5), max_size=100))
def test_nobody_is_sent_away_for_longer_than_the_longest(pauses: list[float]) -> None:
    pace, now = Pace(0.0), 0.0
    for pause in pauses:
        now += pause / 100
        told = [pace.take(now) for _ in range(500)]
        assert all(seconds is None or 0 <= seconds <= BUSY_SECONDS for seconds in told)


def test_a_row_that_came_in_is_forgotten() -> None:
    queue = Queue(1000.0, 0.0)
    assert queue.join(0.0)[1] == 11.0 and queue.join(100.0)[1] == 1.0


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
