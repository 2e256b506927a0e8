"""An agent's way from hub to hub."""

from __future__ import annotations

import pytest

from wire.homing import HOLD_LONGEST, HOLD_SECONDS, TURNED_SECONDS, Homing


def test_it_begins_with_the_first_and_stays_at_its_home() -> None:
    homing = Homing(("x", "y"))
    homing.look(0.0, 0.5)
    assert homing.at == "x" and homing.move(100.0) is None


def test_it_goes_home_when_the_list_says_so_after_its_part_of_the_period() -> None:
    homing = Homing(("x", "y"))
    homing.told(("y", "x"), 1.0)
    homing.look(1.0, 0.5)
    assert homing.move(1.4) is None
    assert (homing.move(1.5), homing.at, homing.move(9.0)) == ("y", "y", None)


def test_a_silent_hub_is_left_for_the_next_and_tried_again_after_a_pause() -> None:
    homing = Homing(("x", "y", "z"))
    homing.silent(10.0, 0.0)
    assert homing.move(10.0) == "y"
    homing.look(10.0 + HOLD_SECONDS - 0.1, 0.0)
    assert homing.move(99.0) is None
    homing.look(10.0 + HOLD_SECONDS, 0.0)
    assert homing.move(99.0) == "x"


def test_each_vain_try_doubles_the_pause_up_to_the_longest() -> None:
    homing, now = Homing(("x", "y")), 0.0
    for pause in (10.0, 20.0, 40.0, 80.0, 160.0, HOLD_LONGEST):
        assert homing.at == "x"
        homing.silent(now, 0.0)
        assert homing.held["x"] == (now + pause, pause)
        homing.move(now)
        homing.answered()
        now += pause
        homing.look(now, 0.0)
        homing.move(now)
    homing.answered()
    assert homing.held == {}


def test_where_all_are_silent_it_does_not_stay_with_one() -> None:
    homing, visited = Homing(("x", "y", "z")), []
    for now in range(9):
        homing.silent(float(now), 0.0)
        visited.append(homing.move(float(now)))
    assert set(visited) == {"x", "y", "z"}


def test_where_every_hub_turns_away_it_tries_each_once_and_stays() -> None:
    homing, visited = Homing(("x", "y", "z")), []
    for now in range(5):
        homing.away(float(now), 0.0)
        visited.append(homing.move(float(now)))
    assert [hub for hub in visited if hub] == ["y", "z"]
    homing.away(TURNED_SECONDS, 0.0)
    assert homing.move(TURNED_SECONDS) == "x", "by now one of them may see again"


def test_who_is_turned_away_rather_tries_a_hub_again_that_was_silent() -> None:
    homing = Homing(("x", "y"))
    homing.silent(0.0, 0.0)
    assert homing.move(0.0) == "y"
    homing.away(1.0, 0.0)
    assert homing.move(1.0) == "x"


def test_a_hub_that_turned_away_and_sees_again_speaks_for_the_others() -> None:
    homing = Homing(("x", "y"))
    homing.away(0.0, 0.0)
    assert homing.move(0.0) == "y"
    homing.away(1.0, 0.0)
    homing.answered()
    homing.look(2.0, 0.0)
    assert homing.move(2.0) == "x", "its home may be tried at once"


def test_a_home_that_turns_away_alone_is_held() -> None:
    homing = Homing(("x", "y"))
    homing.away(0.0, 0.0)
    assert homing.move(0.0) == "y"
    homing.answered()
    homing.look(TURNED_SECONDS - 0.1, 0.0)
    assert homing.move(TURNED_SECONDS) is None


def test_hubs_that_are_not_named_any_more_are_the_last_hope() -> None:
    homing = Homing(("x", "y"))
    homing.told(("x",), 0.0)
    homing.silent(1.0, 0.0)
    assert homing.move(1.0) == "y"


def test_a_hub_that_is_named_again_is_held_no_more() -> None:
    homing = Homing(("x", "y"))
    homing.silent(0.0, 0.0)
    assert homing.move(0.0) == "y"
    homing.told(("y",), 1.0)
    homing.told(("x", "y"), 2.0)
    homing.look(2.0, 0.0)
    assert homing.move(2.0) == "x"


def test_an_empty_list_means_as_before_and_none_at_all_is_an_error() -> None:
    homing = Homing(("x", "y"))
    homing.told((), 0.0)
    assert homing.hubs == ("x", "y")
    with pytest.raises(ValueError, match="at least one"):
        Homing(())
