"""Points, tiers and joined histories, mostly as properties."""

from __future__ import annotations

from array import array
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitor.history import CONTAINER, PROCESS, Layout, Point, join, points_of, rollup, rollup_samples
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, Column

SMALL = Layout((Column("bytes", "d", "B", ""), Column("level", "f", "1", "")))
"""One counter, one gauge; values are (level, bytes/s)."""

level = st.one_of(st.floats(-1000, 1000, width=32), st.just(nan))
counter = st.one_of(st.integers(0, 10**6).map(float), st.just(nan))
gap = st.sampled_from([1.0, 5.0, 7.5, 90.0])


@st.composite
def samples(draw: st.DrawFn) -> list[tuple[float, tuple[float, ...]]]:
    found, at = [], 1000.0
    for distance, count, value in draw(st.lists(st.tuples(gap, counter, level), max_size=60)):
        at += distance
        found.append((at, (count, value)))
    return found


def same(a: float, b: float) -> bool:
    return a == b or (isnan(a) and isnan(b))


def known(values: list[float]) -> list[float]:
    return [value for value in values if value == value]


@given(samples())
def test_a_rate_is_the_slope_or_unknown(found: list[tuple[float, tuple[float, ...]]]) -> None:
    points = points_of(SMALL, found)
    assert len(points) == len(found)
    for (t0, (c0, _)), (t1, (c1, _)), point in zip(found, found[1:], points[1:], strict=False):
        rate = point.mean[1]
        assert rate == (c1 - c0) / (t1 - t0) if c1 >= c0 else isnan(rate)


@given(samples())
def test_the_first_point_has_no_rate(found: list[tuple[float, tuple[float, ...]]]) -> None:
    assert all(isnan(point.mean[1]) for point in points_of(SMALL, found)[:1])


@given(samples(), st.sampled_from([10.0, 60.0, 600.0]))
def test_a_step_holds_the_extremes_and_the_mean(found: list[tuple[float, tuple[float, ...]]], step: float) -> None:
    points = points_of(SMALL, found)
    for point in rollup(points, step):
        inside = [p for p in points if point.at <= p.at < point.at + step]
        assert point.weight == len(inside) > 0
        assert point.counters == inside[-1].counters or isnan(point.counters[0])
        levels = known([p.mean[0] for p in inside])
        assert same(point.low[0], min(levels, default=nan)) and same(point.high[0], max(levels, default=nan))
        assert point.mean[0] == pytest.approx(sum(levels) / len(levels) if levels else nan, nan_ok=True, abs=1e-6)


@given(samples())
def test_tiers_of_tiers_are_tiers_of_samples(found: list[tuple[float, tuple[float, ...]]]) -> None:
    whole = [(at, (count, 1.0 if isnan(value) else value)) for at, (count, value) in found]
    points = points_of(SMALL, whole)
    direct, twice = rollup(points, 600.0), rollup(rollup(points, 60.0), 600.0)
    exact = [[(p.at, p.weight, p.low[0], p.high[0]) for p in points] for points in (direct, twice)]
    assert exact[0] == exact[1]
    assert [p.mean[0] for p in direct] == pytest.approx([p.mean[0] for p in twice], abs=1e-6)


@given(samples(), st.integers(0, 60))
def test_a_step_cut_in_two_is_one_again(found: list[tuple[float, tuple[float, ...]]], cut: int) -> None:
    points = points_of(SMALL, found)
    parts = rollup(points[:cut], 60.0) + rollup(points[cut:], 60.0)
    joined, whole = join(SMALL, [parts], 60.0), join(SMALL, [points], 60.0)
    assert joined.times == whole.times
    for name in ("level.min", "level.max", "bytes/s.max", "bytes"):
        assert all(map(same, joined.columns[name], whole.columns[name])), name


@given(samples(), st.sampled_from([10.0, 60.0]))
def test_the_fast_way_is_the_same(found: list[tuple[float, tuple[float, ...]]], step: float) -> None:
    fast, slow = rollup_samples(SMALL, found, step), rollup(points_of(SMALL, found), step)
    assert [p[:3] for p in fast] == [p[:3] for p in slow]
    for a, b in zip(fast, slow, strict=True):
        flat = [a.counters + a.low + a.high, b.counters + b.low + b.high]
        assert all(map(same, *flat))
        assert a.mean == pytest.approx(b.mean, nan_ok=True)


@given(samples())
def test_points_survive_a_file(found: list[tuple[float, tuple[float, ...]]]) -> None:
    points = rollup(points_of(SMALL, found), 60.0)
    again = SMALL.unpack(SMALL.pack(points), 60.0)
    assert [p[:3] for p in again] == [p[:3] for p in points]
    for a, b in zip(again, points, strict=True):
        assert all(map(same, a.counters, b.counters))
        assert a.low + a.mean + a.high == pytest.approx(b.low + b.mean + b.high, rel=1e-6, nan_ok=True)


@given(st.lists(st.tuples(counter, level), min_size=1, max_size=9))
def test_one_row_is_read_out_of_many(rows: list[tuple[float, float]]) -> None:
    blob = array("d", [row[0] for row in rows]).tobytes() + array("f", [row[1] for row in rows]).tobytes()
    for index, row in enumerate(rows):
        (found,) = SMALL.row_of(len(rows), index).iter_unpack(blob)
        assert all(map(same, found, row))


def test_our_tables_put_counters_first() -> None:
    assert (PROCESS.width, CONTAINER.width) == (48, 88)
    with pytest.raises(ValueError):
        Layout(PROCESS_COLUMNS[::-1])
    assert len(CONTAINER.values) == len(CONTAINER_COLUMNS)


def point(at: float, count: float = 0.0, value: float = 1.0) -> Point:
    return Point(at, 0.0, 1.0, (count,), (value, nan), (value, nan), (value, nan))


def test_an_empty_history() -> None:
    history = join(SMALL, [[], []], None)
    assert (len(history.times), history.gaps, history.restarts) == (0, (), ())
    assert set(history.columns) == {"bytes", "level", "bytes/s"}


def test_a_later_instance_is_a_restart() -> None:
    history = join(SMALL, [[point(20, 1)], [point(0, 5), point(10, 6)]], None)
    assert (list(history.times), history.restarts) == ([0, 10, 20], (20,))


def test_a_falling_counter_is_a_restart() -> None:
    assert join(SMALL, [[point(0, 5), point(10, 6), point(20, 2)]], None).restarts == (20,)


def test_gaps_are_measured_by_the_usual_distance() -> None:
    times = [0, 5, 10, 15, 31, 36, 41, 100]
    assert join(SMALL, [[point(at) for at in times]], None).gaps == ((15, 31), (41, 100))
    assert join(SMALL, [[point(at) for at in times]], 60.0).gaps == ()


def test_two_instances_in_one_step_of_a_tier_are_one_point() -> None:
    history = join(SMALL, [[point(0, value=1.0)], [point(0, value=3.0), point(60)]], None)
    assert (list(history.times), list(history.columns["level"])) == ([0, 60], [2.0, 1.0])


def test_coarser_points_of_old_are_no_gaps() -> None:
    old = [point(at)._replace(span=600.0) for at in range(0, 3000, 600)]
    assert join(SMALL, [[*old, *[point(at) for at in range(3000, 3100, 5)]]], None).gaps == ()
