"""How guessing is slowed down, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.auth.lockout import ACCOUNT, PAIR, PLACE, Lockout, Rule, pause, place
from console.auth.sqlite import SqliteStore
from console.errors import Problem


class Door:
    """A lockout whose clock the test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.lockout = Lockout(SqliteStore(str(folder / "access.db"), lambda: self.now), lambda: self.now)

    def tries(self, user: str, address: str, most: int) -> int:
        """How many of so many tries at this moment are let through to the password."""
        done = 0
        for _ in range(most):
            try:
                self.lockout.enter(user, address)
            except Problem as problem:
                assert problem.status == 429
                break
            done += 1
        return done


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@given(st.sampled_from([PAIR, PLACE, ACCOUNT]), st.integers(0, 10_000))
def test_pauses_only_grow_and_end(rule: Rule, tries: int) -> None:
    assert pause(rule, tries) <= pause(rule, tries + 1) <= rule.longest
    assert (pause(rule, tries) == 0.0) is (tries < rule.free)


def test_a_few_slips_cost_nothing_and_a_guesser_waits_longer_and_longer(door: Door) -> None:
    assert door.tries("ann", "10.0.0.1", 100) == PAIR.free
    waits = []
    for _ in range(6):
        begun = door.now
        while not door.tries("ann", "10.0.0.1", 1):
            door.now += 0.5
        waits.append(door.now - begun)
    assert waits == sorted(waits) and waits[-1] >= 32.0


def test_one_guesser_does_not_shut_others_out(door: Door) -> None:
    door.tries("ann", "10.0.0.1", 100)
    assert door.tries("ann", "10.0.0.2", 1) == 1
    assert door.tries("bob", "10.0.0.1", 1) == 1


def test_a_place_that_tries_many_names_is_stopped(door: Door) -> None:
    assert sum(door.tries(f"user{n}", f"2001:db8::{n:x}", 1) for n in range(200)) == PLACE.free


def test_many_places_that_share_the_work_are_stopped_for_moments_only(door: Door) -> None:
    done = sum(door.tries("ann", f"10.{n // 200}.{n % 200}.1", 1) for n in range(300))
    assert done == ACCOUNT.free
    door.now += ACCOUNT.longest + 1
    assert door.tries("ann", "10.9.9.9", 1) == 1


def test_the_right_password_forgives_its_place_for_that_name_only(door: Door) -> None:
    door.tries("ann", "10.0.0.1", 4)
    door.lockout.forgive("ann", "10.0.0.1")
    assert door.tries("ann", "10.0.0.1", 100) == PAIR.free


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("unknown", "unknown"),
    ],
)
def test_where_somebody_is(address: str, found: str) -> None:
    assert place(address) == found
