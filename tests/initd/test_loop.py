"""The loop on real descriptors and signals: it delivers, it survives, it sleeps."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest

from initd.loop import FAULTS, TRIES, Loop, _in_order


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def loop(said: list[str]) -> Iterator[Loop]:
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)}
    made = Loop(said.append)
    yield made
    made.close()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def test_a_ready_descriptor_is_served(loop: Loop, pipe: tuple[int, int]) -> None:
    got = []
    loop.watch(pipe[0], select.EPOLLIN, lambda mask: (got.append(os.read(pipe[0], 10)), loop.stop(7)))
    os.write(pipe[1], b"x")
    assert loop.run() == 7
    assert got == [b"x"]


def test_an_event_of_a_closed_descriptor_is_not_served_to_the_next_of_that_number(loop: Loop) -> None:
    """A dead program's pipe hangs up in the very pass in which a client connects and gets its number."""
    first, second, got = os.pipe(), os.pipe(), list[int]()

    def replace(_mask: int) -> None:
        os.read(first[0], 1)
        loop.forget(second[0])
        os.close(second[0])
        assert os.dup(first[0]) == second[0]
        loop.watch(second[0], select.EPOLLIN, got.append)
        loop.at(loop.now() + 0.01, lambda: loop.stop(0))

    loop.watch(first[0], select.EPOLLIN, replace)
    loop.watch(second[0], select.EPOLLIN, got.append)
    os.write(first[1], b"x")
    os.close(second[1])
    loop.run()
    for fd in (*first, second[0]):
        os.close(fd)
    assert got == []


def test_a_deadline_is_kept(loop: Loop) -> None:
    start = loop.now()
    loop.at(start + 0.02, lambda: loop.stop(0))
    loop.run()
    assert loop.now() >= start + 0.02


def test_a_signal_ends_the_wait(loop: Loop) -> None:
    got = []
    loop.listen((signal.SIGUSR1,), lambda number: (got.append(number), loop.stop(0)))
    loop.at(loop.now() + 0.01, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    loop.run()
    assert got == [signal.SIGUSR1]


def test_each_signal_counts_exactly_once(loop: Loop) -> None:
    got = []
    loop.listen((signal.SIGUSR1, signal.SIGUSR2), got.append)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
        os.kill(os.getpid(), number)
    loop.at(loop.now() + 0.05, lambda: loop.stop(0))
    loop.run()
    assert got == [signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1]


def test_a_full_pipe_loses_no_kind_of_signal() -> None:
    arrived = bytes([signal.SIGCHLD]) * 100
    assert _in_order(arrived, {signal.SIGTERM, signal.SIGCHLD}) == [signal.SIGCHLD, signal.SIGTERM]


def test_deaths_come_first_and_once() -> None:
    arrived = bytes([signal.SIGTERM, signal.SIGCHLD, signal.SIGTERM, signal.SIGCHLD])
    assert _in_order(arrived, set()) == [signal.SIGCHLD, signal.SIGTERM, signal.SIGTERM]


def test_an_exception_is_said_and_survived(loop: Loop, said: list[str]) -> None:
    loop.at(loop.now(), lambda: 1 / 0)
    loop.at(loop.now() + 0.001, lambda: loop.stop(0))
    assert loop.run() == 0
    assert loop.caught == 1
    assert said[0].startswith("caught in timer: ZeroDivisionError: division by zero (test_loop.py:")


def test_a_descriptor_that_always_fails_is_dropped(loop: Loop, said: list[str], pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x")
    loop.watch(pipe[0], select.EPOLLIN, lambda mask: 1 / 0)
    loop.at(loop.now() + 0.2, lambda: loop.stop(0))
    loop.run()
    assert loop.caught == FAULTS
    assert said[-1] == f"descriptor {pipe[0]} is no longer watched after {FAULTS} failures in a row"


def test_running_out_of_memory_is_survived(loop: Loop) -> None:
    def starve() -> None:
        raise MemoryError

    loop.at(loop.now(), starve)
    loop.at(loop.now() + 0.001, lambda: loop.stop(3))
    assert loop.run() == 3


def test_a_complaint_that_fails_is_survived(pipe: tuple[int, int]) -> None:
    def broken(text: str) -> None:
        raise OSError(28, "full")

    loop = Loop(broken)
    loop.at(loop.now(), lambda: 1 / 0)
    loop.at(loop.now() + 0.001, lambda: loop.stop(0))
    loop.run()
    assert loop.caught == 2
    loop.close()


def test_forgetting_a_closed_descriptor_is_harmless(loop: Loop) -> None:
    r, w = os.pipe()
    loop.watch(r, select.EPOLLIN, lambda mask: None)
    os.close(r)
    loop.forget(r)
    loop.forget(r)
    os.close(w)


def test_a_callback_forgotten_in_the_same_pass_is_not_called(loop: Loop) -> None:
    pairs = [os.pipe(), os.pipe()]
    calls = []

    def serve(mask: int) -> None:
        calls.append(mask)
        for r, _ in pairs:
            loop.forget(r)
        loop.stop(0)

    for r, w in pairs:
        os.write(w, b"x")
        loop.watch(r, select.EPOLLIN, serve)
    loop.run()
    assert len(calls) == 1
    for fd in (fd for pair in pairs for fd in pair):
        os.close(fd)


def test_menders_are_asked_after_an_exception_until_none_fails(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initd.loop.MEND_SECONDS", 0.01)
    asked = []

    def mender() -> None:
        asked.append(loop.now())
        if len(asked) < 3:
            raise MemoryError
        loop.stop(0)

    loop.menders.append(mender)
    loop.at(loop.now(), lambda: 1 / 0)
    loop.run()
    assert len(asked) == 3


def test_without_an_exception_no_mender_is_asked(loop: Loop) -> None:
    loop.menders.append(lambda: loop.stop(1))
    loop.at(loop.now() + 0.01, lambda: loop.stop(0))
    assert loop.run() == 0


def test_a_deadline_whose_callback_fails_comes_once_more_but_not_for_ever(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("initd.loop.MEND_SECONDS", 0.01)
    once, ever = [], []

    def fails_once() -> None:
        once.append(1)
        if len(once) == 1:
            raise MemoryError

    def always_fails() -> None:
        ever.append(1)
        raise MemoryError

    loop.at(loop.now(), fails_once)
    loop.at(loop.now(), always_fails)
    loop.at(loop.now() + 0.5, lambda: loop.stop(0))
    loop.run()
    assert len(once) == 2
    assert len(ever) == TRIES
