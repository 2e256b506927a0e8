"""What renewals prove of what other hubs heard."""

from __future__ import annotations

from hub.cluster.rows import LeaseRow
from hub.cluster.vouching import NEVER, Vouching


def row(hub: str, beat: int, born: int = 1) -> LeaseRow:
    return LeaseRow(hub, born=born, beat=beat)


def seen(*answers: tuple[float, int]) -> Vouching:
    """The answers with the row of one other hub: (asked, beat)."""
    vouching = Vouching()
    for asked, beat in answers:
        vouching.observe([row("h2", beat)], asked)
    return vouching


def test_one_answer_proves_nothing() -> None:
    assert seen((10.0, 5)).settled(["h2"], 20.0) == NEVER


def test_a_new_beat_proves_what_was_heard_before_the_last_answer_without_it() -> None:
    assert seen((10.0, 5), (10.5, 5), (11.0, 6)).settled(["h2"], 20.0) == 10.5
    assert seen((10.0, 5), (10.5, 5), (11.0, 6), (15.0, 6)).settled(["h2"], 20.0) == 10.5


def test_an_answer_that_comes_late_is_no_news() -> None:
    assert seen((10.0, 5), (11.0, 6), (10.5, 5)).settled(["h2"], 20.0) == 10.0


def test_the_slowest_hub_counts_and_one_that_was_never_seen_vouches_for_nothing() -> None:
    vouching = Vouching()
    vouching.observe([row("h2", 1), row("h3", 1)], 10.0)
    vouching.observe([row("h2", 2), row("h3", 1)], 11.0)
    assert vouching.settled(["h2"], 20.0) == 10.0
    assert vouching.settled(["h2", "h3"], 20.0) == vouching.settled(["h4"], 20.0) == NEVER


def test_a_new_life_of_a_hub_knows_nothing_of_the_one_before() -> None:
    vouching = seen((10.0, 5), (11.0, 6))
    vouching.observe([row("h2", 7, born=2)], 12.0)
    assert vouching.settled(["h2"], 20.0) == NEVER


def test_who_is_alone_knows_all() -> None:
    assert Vouching().settled([], 20.0) == 20.0


def test_after_a_failover_everything_counts_anew() -> None:
    vouching = seen((10.0, 5), (11.0, 6))
    vouching.recount()
    assert vouching.settled(["h2"], 20.0) == NEVER
