"""The care for agents: grace, two looks before a verdict, and what it costs to be wrong: nothing."""

from __future__ import annotations

from hub.cluster.handover import Care
from hub.cluster.rows import SeenRow
from wire.model import Presence

SEEN = SeenRow("a", "h2", 0.0, 7)


def watched(heard: float = 10.0) -> Care:
    care = Care(2.0)
    care.take(["a"], heard)
    care.hear("a", heard)
    return care


def suspected(care: Care, at: float) -> Care:
    assert care.suspects(at) == ["a"] and care.suspects(at) == []
    care.noted("a", SEEN, at)
    return care


def test_silence_of_three_periods_is_judged_with_the_mark() -> None:
    care = suspected(watched(), 13.0)
    assert care.verdicts(15.9) == []
    assert care.verdicts(16.0) == [("a", 7)]
    care.judged("a", True, 16.1)
    assert care.lost == {"a"} and care.suspects(30.0) == care.verdicts(30.0) == []


def test_a_new_home_gives_a_grace_of_two_periods() -> None:
    care = Care(2.0)
    care.take(["a"], 100.0)
    suspected(care, 101.0)
    assert care.verdicts(103.9) == []
    assert care.verdicts(104.0) == [("a", 7)]


def test_where_a_hub_cannot_vouch_a_mark_must_hold_for_three_periods() -> None:
    care = suspected(watched(), 13.0)
    assert care.verdicts(18.9, vouched=False) == []
    assert care.verdicts(19.0, vouched=False) == [("a", 7)]


def test_a_guest_that_just_spoke_has_its_three_periods() -> None:
    care = Care(2.0)
    care.take(["a"], 100.0, {"a": 99.9})
    suspected(care, 103.0)
    assert care.verdicts(105.8) == []
    assert care.verdicts(106.0) == [("a", 7)]


def test_after_blindness_marks_are_void_and_a_grace_begins() -> None:
    care = suspected(watched(), 13.0)
    care.see_again(50.0)
    assert care.verdicts(50.0) == []
    suspected(care, 50.2)
    assert care.verdicts(53.9) == [] and care.verdicts(54.0) == [("a", 7)]


def test_who_was_heard_elsewhere_is_watched_anew() -> None:
    care = suspected(watched(), 13.0)
    care.verdicts(16.0)
    care.judged("a", False, 16.1)
    assert care.suspects(18.0) == [] and care.suspects(19.2) == ["a"]


def test_a_store_that_does_not_answer_decides_nothing() -> None:
    care = watched()
    care.suspects(13.0)
    care.noted("a", None, 13.0)
    assert care.verdicts(20.0) == []
    suspected(care, 20.0)
    care.verdicts(24.0)
    care.judged("a", None, 24.0)
    assert care.suspects(24.0) == ["a"]


def test_who_was_called_lost_by_the_home_before_is_not_called_so_again() -> None:
    care = Care(2.0)
    care.take(["a"], 0.0)
    care.suspects(1.0)
    care.noted("a", SEEN._replace(presence=Presence.LOST), 1.0)
    assert care.verdicts(60.0) == [] and care.lost == {"a"}


def test_a_lost_one_that_another_hub_heard_is_watched_again() -> None:
    care = Care(2.0)
    care.take(["a"], 0.0)
    care.lost.add("a")
    care.looked([SEEN._replace(presence=Presence.LOST)], 9.0)
    assert care.lost == {"a"}
    care.looked([SEEN], 10.0)
    assert care.lost == set() and care.suspects(13.0) == ["a"]


def test_a_given_agent_is_no_concern_any_more() -> None:
    care = suspected(watched(), 13.0)
    care.give(["a"])
    care.hear("a", 14.0)
    care.judged("a", True, 15.0)
    assert care.wards == {} and care.lost == set()
