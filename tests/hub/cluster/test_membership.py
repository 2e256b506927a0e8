"""The list of hubs: who joins, drains, leaves, is lost, and who is remembered."""

from __future__ import annotations

from hub.cluster.membership import LAPSE_SECONDS, Membership, Move
from hub.cluster.rows import LeaseRow

A, B = LeaseRow("a", born=1, beat=1), LeaseRow("b", born=2, beat=1)


def moves(members: Membership, rows: tuple[LeaseRow, ...], now: float) -> list[tuple[str, Move]]:
    return [(notice.hub, notice.move) for notice in members.observe(rows, now, now)]


def test_joining_is_told_once_for_each_life() -> None:
    members = Membership()
    assert moves(members, (A, B), 0.0) == [("a", Move.JOINED), ("b", Move.JOINED)]
    assert moves(members, (A._replace(beat=2), B), 1.0) == []
    assert moves(members, (A._replace(born=3), B), 2.0) == [("a", Move.RESTARTED)]
    assert [row.hub for row in members.hubs()] == ["a", "b"]


def test_draining_and_leaving() -> None:
    members, going = Membership(), B._replace(draining=True, beat=2)
    moves(members, (A, B), 0.0)
    assert moves(members, (A, going), 1.0) == [("b", Move.DRAINING)]
    assert moves(members, (A,), 2.0) == [("b", Move.LEFT)]
    assert members.get("b") is None


def test_a_row_without_a_new_beat_lapses_but_never_ones_own() -> None:
    members = Membership()
    moves(members, (A, B), 0.0)
    moves(members, (A, B), LAPSE_SECONDS - 0.1)
    assert members.lapsed("a") == []
    moves(members, (A, B), LAPSE_SECONDS + 0.1)
    assert members.lapsed("a") == [B]


def test_a_row_that_a_failover_lost_is_honoured_until_it_lapses() -> None:
    members = Membership()
    moves(members, (A, B), 0.0)
    assert moves(members, (A._replace(beat=2),), 1.0) == []
    assert [row.hub for row in members.hubs()] == ["a", "b"] and members.lapsed("a") == []
    assert moves(members, (A._replace(beat=3),), LAPSE_SECONDS) == [("b", Move.LOST)]


def test_after_a_failover_every_count_begins_anew() -> None:
    members = Membership()
    moves(members, (A, B), 0.0)
    members.recount(4.0)
    moves(members, (A, B), LAPSE_SECONDS + 1)
    assert members.lapsed("a") == []
    moves(members, (A, B), LAPSE_SECONDS + 4)
    assert members.lapsed("a") == [B]


def test_an_answer_that_was_asked_for_earlier_is_ignored() -> None:
    members = Membership()
    moves(members, (A, B), 5.0)
    assert members.observe((A,), 4.0, 6.0) == []
    assert members.get("b") == B
