"""The machine of rolling commands."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.rolling import (
    DONE,
    ENDED,
    FAILED,
    IGNORED,
    LEFT_OUT,
    MOVES,
    SENT,
    WAITING,
    Phase,
    Roll,
    Sign,
    begin,
    cancel,
    ended,
    resume,
    revive,
    width_of,
)
from hub.errors import Refusal

PHASES = [value for name, value in vars(Phase).items() if name.isupper()]
SIGNS = [value for name, value in vars(Sign).items() if name.isupper()]


def test_every_pair_is_decided_once() -> None:
    pairs = set(itertools.product(PHASES, SIGNS))
    assert set(MOVES) | IGNORED == pairs and not set(MOVES) & IGNORED


def test_a_few_at_a_time_until_all_are_done() -> None:
    roll, sent = begin(5, 2, 1)
    assert sent == (0, 1) and roll.marks == ">>..."
    roll, sent = ended(roll, 1, DONE)
    assert sent == (2,) and roll.marks == ">+>.."
    for unit in (0, 2, 3, 4):
        roll, sent = ended(roll, unit, DONE)
    assert (roll.phase, roll.marks, sent) == (Phase.DONE, "+++++", ())


def test_a_failure_stops_it_after_what_was_sent() -> None:
    roll, _ = begin(5, 2, 1)
    roll, sent = ended(roll, 0, FAILED)
    assert (roll.phase, sent) == (Phase.STOPPING, ())
    roll, sent = ended(roll, 1, DONE)
    assert (roll.phase, roll.marks, sent) == (Phase.STOPPED, "-+...", ())


def test_a_stopped_roll_goes_on_and_forgives() -> None:
    roll = Roll("-+...", 1, 1, Phase.STOPPED)
    roll, sent = resume(roll)
    assert (roll.phase, sent, roll.forgiven) == (Phase.RUNNING, (2,), 1)
    roll, sent = ended(roll, 2, DONE)
    assert sent == (3,)
    assert resume(roll) == (roll, ())


def test_left_out_is_no_failure() -> None:
    roll, _ = begin(2, 1, 1)
    roll, sent = ended(roll, 0, LEFT_OUT)
    assert (roll.phase, sent) == (Phase.RUNNING, (1,))


def test_cancelled_waits_for_what_was_sent() -> None:
    roll, sent = cancel(begin(3, 1, 1)[0])
    assert (roll.phase, sent) == (Phase.CANCELLING, ())
    assert ended(roll, 0, FAILED)[0].phase == Phase.CANCELLED


def test_revived_it_sends_again_what_was_sent() -> None:
    assert revive(Roll("+>.>.", 3, 0))[1] == (1, 3, 2)
    assert revive(Roll("+>..", 1, 0, Phase.STOPPING))[1] == (1,)
    assert revive(Roll("+-..", 1, 1, Phase.STOPPED))[1] == ()


WIDTHS = [("10%", 100, 10), ("10%", 5, 1), ("100%", 3, 3), ("4", 9, 4), (2, 9, 2)]


@pytest.mark.parametrize(("text", "units", "width"), WIDTHS)
def test_widths(text: object, units: int, width: int) -> None:
    assert width_of(text, units) == width


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "x", "1e3", None])
def test_bad_widths(text: object) -> None:
    with pytest.raises(Refusal):
        width_of(text, 10)


@pytest.mark.parametrize("units", [0, 2001])
def test_too_few_and_too_many(units: int) -> None:
    with pytest.raises(Refusal):
        begin(units, 1, 1)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["end", "cancel", "resume", "die"]), st.integers(0, 11), st.sampled_from("+++-/")),
    max_size=60,
)


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), EVENTS)
def test_invariants(units: int, width: int, limit: int, events: list[tuple[str, int, str]]) -> None:
    roll, sent = begin(units, width, limit)
    first = list(sent)
    for what, unit, mark in events:
        before = roll
        changes = {
            "end": lambda one, u=unit, m=mark: ended(one, u, m),
            "cancel": cancel,
            "resume": resume,
            "die": revive,
        }
        roll, sent = changes[what](roll)
        if what != "die":
            first += sent
            assert all(before.marks[n] == WAITING for n in sent)
        assert roll.count(SENT) <= roll.width and len(roll.marks) == units
        assert (roll.phase in ENDED) == (roll.count(SENT) == 0)
        assert (roll.phase == Phase.DONE) == (set(roll.marks) <= {DONE, FAILED, LEFT_OUT})
        assert not limit or roll.phase != Phase.RUNNING or roll.count(FAILED) - roll.forgiven < limit
    assert len(first) == len(set(first)), "a unit was sent twice as new"


@given(st.integers(1, 40), st.integers(1, 50))
def test_without_failures_everything_is_done_in_order(units: int, width: int) -> None:
    roll, sent = begin(units, width, 1)
    waiting, order = list(sent), list(sent)
    while waiting:
        roll, sent = ended(roll, waiting.pop(0), DONE)
        waiting += sent
        order += sent
    assert roll.phase == Phase.DONE and order == list(range(units))
