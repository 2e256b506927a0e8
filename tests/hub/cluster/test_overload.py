"""Capacity from descriptors, and what gives way to load."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.overload import HOLD_SECONDS, LONGEST, Pace, capacity, full_at


def test_capacity_counts_descriptors() -> None:
    assert (capacity(1_048_576), capacity(1024), capacity(64)) == (349_440, 256, 1)


def test_full_at_nine_tenths_until_there_is_room_again() -> None:
    assert full_at(None, 900, 1000, 5.0) is None
    assert full_at(None, 901, 1000, 5.0) == 5.0
    assert full_at(5.0, 850, 1000, 9.0) == 5.0
    assert full_at(5.0, 799, 1000, 9.0) is None


def test_a_busy_loop_stretches_the_period_and_an_idle_one_takes_it_back() -> None:
    pace = Pace(2.0, 2.0).step(0.9, 0.0)
    assert pace.period == 3.0
    assert pace.step(0.9, HOLD_SECONDS - 1) == pace
    assert pace.step(0.4, HOLD_SECONDS).period == 3.0, "at two seconds it would be 0.6 of a core"
    assert pace.step(0.3, HOLD_SECONDS).period == 2.0


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.5, 60))
def test_the_period_stays_between_what_was_asked_for_and_the_longest(looks: list[float], base: float) -> None:
    pace = Pace(base, base)
    for number, busy in enumerate(looks):
        pace = pace.step(busy, number * HOLD_SECONDS)
        assert base <= pace.period <= max(LONGEST, base)


@given(st.floats(1.0, 9.0), st.floats(0.05, 3.0))
def test_a_constant_load_finds_a_period_and_keeps_it(agents: float, cost: float) -> None:
    """The load of a loop is what its agents cost, divided by the period."""
    pace, periods = Pace(2.0, 2.0), []
    for number in range(40):
        pace = pace.step(min(agents * cost / pace.period, 1.0), number * HOLD_SECONDS)
        periods.append(pace.period)
    assert len(set(periods[20:])) == 1
