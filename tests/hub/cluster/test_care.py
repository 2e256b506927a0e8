"""The care for agents: grace, two looks before a verdict, and what it costs to be wrong: nothing."""

from __future__ import annotations

import pytest

from hub.cluster.handover import DEPARTED, Care
from hub.cluster.membership import Move
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
    care = suspected(watched(), 12.4)
    assert care.verdicts(15.9, 15.0) == []
    assert care.verdicts(16.0, 15.0) == [("a", 7)]
    care.judged("a", True, 16.1)
    assert care.lost == {"a"} and care.suspects(30.0) == care.verdicts(30.0, 30.0) == []


def test_a_new_home_gives_a_grace_of_two_periods() -> None:
    care = Care(2.0)
    care.take(["a"], 100.0)
    suspected(care, 100.5)
    assert care.verdicts(103.9, 103.9) == []
    assert care.verdicts(104.0, 104.0) == [("a", 7)]


def test_who_may_just_have_spoken_to_its_former_home_has_three_periods() -> None:
    care = Care(2.0)
    care.take(["a"], 100.0, grace=3.0)
    suspected(care, 102.4)
    assert care.verdicts(105.9, 105.9) == []
    assert care.verdicts(106.0, 106.0) == [("a", 7)]


def test_as_long_as_a_hub_does_not_vouch_nobody_is_lost() -> None:
    care = suspected(watched(), 12.4)
    assert care.verdicts(60.0, 14.7) == []
    assert care.verdicts(60.0, 14.8) == [("a", 7)]


def test_a_verdict_is_sought_in_time_and_for_suspects_only() -> None:
    care = suspected(watched(), 12.4)
    assert not care.seeks(13.9) and care.seeks(14.0)
    care.lost.add("a")
    assert not care.seeks(14.0)


@pytest.mark.parametrize(("move", "patience"), [(Move.LOST, 1.2), (Move.LEFT, 3.0), (Move.RESTARTED, 3.0)])
def test_after_a_member_went_marks_are_noted_anew_and_hold_longer(move: Move, patience: float) -> None:
    care = suspected(watched(), 12.4)
    care.unsettle(DEPARTED[move], 16.0)
    assert care.verdicts(16.0, 16.0) == []
    suspected(care, 16.0)
    assert care.verdicts(30.0, 16.0 + patience * 2.0 - 0.1) == []
    assert care.verdicts(30.0, 16.0 + patience * 2.0) == [("a", 7)]


def test_a_guest_that_just_spoke_has_its_three_periods() -> None:
    care = Care(2.0)
    care.take(["a"], 100.0, {"a": 99.9})
    suspected(care, 102.3)
    assert care.verdicts(105.8, 105.8) == []
    assert care.verdicts(106.0, 106.0) == [("a", 7)]


def test_after_blindness_marks_are_void_and_a_grace_begins() -> None:
    care = suspected(watched(), 12.4)
    care.see_again(50.0)
    assert care.verdicts(50.0, 50.0) == []
    suspected(care, 50.2)
    assert care.verdicts(53.9, 53.9) == [] and care.verdicts(54.0, 54.0) == [("a", 7)]


def test_who_was_heard_elsewhere_is_watched_anew() -> None:
    care = suspected(watched(), 12.4)
    care.verdicts(16.0, 16.0)
    care.judged("a", False, 16.1)
    assert care.suspects(18.0) == [] and care.suspects(18.5) == ["a"]
    care.noted("a", SEEN, 18.5)
    assert care.verdicts(24.4, 24.4) == [] and care.verdicts(24.5, 24.5) == [("a", 7)], "a guest may be on its way"


def test_a_store_that_does_not_answer_decides_nothing() -> None:
    care = watched()
    care.suspects(13.0)
    care.noted("a", None, 13.0)
    assert care.verdicts(20.0, 20.0) == []
    suspected(care, 20.0)
    care.verdicts(24.0, 24.0)
    care.judged("a", None, 24.0)
    assert care.suspects(24.0) == ["a"]


def test_who_was_called_lost_by_the_home_before_is_not_called_so_again() -> None:
    care = Care(2.0)
    care.take(["a"], 0.0)
    care.suspects(1.0)
    care.noted("a", SEEN._replace(presence=Presence.LOST), 1.0)
    assert care.verdicts(60.0, 60.0) == [] and care.lost == {"a"}


def test_a_lost_one_that_another_hub_heard_is_watched_again() -> None:
    care = Care(2.0)
    care.take(["a"], 0.0)
    care.lost.add("a")
    care.looked([SEEN._replace(presence=Presence.LOST)], 9.0)
    assert care.lost == {"a"}
    care.looked([SEEN], 10.0)
    assert care.lost == set() and care.suspects(13.0) == ["a"]


def test_a_given_agent_is_no_concern_any_more() -> None:
    care = suspected(watched(), 12.4)
    care.give(["a"])
    care.hear("a", 14.0)
    care.judged("a", True, 15.0)
    assert care.wards == {} and care.lost == set() and care.marked == set()


@pytest.mark.parametrize("together", [False, True])
def test_each_is_watched_by_the_period_that_it_was_told(together: bool) -> None:
    care = watched()
    if together:
        care.beaten({"a", "b"}, 10.0, 1.0)
    else:
        care.hear("a", 10.0, 1.0)  # other hubs' agents may keep to 2 s
    suspected(care, 11.2)
    assert care.seeks(12.0) and care.verdicts(12.9, 13.6) == []
    assert care.verdicts(13.0, 13.5) == [], "for a guest may have been told the longer one"
    assert care.verdicts(13.0, 13.6) == [("a", 7)]


def test_who_was_told_a_longer_period_has_more_time() -> None:
    care = watched()
    care.hear("a", 10.0, 4.0)
    assert care.suspects(14.5) == []
    suspected(care, 14.7)
    assert care.verdicts(21.9, 21.9) == [] and care.verdicts(22.0, 22.0) == [("a", 7)]


def test_a_judgement_that_failed_is_tried_again_by_the_same_period() -> None:
    care = watched()
    care.hear("a", 10.0, 1.0)
    suspected(care, 11.2)
    assert care.verdicts(13.6, 13.6)
    care.judged("a", None, 13.7)
    suspected(care, 13.8)
    assert care.verdicts(16.2, 16.2) == [("a", 7)]
