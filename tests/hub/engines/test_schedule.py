"""Which container is measured next, in virtual time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.engines.schedule import SLOWEST, Schedule


def test_all_are_due_at_once_and_again_after_a_period() -> None:
    schedule = Schedule(5.0)
    schedule.aim(["a", "b"], 100.0)
    assert [schedule.take(100.0), schedule.take(100.0), schedule.take(100.0)] == ["a", "b", None]
    schedule.done("a", True, 100.5)
    assert schedule.wait(100.5) == 4.5
    assert (schedule.take(104.9), schedule.take(105.0)) == (None, "a")


def test_one_in_flight_is_not_due() -> None:
    schedule = Schedule(1.0)
    schedule.aim(["a"], 0.0)
    assert schedule.take(0.0) == "a"
    schedule.aim(["a"], 50.0)
    assert (schedule.take(50.0), schedule.wait(50.0)) == (None, None)


def test_a_late_answer_keeps_the_phase_a_missed_period_does_not_pile_up() -> None:
    schedule = Schedule(5.0)
    schedule.aim(["a"], 0.0)
    schedule.take(3.0)
    schedule.done("a", True, 4.0)
    assert schedule.take(5.0) == "a"
    schedule.done("a", True, 23.0)
    assert schedule.wait(23.0) == 5.0


def test_whoever_fails_waits_longer_and_is_forgiven_by_one_answer() -> None:
    schedule, now, pauses = Schedule(5.0), 0.0, []
    schedule.aim(["a"], now)
    for answered in (False, False, False, False, False, True):
        assert schedule.take(now) == "a"
        schedule.done("a", answered, now)
        pauses.append(schedule.wait(now))
        now += pauses[-1] or 0.0
    assert pauses == [10.0, 20.0, 40.0, SLOWEST, SLOWEST, 5.0]


def test_what_is_aimed_away_is_forgotten_even_in_flight() -> None:
    schedule = Schedule(5.0)
    schedule.aim(["a", "b"], 0.0)
    schedule.take(0.0)
    schedule.aim([], 1.0)
    schedule.done("a", True, 1.0)
    assert (schedule.take(99.0), schedule.wait(99.0)) == (None, None)


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcdef")), st.floats(0, 7)), max_size=20))
def test_each_target_is_taken_within_a_period_and_never_twice_at_once(steps: list[tuple[set[str], float]]) -> None:
    schedule, now = Schedule(2.0), 0.0
    for wanted, passed in steps:
        schedule.aim(wanted, now)
        taken = []
        while (one := schedule.take(now)) is not None:
            taken.append(one)
        assert len(set(taken)) == len(taken)
        assert set(taken) <= wanted
        for one in taken:
            schedule.done(one, True, now)
        now += passed
    schedule.aim("ab", now)
    assert {schedule.take(now + 2.0), schedule.take(now + 2.0)} == {"a", "b"}
