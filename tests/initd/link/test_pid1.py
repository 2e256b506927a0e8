"""The JSON-lines client of PID 1."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from initd.link.pid1 import Answer, Pid1Gone
from tests.support.sayspid1 import Refusal, SaysPid1
from wire import limits


def exchange(pid1: SaysPid1) -> None:
    pid1.answer()
    pid1.link.pump()


def test_an_answer_finds_who_asked(pid1: SaysPid1) -> None:
    heard: list[Any] = []
    pid1.operations |= {"a": lambda args: args["n"] + 1, "b": lambda args: "b"}
    pid1.link.ask("a", {"n": 1}, heard.append)
    pid1.link.ask("b", {}, heard.append)
    exchange(pid1)
    assert heard == [Answer(2, None), Answer("b", None)]


def test_a_refusal_comes_as_an_error(pid1: SaysPid1) -> None:
    def refuse(args: Any) -> Any:
        raise Refusal("forbidden")

    heard: list[Answer] = []
    pid1.operations["x"] = refuse
    pid1.link.ask("x", {}, heard.append)
    exchange(pid1)
    assert heard[0].error is not None and heard[0].error["code"] == "forbidden"


def test_a_stream_brings_items_until_its_reply(pid1: SaysPid1) -> None:
    items: list[Any] = []
    ends: list[Answer] = []
    pid1.operations["subscribe"] = lambda args: SaysPid1.LATER
    number = pid1.link.ask("subscribe", {}, ends.append, items.append)
    pid1.answer()
    pid1.tell({"id": number, "item": {"n": 1}})
    pid1.tell({"id": number, "item": {"n": 2}})
    pid1.settle(None)
    pid1.tell({"id": number, "item": {"n": 3}})
    pid1.link.pump()
    assert items == [{"n": 1}, {"n": 2}] and ends == [Answer(None, None)]


def test_answers_nobody_waits_for_are_ignored(pid1: SaysPid1) -> None:
    heard: list[Any] = []
    number = pid1.link.ask("a", {}, heard.append)
    pid1.link.forget(number)
    pid1.tell({"id": 77, "ok": True, "result": 1})
    exchange(pid1)
    assert heard == []


def test_waiting_for_an_answer(pid1: SaysPid1) -> None:
    pid1.operations["hello"] = lambda args: {"boot": "b"}
    pid1.end.setblocking(True)
    helper = threading.Thread(target=pid1.answer)
    helper.start()
    assert pid1.link.call("hello", {}) == {"boot": "b"}
    helper.join()


def test_waiting_ends(pid1: SaysPid1) -> None:
    with pytest.raises(TimeoutError, match="did not answer hello"):
        pid1.link.call("hello", {}, seconds=0.05)


def test_the_end_of_pid_1_is_noticed(pid1: SaysPid1) -> None:
    pid1.end.close()
    with pytest.raises(Pid1Gone):
        pid1.link.pump()


def test_what_pid_1_does_not_read_yet_waits(pid1: SaysPid1) -> None:
    for _ in range(40):
        pid1.link.ask("keep", {"value": "x" * 60_000}, lambda answer: None)
    assert pid1.link.pending
    while pid1.link.pending:
        exchange(pid1)
    exchange(pid1)
    assert len(pid1.asked) == 40


def test_a_request_that_is_too_large_is_an_error_and_changes_nothing(pid1: SaysPid1) -> None:
    with pytest.raises(ValueError):
        pid1.link.ask("x", {"v": "y" * limits.CONTROL_REQUEST_BYTES}, lambda answer: None)
    with pytest.raises(TypeError):
        pid1.link.ask("x", {"v": b"bytes"}, lambda answer: None)
    assert not pid1.link.pending
