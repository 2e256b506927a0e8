"""The loop's parts that need no hub: waking, and effects that fail."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import pytest

from hub import words
from hub.core import Core
from hub.engines.reports import EngineCommand, OrderResult
from hub.loop import Loop
from hub.own import capacity, descriptors
from hub.store.errors import Busy
from hub.store.worker import TENDED, Outcome
from hub.trust.zap import Admissions
from hub.waker import Waker
from tests.support.corehub import SETTINGS


class FullWorker:
    """A store's worker whose queue is full: nothing else can make the real one refuse at will."""

    def submit(self, method: str, args: tuple[Any, ...], tag: object) -> None:
        raise Busy("16384 calls wait for the store")

    def drain(self) -> list[Outcome]:
        return [Outcome(TENDED, ("samples dropped\x1b[2J for the budget",))]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def loop(said: list[str]) -> Loop:
    core = Core(SETTINGS, "0", lambda: "id")
    waker = Waker()
    return Loop(core, FullWorker(), Admissions(), waker, waker.reader, {}, deque(), said.append)  # type: ignore[arg-type]


def test_a_wake_from_another_thread_is_seen_and_cleared() -> None:
    waker = Waker()
    thread = threading.Thread(target=lambda: [waker.wake() for _ in range(100_000)])
    thread.start()
    thread.join(30)
    assert waker.reader.recv(1) == b"\0"
    waker.clear()
    with pytest.raises(BlockingIOError):
        waker.reader.recv(1)


def test_a_store_that_is_busy_answers_the_story_with_the_error(loop: Loop) -> None:
    told: list[str] = []
    loop._carry_out([words.Store("append_facts", (), lambda value, error, now: told.append(error) or [])])  # type: ignore[func-returns-value]
    assert told == ["16384 calls wait for the store"] and loop.pending == 0


def test_a_lost_write_that_nobody_waits_for_is_said(loop: Loop, said: list[str]) -> None:
    loop._carry_out([words.Store("put_agent", ())])
    assert said == ["store: 16384 calls wait for the store"]


def test_upkeep_is_said(loop: Loop, said: list[str]) -> None:
    loop._outcomes()
    assert said == ["store: samples dropped\x1b[2J for the budget"]


def test_an_order_for_an_engine_that_is_gone_fails(loop: Loop) -> None:
    loop._carry_out([words.Order("gone", EngineCommand("c1", "stop", "f" * 64, {}, 0.0))])
    assert isinstance(loop.reports[0], OrderResult) and loop.reports[0].error == "unreachable"


def test_a_bug_in_one_event_ends_that_event_only(loop: Loop, said: list[str]) -> None:
    loop._event(words.Stored(lambda value, error, now: 1 / 0, None, ""))  # type: ignore[arg-type, return-value]
    assert said[0] == "bug: Stored: ZeroDivisionError: division by zero"
    loop._event(words.Tick())
    assert not any("Tick" in line for line in said)


def test_descriptors_are_counted() -> None:
    with open("/dev/null") as file:
        before = descriptors()
    assert file.closed and 0 < descriptors() < before <= capacity()
