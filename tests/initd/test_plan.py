"""Stop order and the shutdown budget."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.plan import FLOOR, LEAST_BUDGET, SWEEP, Level, budget, share, stop_levels, until_kill


class Configured(NamedTuple):
    name: str
    group_priority: int = 999
    priority: int = 999
    stopwaitsecs: int = 10
    stopwaitsecs_given: bool = False
    group: str = "g"


def level(promised: float = 0, wanted: float = 10) -> Level:
    return Level(999, (("g", "p"),), promised, max(promised, wanted))


def test_higher_numbers_stop_first() -> None:
    levels = stop_levels([Configured("db", 1), Configured("app", 10), Configured("web", 10), Configured("log", 5)])
    assert [[name for _, name in one.members] for one in levels] == [["web", "app"], ["log"], ["db"]]


class Hooks(NamedTuple):
    post_stop: tuple[str, ...] = ("true",)
    post_stop_timeout: float = 5.0


class Hooked(NamedTuple):
    """A program with a post_stop."""

    name: str = "a"
    group_priority: int = 999
    priority: int = 999
    stopwaitsecs: int = 15
    stopwaitsecs_given: bool = True
    group: str = "g"
    hooks: Hooks = Hooks()


def test_post_stop_is_part_of_a_stop_and_of_the_budget() -> None:
    assert budget(stop_levels([Hooked()])) == 15 + 5 + SWEEP
    assert budget(stop_levels([Hooked(hooks=Hooks(post_stop=()))])) == 15 + SWEEP


@pytest.mark.parametrize(("part", "seconds"), [(30.0, 15.0), (20.0, 15.0), (8.0, 6.0), (0.0, 0.0)])
def test_where_time_is_short_process_and_post_stop_both_get_less(part: float, seconds: float) -> None:
    assert until_kill(Hooked(), part) == seconds
    assert until_kill(Configured("b", stopwaitsecs=15), part) == min(15.0, part)
    assert until_kill(Configured("b", stopwaitsecs=0), part) == 0.0


def test_inside_a_level_by_falling_priority_then_reverse_start_order() -> None:
    levels = stop_levels([Configured("a", priority=1), Configured("b", priority=5), Configured("c", priority=1)])
    assert [name for _, name in levels[0].members] == ["b", "c", "a"]


def test_no_programs_no_levels() -> None:
    assert stop_levels([]) == ()
    assert budget([]) == LEAST_BUDGET


def test_defaulted_waits_do_not_raise_the_budget() -> None:
    assert budget([level(), level(), level()]) == LEAST_BUDGET


def test_explicit_waits_add_up_over_levels_not_over_programs() -> None:
    one = stop_levels(
        [Configured("a", 1, 1, 20, True), Configured("b", 1, 1, 30, True), Configured("c", 2, 1, 5, True)]
    )
    assert budget(one) == 30 + 5 + SWEEP


def test_beside_a_long_promise_defaulted_waits_count_in_full() -> None:
    assert budget([level(), level(promised=600, wanted=600), level()]) == 10 + 600 + 10 + SWEEP
    assert share([level(), level(promised=600, wanted=600)], 611.0) == 10


def test_short_promises_leave_the_budget_as_it_is() -> None:
    assert budget([level(), level(promised=8, wanted=8)]) == LEAST_BUDGET


@pytest.mark.parametrize(("given_", "expected"), [(25.0, 25.0), (0.0, 0.0), (-3.0, 0.0)])
def test_a_given_budget_is_the_budget(given_: float, expected: float) -> None:
    assert budget([level(promised=60)], given_) == expected


def test_a_default_wait_is_squeezed_into_the_budget() -> None:
    assert share([level()], LEAST_BUDGET) == LEAST_BUDGET - SWEEP
    assert share([level(), level(), level()], LEAST_BUDGET) == LEAST_BUDGET - SWEEP - 2 * FLOOR


def test_a_promise_of_a_later_level_is_kept() -> None:
    assert share([level(), level(promised=30)], 31.0) == FLOOR
    assert share([level(promised=30)], 30.0) == 29.0


def test_a_promise_is_not_exceeded() -> None:
    assert share([level(promised=2, wanted=2)], 100.0) == 2


def test_too_small_a_budget_is_divided_in_proportion() -> None:
    levels = [level(promised=31), level(promised=16)]
    first = share(levels, 10.0)
    assert first == pytest.approx(1 + 7 * 30 / 45)
    assert share(levels[1:], 10.0 - first) == pytest.approx(9 - first)


LEVELS = st.lists(
    st.builds(level, st.sampled_from([0.0, 0.5, 1.0, 5.0, 60.0]), st.sampled_from([0.0, 1.0, 10.0])),
    min_size=1,
    max_size=8,
)


@given(LEVELS, st.floats(0, 200), st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_shares_never_exceed_what_is_left_and_later_levels_keep_theirs(
    levels: list[Level], remaining: float, used: list[float]
) -> None:
    while levels:
        part = share(levels, remaining)
        assert 0 <= part <= max(0.0, remaining - SWEEP) + 1e-9
        if remaining >= SWEEP + FLOOR * len(levels):
            assert part >= FLOOR - 1e-9
            assert remaining - part - SWEEP >= FLOOR * len(levels[1:]) - 1e-6
        remaining -= part * used[len(levels) - 1]
        levels = levels[1:]
