"""What an order becomes, and what its failure is called, without any engine."""

from __future__ import annotations

import errno

import pytest

from hub.engines.orders import Orders, Request, outcome, request
from hub.engines.reasons import CURES, EngineError
from hub.engines.reports import ORDERS, EngineCommand, OrderResult
from tests.hub.engines.recorded import ID
from tests.support.ear import Ear
from wire.limits import ENGINE_ORDER_QUEUE


def order(verb: str = "stop", container: object = ID, deadline: float = 9e9, **args: object) -> EngineCommand:
    return EngineCommand("c1", verb, container, args, deadline)  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", sorted(ORDERS))
def test_every_verb_is_one_request(verb: str) -> None:
    assert request(order(verb, ID[:12])) == Request(f"/containers/{ID[:12]}/{verb}", {})


def test_arguments() -> None:
    assert request(order("stop", grace=3.2)) == Request(f"/containers/{ID}/stop", {"t": 3})
    assert request(order("kill", signal="usr1")) == Request(f"/containers/{ID}/kill", {"signal": "USR1"})
    assert request(order("kill", signal=9)) == Request(f"/containers/{ID}/kill", {"signal": "9"})


@pytest.mark.parametrize(
    "bad",
    [
        order("exec"),
        order("remove"),
        order("start", "../../info"),
        order("start", "a/json"),
        order("start", ID.upper()),
        order("start", ID + "\n"),
        order("start", "a" * 11),
        order("start", "a" * 65),
        order("start", None),
        order("start", grace=1),
        order("stop", grace=-1),
        order("stop", grace="1"),
        order("stop", grace=True),
        order("stop", grace=1e9),
        order("kill", signal="TERM&x=1"),
        order("kill", signal=65),
        order("kill", signal=0),
        order("kill", signal=[9]),
    ],
    ids=str,
)
def test_a_bad_order_is_a_sentence_and_never_sent(bad: EngineCommand) -> None:
    assert isinstance(request(bad), str)
    ear = Ear()
    Orders("e", "unix:///nowhere", None, ear.post).put(bad)
    (result,) = ear.heard(OrderResult)
    assert (result.id, result.ok, result.error) == ("c1", False, "bad-argument")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineError("No such container: x", 404), "unknown-container"),
        (EngineError("container x is not paused", 409), "refused"),
        (EngineError("connection refused", sent=False), "unreachable"),
        (EngineError("no answer in time"), "timeout"),
    ],
)
def test_failures_say_what_is_known(error: EngineError, code: str) -> None:
    result = outcome("e", order(), error)
    assert (result.ok, result.error) == (False, code)
    assert ("unknown" in result.detail) == (code == "timeout")


def test_an_order_that_waited_too_long_is_not_begun() -> None:
    ear = Ear()
    Orders("e", "unix:///nowhere", None, ear.post).put(order(deadline=1.0))
    assert ear.wait(OrderResult).error == "expired"


def test_an_order_to_nobody_is_unreachable() -> None:
    ear = Ear()
    Orders("e", "unix:///nowhere", None, ear.post).put(order())
    result = ear.wait(OrderResult)
    assert (result.error, result.detail) == ("unreachable", f"no such file or directory{CURES[errno.ENOENT]}")


def test_too_many_orders_are_refused_not_kept() -> None:
    ear = Ear()
    orders = Orders("e", "unix:///nowhere", None, ear.post)
    orders._threads = [None] * 99  # type: ignore[list-item]  # nobody works
    for _ in range(ENGINE_ORDER_QUEUE + 2):
        orders.put(order())
    assert [result.error for result in ear.heard(OrderResult)] == ["busy", "busy"]
