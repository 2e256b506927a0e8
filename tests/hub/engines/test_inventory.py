"""Whose details are asked for, in virtual time."""

from __future__ import annotations

from hub.engines import listing
from hub.engines.inventory import SHY, SWEEP, Inventory
from hub.engines.listing import Brief
from tests.hub.engines.recorded import BRIEF, EXITED, EXITED_DETAIL, ID, RUNNING_DETAIL

OTHER = "f" * 64


def briefs(*answers: dict[str, object]) -> list[Brief]:
    return listing.briefs(list(answers))[0]


def learned(now: float = 100.0) -> Inventory:
    inventory = Inventory()
    inventory.replace(briefs(BRIEF))
    (wanted,) = inventory.wanted(now)
    inventory.learn(wanted, listing.detail(RUNNING_DETAIL), now)
    return inventory


def test_details_are_asked_for_once() -> None:
    inventory = learned()
    inventory.replace(briefs(BRIEF))
    assert inventory.wanted(101.0) == []
    assert inventory.rows({})[0].pid == 15333


def test_they_are_asked_for_again_after_an_event_a_change_or_a_while() -> None:
    assert len(learned().wanted(100.0 + SWEEP)) == 1
    touched = learned()
    touched.touch(ID)
    assert len(touched.wanted(101.0)) == 1
    changed = learned()
    changed.replace(briefs(EXITED))
    assert len(changed.wanted(101.0)) == 1


def test_details_newer_than_the_list_decide_the_state() -> None:
    inventory = Inventory()
    inventory.replace(briefs(BRIEF))
    inventory.learn(briefs(BRIEF)[0], listing.detail(EXITED_DETAIL), 100.0)
    (row,) = inventory.rows({})
    assert (row.state, row.exit_code) == ("exited", 137)


def test_a_stuck_container_is_left_alone_for_a_while_and_shows_nothing_stale() -> None:
    inventory = learned()
    inventory.touch(ID)
    inventory.shy(briefs(BRIEF)[0], 200.0)
    assert inventory.wanted(200.0 + SHY - 1) == []
    assert len(inventory.wanted(200.0 + SHY)) == 1
    assert (inventory.rows({})[0].pid, inventory.rows({})[0].name) == (None, "shop-1")


def test_one_that_went_away_between_list_and_question_is_not_shown() -> None:
    inventory = learned()
    inventory.drop(briefs(BRIEF)[0])
    assert inventory.rows({}) == ()


def test_what_is_no_longer_listed_is_forgotten() -> None:
    inventory = learned()
    inventory.replace(briefs({**BRIEF, "Id": OTHER}))
    inventory.replace(briefs(BRIEF))
    assert len(inventory.wanted(101.0)) == 1
    assert inventory.rows({})[0].pid is None
