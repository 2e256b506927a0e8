"""Copies of a key, told from restarts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.discovery.doubles import BOOTS, Doubles


def played(boots: str, pause: float = 1.0) -> tuple[Doubles, list[str]]:
    """Registrations one after the other, each taking the place of the one before."""
    doubles, present, found = Doubles(), None, []
    for number, boot in enumerate(boots):
        copy = doubles.register("a", present, boot, number * pause)
        found.append(copy)
        present = present if copy == boot else boot
    return doubles, [copy for copy in found if copy]


def test_restarts_are_no_copies() -> None:
    assert played("abcdefghijklmn")[1] == []


def test_one_return_may_be_a_late_message() -> None:
    assert played("abab"[:3])[1] == []


def test_two_that_answer_each_other_are_told_and_the_first_stays() -> None:
    doubles, found = played("abab")
    assert found == ["b"] and doubles.is_refused("a", "b") and not doubles.is_refused("a", "a")


def test_returns_far_apart_prove_nothing() -> None:
    assert played("ababab", 61.0)[1] == []


@given(st.text(st.sampled_from("abcdefghijklmnop"), max_size=60))
def test_the_first_of_all_is_never_refused_while_it_is_remembered(boots: str) -> None:
    doubles, _ = played(boots)
    history = doubles.histories.get("a")
    assert history is None or max(len(history.boots), len(history.refused)) <= BOOTS
    if boots and len(set(boots)) <= BOOTS:
        assert not doubles.is_refused("a", boots[0])
