"""The list of hubs is told to each agent until it has arrived there, and again when it has changed."""

from __future__ import annotations

import pytest

from hub.cluster.editions import NEWCOMER, Editions
from hub.cluster.rows import LeaseRow

HUBS = (LeaseRow("x", 1, capacity=10, addresses=(("a", "b", "c", "k"),)), LeaseRow("y", 2, capacity=10))


def told() -> Editions:
    """Two agents know the list: their round trips since then say so."""
    editions = Editions()
    editions.observe(HUBS)
    assert editions.is_news("a1", 0.1) and not editions.is_news("a1", 0.2)
    assert editions.is_news("a2", NEWCOMER) and not editions.is_news("a2", 0.0)
    return editions


def test_a_renewed_lease_is_no_news() -> None:
    editions = told()
    editions.observe([row._replace(beat=9, load=5) for row in HUBS])
    assert not editions.is_news("a1", 0.3)


@pytest.mark.parametrize("change", [{"draining": True}, {"full_at": 5.0}, {"addresses": (("d", "b", "c", "k"),)}])
def test_what_decides_an_order_or_a_place_is(change: dict[str, object]) -> None:
    editions = told()
    editions.observe([HUBS[0]._replace(**change), HUBS[1]])
    assert editions.is_news("a1", 0.3) and editions.is_news("a2", 0.3) and not editions.is_news("a1", 0.4)


def test_a_hub_less_is_and_who_was_forgotten_is_told_anew() -> None:
    editions = told()
    editions.observe(HUBS[:1])
    assert editions.is_news("a1", 0.3) and not editions.is_news("a1", 0.4)
    editions.forget("a1")
    assert editions.is_news("a1", 0.4)


def test_a_list_is_told_again_until_an_answer_has_arrived() -> None:
    editions = told()
    editions.observe(HUBS[:1])
    assert all(editions.is_news("a1", 0.3) for _ in range(3)) and not editions.is_news("a1", 0.4)


def test_that_an_older_list_has_arrived_does_not_keep_the_newer_one_back() -> None:
    editions = told()
    editions.observe(HUBS[:1])
    assert editions.is_news("a1", 0.3)
    editions.observe(HUBS)
    assert editions.is_news("a1", 0.4) and not editions.is_news("a1", 0.5)


def test_who_registers_is_told_whatever_it_knew() -> None:
    editions = told()
    assert editions.is_news("a1", NEWCOMER) and editions.is_news("a1", NEWCOMER) and not editions.is_news("a1", 0.2)
