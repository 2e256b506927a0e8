"""Deadlines fire in order, once, and never after they were cancelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from initd.timers import Timers


def fire(timers: Timers, now: float) -> list[object]:
    fired = []
    while (callback := timers.pop_due(now)) is not None:
        fired.append(callback())
    return fired


def test_nothing_pending() -> None:
    timers = Timers()
    assert timers.next() is None
    assert timers.pop_due(1e9) is None
    assert len(timers) == 0


def test_equal_deadlines_keep_their_order() -> None:
    timers = Timers()
    for value in range(5):
        timers.at(1.0, lambda value=value: value)
    assert fire(timers, 1.0) == [0, 1, 2, 3, 4]


def test_cancelling_twice_or_late_is_harmless() -> None:
    timers = Timers()
    timer = timers.at(1.0, lambda: "x")
    assert fire(timers, 2.0) == ["x"]
    timer.cancel()
    other = timers.at(3.0, lambda: "y")
    other.cancel()
    other.cancel()
    assert timers.next() is None
    assert len(timers) == 0


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    for _ in range(10_000):
        timers.at(1e6, lambda: None).cancel()
    assert len(timers._heap) <= 130


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans())), st.floats(0, 100))
def test_exactly_the_due_and_uncancelled_fire(plan: list[tuple[float, bool]], now: float) -> None:
    timers = Timers()
    expected = []
    for order, (deadline, cancelled) in enumerate(plan):
        timer = timers.at(deadline, lambda order=order: order)
        if cancelled:
            timer.cancel()
        elif deadline <= now:
            expected.append((deadline, order))
    assert fire(timers, now) == [order for _, order in sorted(expected)]
    assert len(timers) == sum(not cancelled and deadline > now for deadline, cancelled in plan)
