"""Sheets: bytes there and back, and the same points as sample by sample."""

from __future__ import annotations

from array import array
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitor.folding import fold
from hub.monitor.history import History, Layout, join, points_of, rollup_samples
from hub.monitor.planes import Planes
from hub.monitor.recent import recent
from hub.monitor.sheets import PIECE, Packed, Sheet, joined, open_sheet, sheet_of
from hub.monitor.tables import Table, np
from wire.model import Column

SMALL = Layout((Column("bytes", "d", "B", ""), Column("level", "f", "1", "")))
WIDTH = SMALL.width

number = st.one_of(st.just(5.0), st.integers(0, 1000).map(float), st.sampled_from([nan, inf, -inf, -1.0]))


@st.composite
def sheets(draw: st.DrawFn) -> tuple[int, array[float], bytes]:
    """Rows, times and blobs."""
    height = draw(st.integers(1, PIECE + 2))
    distances = draw(st.lists(st.sampled_from([1.0, 5.0, 5.0, 61.0]), min_size=1, max_size=30))
    times = array("d", [1000.0 + sum(distances[: n + 1]) for n in range(len(distances))])
    rows = st.lists(number, min_size=height, max_size=height)
    blobs = [array("d", draw(rows)).tobytes() + array("f", draw(rows)).tobytes() for _ in times]
    return height, times, b"".join(blobs)


@given(sheets())
def test_a_sheet_gives_back_what_came(drawn: tuple[int, array[float], bytes]) -> None:
    height, times, blobs = drawn
    sheet = sheet_of(SMALL, height, times, blobs)
    assert sheet.blobs() == blobs
    again = open_sheet(SMALL, height, sheet.packed())
    assert (again.times, again.whole().blobs()) == (times, blobs)
    assert all(np.array_equal(again.row(index), sheet.row(index), equal_nan=True) for index in range(height))


@given(sheets(), st.sampled_from([10.0, 60.0]))
def test_folded_are_the_points_of_its_samples(drawn: tuple[int, array[float], bytes], step: float) -> None:
    height, times, blobs = drawn
    sheet = sheet_of(SMALL, height, times, blobs)
    starts, rows = fold(sheet, step)
    for index in range(height):
        wanted = rollup_samples(SMALL, samples(sheet, index), step)
        points = SMALL.unpack(rows[index], step)
        assert [p.at for p in points] == starts
        assert [p.at for p in points] == [p.at for p in wanted]
        for point, other in zip(points, wanted, strict=True):
            assert point.weight == other.weight
            for ours, theirs in zip(point[3:], other[3:], strict=True):
                assert [*ours] == pytest.approx([*theirs], rel=1e-5, nan_ok=True)


@given(sheets(), st.integers(0, 30))
def test_two_parts_joined_are_the_whole(drawn: tuple[int, array[float], bytes], cut: int) -> None:
    height, times, blobs = drawn
    width = WIDTH * height
    parts = [(times[:cut], blobs[: cut * width]), (times[cut:], blobs[cut * width :])]
    found = [sheet_of(SMALL, height, at, data) for at, data in reversed(parts) if at]
    assert joined(found).blobs() == blobs


def samples(sheet: Sheet | Packed, index: int) -> list[tuple[float, tuple[float, ...]]]:
    """Time and figures of one row."""
    return listed(np.array(sheet.times), sheet.row(index))


def listed(times: Table, figures: Table) -> list[tuple[float, tuple[float, ...]]]:
    """The same of a table."""
    return list(zip(times.tolist(), map(tuple, figures.tolist()), strict=True))


@given(sheets(), st.integers(0, 30), st.booleans())
def test_recent_history_is_that_of_its_points(drawn: tuple[int, array[float], bytes], cut: int, one: bool) -> None:
    """The first row in one life, or cut in two."""
    height, times, blobs = drawn
    sheet, at = sheet_of(SMALL, height, times, blobs), np.array(times)
    runs = [(at[part], sheet.row(0)[part]) for part in (slice(cut), slice(cut, None)) if len(at[part])]
    lives = [runs] if one else [[run] for run in runs]
    wanted = join(SMALL, [points_of(SMALL, [pair for run in life for pair in listed(*run)]) for life in lives], None)
    assert told(recent(SMALL, lives[::-1])) == told(wanted)


def test_recent_leaves_two_samples_of_one_moment_to_others() -> None:
    run = (np.array([1.0, 2.0]), np.zeros((2, 2)))
    assert recent(SMALL, [[run], [run]]) is None
    assert recent(SMALL, [[run, run]]) is None
    assert recent(SMALL, []) is None


def told(history: History | None) -> tuple[str, ...]:
    """A history as text: NaN is not equal to itself."""
    assert history is not None
    return tuple(map(repr, history))


def test_what_never_changed_takes_a_bit_for_a_byte() -> None:
    """Of the other, two bytes of a float32 change: one twice, one only the first time."""
    still = sheet_of(SMALL, 1, array("d", [1.0, 2.0, 3.0]), bytes(3 * WIDTH))
    assert [len(sheet_piece(sheet)) for sheet in (still, whole())] == [2 + 12, 2 + 12 + 1 + 3]


def sheet_piece(sheet: Sheet) -> bytes:
    """The last piece of a packed sheet of one row."""
    body = sheet.packed()
    return body[-int.from_bytes(body[8:12], "little") :]


def whole() -> Sheet:
    """Three samples of a counter that sleeps and a gauge that moves."""
    blobs = b"".join(array("d", [7.0]).tobytes() + array("f", [n]).tobytes() for n in (1.0, 2.0, 3.0))
    return sheet_of(SMALL, 1, array("d", [1.0, 2.0, 3.0]), blobs)


def test_only_the_piece_that_is_asked_for_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    height = 3 * PIECE
    sheet = sheet_of(SMALL, height, array("d", [1.0]), bytes(WIDTH * height))
    again, opened = open_sheet(SMALL, height, sheet.packed()), []
    real = Planes
    monkeypatch.setattr("hub.monitor.sheets.Planes", lambda *words: opened.append(1) or real(*words))
    again.row(PIECE + 1), again.row(PIECE + 2)
    assert len(opened) == 1
