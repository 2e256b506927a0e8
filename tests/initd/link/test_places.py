"""Which hub an agent dials: homes, lost hubs, hubs that know it not yet."""

from __future__ import annotations

from initd.link.places import FIRST_SECONDS, Places
from wire.messages import HubAddress

PERIOD = 2.0


def hub(key: str, name: str = "") -> HubAddress:
    name = name or key
    return HubAddress(f"{name}:7401", f"{name}:7402", f"{name}:7403", key)


A, B, C = (hub(key) for key in "abc")


def at_home(*hubs: HubAddress) -> Places:
    """Answered by the first of them at 0."""
    places = Places(hubs[:1], 0.0)
    places.visit(0.0)
    places.answered(0.0)
    places.told(hubs, 0.0)
    return places


def moved(places: Places, now: float, until: float) -> tuple[float, HubAddress]:
    while now < until:
        if places.look(now, PERIOD):
            return now, places.visit(now)
        now = places.next(now, PERIOD)
    raise AssertionError("stayed")


def test_a_lost_hub_is_left_within_two_periods_and_a_bit() -> None:
    at, where = moved(at_home(A, B, C), 0.0, 60.0)
    assert where == B and 2 * PERIOD <= at <= 2.5 * PERIOD + 0.1


def test_a_silent_second_hub_is_left_too() -> None:
    places = at_home(A, B, C)
    at, _ = moved(places, 0.0, 60.0)
    later, where = moved(places, at, 60.0)
    assert where == C and later - at >= FIRST_SECONDS


def test_it_goes_home_when_home_is_told() -> None:
    places = at_home(A, B)
    places.answered(1.0)
    places.told([B, A], 1.0)
    at, where = moved(places, 1.0, 10.0)
    assert where == B and at <= 1.0 + PERIOD


def test_two_names_of_one_hub_are_one_place() -> None:
    other = hub("a", "another")
    places = Places([A, other], 0.0)
    first = places.visit(0.0)
    places.answered(0.0)
    places.told([other, A], 0.0)
    assert not places.look(0.1, PERIOD)
    assert {first, moved(places, 0.1, 60.0)[1]} == {A, other}


def test_alone_it_stays() -> None:
    places = at_home(A)
    places.away(1.0, PERIOD)
    assert not any(places.look(float(now), PERIOD) for now in range(100)) and not places.several


def test_a_hub_that_sends_away_is_left() -> None:
    places = at_home(A, B)
    places.away(1.0, PERIOD)
    assert moved(places, 1.0, 3.0)[1] == B


def test_only_where_no_hub_knows_the_key_it_is_void() -> None:
    places = at_home(A, B)
    assert places.unknown(1.0)
    assert moved(places, 1.0, 3.0)[1] == B
    assert not places.unknown(2.0)


def test_the_old_place_of_a_hub_that_changed_its_key_is_forgotten_after_the_move() -> None:
    old, new = (HubAddress(f"h:{port}", f"h:{port + 1}", "h:7403", key) for port, key in ((7401, "o"), (7411, "n")))
    places = Places([old], 0.0)
    assert places.visit(0.0) == old
    places.answered(0.1)
    places.told([new], 0.1)
    moved = next(now / 10 for now in range(2, 100) if places.look(now / 10, 1.0))
    assert places.visit(moved) == new and places.several
    places.told([new], moved)
    assert not places.several
