"""Capacity from descriptors, and what gives way to load."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.overload import HOLD_SECONDS, LONGEST, LOOK_SECONDS, Meter, Pace, capacity, full_at


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


def test_silence_is_measured_by_the_period_that_agents_may_still_keep_to() -> None:
    pace = Pace(2.0, 2.0)
    assert (pace.told, pace.watched(0.0)) == (None, 2.0), "as long as nothing changed nothing is told"
    pace = pace.step(0.9, 100.0)
    assert (pace.told, pace.watched(100.0)) == (3.0, 3.0)
    pace = pace.step(0.1, 120.0)
    assert (pace.told, pace.watched(120.0), pace.watched(125.9), pace.watched(126.0)) == (2.0, 3.0, 3.0, 2.0)


def test_a_meter_tells_the_part_that_was_not_slept() -> None:
    meter = Meter(100.0)
    meter.passed(0.5, True)
    assert meter.read(100.0 + LOOK_SECONDS / 2) is None
    assert meter.read(100.0 + LOOK_SECONDS) == 1 - 0.5 / LOOK_SECONDS
    meter.passed(LOOK_SECONDS, False)
    assert meter.read(100.0 + 2 * LOOK_SECONDS) == 1.0, "who cannot keep up is busy, however long it slept"
