"""What the relay lets through to its engine's socket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.engines.orders import Request, request
from hub.engines.reports import EngineCommand, OrderResult
from hub.relay.guard import ALL_VERBS, SIGNALS, Guard, Rules
from tests.support.values import values
from wire.codec import SHAPES
from wire.limits import RELAY_RESULTS
from wire.relay import ContainerOrder, RelayResult

ID, OTHER = "a" * 64, "b" * 64
EVERYTHING = Rules(ALL_VERBS, frozenset({"TERM", "HUP", "KILL"}))
NOW = 1000.0


def order(
    verb: str = "stop", container: str = ID, ttl: float = 30.0, epoch: int = 5, id: str = "c1", **args: Any
) -> ContainerOrder:
    return ContainerOrder(id, verb, container, args, ttl, epoch)


def judged(one: ContainerOrder, rules: Rules = EVERYTHING) -> Any:
    return Guard(rules, 5).judge(one, {ID}, NOW)


@pytest.mark.parametrize("verb", sorted(ALL_VERBS))
def test_the_six_verbs_pass(verb: str) -> None:
    assert judged(order(verb)) == EngineCommand("c1", verb, ID, {}, NOW + 30.0)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (order("exec"), "bad-argument"),
        (order("create"), "bad-argument"),
        (order("remove"), "bad-argument"),
        (order("../json"), "bad-argument"),
        (order(container=ID[:12]), "bad-argument"),
        (order(container=ID + "\n"), "bad-argument"),
        (order(container=ID.upper()), "bad-argument"),
        (order(container="../../images/json?x=" + ID), "bad-argument"),
        (order(container=OTHER), "unknown-container"),
        (order("start", grace=1), "bad-argument"),
        (order("stop", signal="TERM"), "bad-argument"),
        (order("kill", signal="USR1"), "refused"),
        (order("kill", signal="TERM&x=1"), "refused"),
        (order("kill", signal=9), "refused"),
        (order("kill", signal=["KILL"]), "refused"),
        (order(ttl=0.0), "expired"),
        (order(epoch=4), "stale-epoch"),
    ],
    ids=str,
)
def test_everything_else_is_answered_and_not_done(bad: ContainerOrder, code: str) -> None:
    result = judged(bad)
    assert isinstance(result, RelayResult) and (result.ok, result.error) == (False, code)


def test_its_own_configuration_has_the_last_word() -> None:
    rules = Rules(frozenset({"restart"}), frozenset())
    assert judged(order("stop"), rules).error == "refused"
    assert isinstance(judged(order("restart"), rules), EngineCommand)
    assert judged(order("kill"), Rules(ALL_VERBS, frozenset())).error == "refused"


def test_an_order_is_carried_out_once_and_its_result_told_again() -> None:
    guard = Guard(EVERYTHING)
    assert isinstance(guard.judge(order(), {ID}, NOW), EngineCommand)
    assert guard.judge(order(), {ID}, NOW) is None
    told = guard.finish(OrderResult("e", "c1", True, "", "done"))
    assert guard.judge(order("kill"), {ID}, NOW) == told


def test_a_higher_epoch_shuts_the_lower_out_but_not_for_ever() -> None:
    guard = Guard(EVERYTHING)
    guard.judge(order(epoch=9), {ID}, NOW)
    assert guard.judge(order(epoch=8, id="c2"), {ID}, NOW).error == "stale-epoch"  # type: ignore[union-attr]
    guard.learn(2**60)
    assert guard.epoch == 9


def test_what_is_remembered_is_bounded() -> None:
    guard = Guard(EVERYTHING)
    for number in range(RELAY_RESULTS * 3):
        guard.judge(order("exec", id=f"c{number}"), {ID}, NOW)
    assert len(guard.given) <= RELAY_RESULTS
    for number in range(RELAY_RESULTS + 5):
        last = guard.judge(order(id=f"d{number}"), {ID}, NOW)
    assert last.error == "busy"  # type: ignore[union-attr]


@given(values(SHAPES[ContainerOrder]), st.sampled_from(sorted(ALL_VERBS)))
def test_whatever_passes_is_one_of_six_requests(odd: ContainerOrder, verb: str) -> None:
    guard = Guard(Rules(ALL_VERBS, SIGNALS))
    verdict = guard.judge(odd._replace(container=ID, verb=verb), {ID}, NOW)
    if isinstance(verdict, EngineCommand):
        asked = request(verdict)
        assert isinstance(asked, str) or (isinstance(asked, Request) and asked.path == f"/containers/{ID}/{verb}")
