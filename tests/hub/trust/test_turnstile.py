"""The turnstile in virtual time: as fast as the loop serves, and never quite shut."""

from __future__ import annotations

from hub.trust.turnstile import LONGEST, TOGETHER, UNDER_WAY, Turnstile


def come(turnstile: Turnstile, now: float, most: int = 1000) -> int:
    """How many of so many that wait come in at this moment."""
    return next((number for number in range(most) if not turnstile.turn(now)), most)


def test_a_few_come_in_between_two_passes() -> None:
    turnstile = Turnstile()
    assert come(turnstile, 0.0) == TOGETHER
    turnstile.passed(True, 0)
    assert come(turnstile, 0.001) == TOGETHER


def test_a_loop_that_is_behind_lets_in_one_at_a_time() -> None:
    turnstile = Turnstile()
    come(turnstile, 0.0)
    turnstile.passed(False, 0)
    assert come(turnstile, LONGEST / 2) == 0
    assert come(turnstile, LONGEST) == 1
    assert come(turnstile, 1.5 * LONGEST) == 0


def test_so_does_one_that_waits_for_its_store() -> None:
    turnstile = Turnstile()
    come(turnstile, 0.0)
    turnstile.passed(True, UNDER_WAY)
    assert come(turnstile, LONGEST / 2) == 0
    turnstile.passed(True, UNDER_WAY - 1)
    assert come(turnstile, LONGEST / 2) == TOGETHER


def test_what_was_not_used_is_not_saved_up() -> None:
    turnstile = Turnstile()
    for _ in range(10):
        turnstile.passed(True, 0)
    assert come(turnstile, 0.0) == TOGETHER
