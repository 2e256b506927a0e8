"""Which hub an agent dials: homes, lost hubs, hubs that know it not yet."""

from __future__ import annotations

from wire.messages import HubAddress
from wire.places import FIRST_SECONDS, REACHED_SECONDS, Places

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


def test_a_hub_that_takes_the_connection_is_waited_for() -> None:
    places = Places((A, B), 0.0)
    places.visit(0.0)
    places.connected(2.0)
    places.connected(9.0)  # a hub that dies each time must not keep us
    at, where = moved(places, 0.0, 60.0)
    assert where == B and 0.0 <= at - 2.0 - REACHED_SECONDS <= PERIOD


def test_who_left_a_hub_that_serves_it_turns_back_soon() -> None:
    places = at_home(A, B)
    places.told([B, A], 0.0)
    at, where = moved(places, 0.0, 10.0)
    places.connected(at)  # as a hub that was stopped does
    back, again = moved(places, at, 60.0)
    assert (where, again) == (B, A) and back - at < 2 * PERIOD + 1.0


def test_a_link_that_was_started_again_does_not_wait_for_a_hub_that_was_stopped() -> None:
    places = Places((A, B), 0.0)
    places.visit(0.0)
    places.returning()
    places.connected(0.0)
    at, where = moved(places, 0.0, 60.0)
    assert where == B and at <= 2.5 * PERIOD + 0.1
    places.connected(at)
    assert places.reached, "the next one has the time that a busy hub needs"


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


def knocking(silent: bool = True) -> tuple[float, Places]:
    """Served by A until 0, and knocking at B: since A is silent, or since B is the home."""
    places = at_home(A, B, C)
    if not silent:
        places.told([B, A, C], 0.0)
    at = next(now / 10 for now in range(100) if places.look(now / 10, PERIOD))
    assert places.met and places.knock(at) == B
    return at, places


def stays(places: Places, now: float, until: float) -> bool:
    return not any(places.look(now + step / 10, PERIOD) for step in range(round((until - now) * 10)))


def test_who_is_let_in_has_left_the_old_hub() -> None:
    at, places = knocking()
    assert places.kept == A
    places.answered(at + 1.0)
    assert places.kept is None and places.at == "b" and stays(places, at + 1.0, at + 4.0)


def test_a_silence_that_ends_while_we_knock_was_bad_air() -> None:
    at, places = knocking()
    assert places.still(at + 0.5, sees=True) and places.at == "a" and places.kept is None
    places.answered(at + 0.5)
    assert stays(places, at + 0.5, at + 4.0)


def test_an_answer_that_comes_while_a_move_is_planned_ends_the_plan() -> None:
    places = at_home(A, B)
    assert not places.look(2 * PERIOD, PERIOD)
    places.answered(2 * PERIOD)
    assert stays(places, 2 * PERIOD, 4 * PERIOD - 0.1)


def test_on_the_way_home_the_hub_that_serves_us_holds_nobody_back() -> None:
    at, places = knocking(silent=False)
    assert not places.still(at + 0.5, sees=True)
    places.answered(at + 1.0)
    assert places.at == "b"


def test_where_home_does_not_open_we_stay_with_whom_we_are() -> None:
    at, places = knocking(silent=False)
    for beat in range(5):
        places.still(at + beat * PERIOD, sees=True)
        assert not places.look(at + beat * PERIOD + 0.1, PERIOD)
    assert places.kept is None and places.at == "a"


def test_where_the_kept_hub_is_silent_the_third_is_knocked_at() -> None:
    at, places = knocking()
    later = next(at + step / 10 for step in range(400) if places.look(at + step / 10, PERIOD))
    assert places.knock(later) == C and places.kept == A


def test_where_all_are_blind_we_stay_and_are_heard() -> None:
    places = at_home(A, B, C)
    places.away(1.0, PERIOD)
    knocked = []
    for step in range(45):
        now = 1.0 + step / 10
        if places.look(now, PERIOD):
            knocked.append(places.knock(now))
            places.away(now, PERIOD)
        if not step % 20:
            places.still(now, sees=False) or places.away(now, PERIOD)
    assert knocked == [B, C] and places.kept is None and places.at == "a"


def test_blindness_that_ends_ends_the_knocking() -> None:
    places = at_home(A, B)
    places.away(1.0, PERIOD)
    at = next(1.0 + step / 10 for step in range(40) if places.look(1.0 + step / 10, PERIOD))
    places.knock(at)
    assert not places.still(at + 0.5, sees=False) and places.still(at + 1.0, sees=True)
    assert places.at == "a"


def test_a_kept_hub_that_forgets_our_key_leaves_us_where_we_knock() -> None:
    at, places = knocking()
    places.lost()
    assert places.kept is None and places.at == "b" and not places.met
    assert places.unknown(at) and moved(places, at, 60.0)[1] == C and not places.unknown(at + 1.0)
