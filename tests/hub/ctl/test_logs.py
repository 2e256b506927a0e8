"""Merging the ends of many programs' output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.ctl.logs import BYTES, LOST, Merged, fresh


def test_what_is_new_stands_behind_the_overlap() -> None:
    assert fresh("", "one\n") == ("one\n", False)
    assert fresh("one\ntwo\n", "two\nthree\n") == ("three\n", False)
    assert fresh("one\n", "one\n") == ("", False)
    assert fresh("one\n", "") == ("", False)
    assert fresh("one\n", "other") == ("other", True)


NUMBERED = st.lists(st.integers(0, 5), min_size=1, max_size=30)


@given(NUMBERED)
def test_numbered_lines_come_once_each(steps: list[int]) -> None:
    merged, written, printed = Merged(10_000), "", []
    for step in steps:
        written += "".join(f"line {len(written)}-{n}\n" for n in range(step))
        printed += merged.take("a/b", written)
    assert printed == written.splitlines()


def test_an_unfinished_line_waits_for_its_end() -> None:
    merged = Merged(10)
    assert merged.take("a/b", "one\ntw") == ["one"]
    assert merged.take("a/b", "one\ntwo\n") == ["two"]
    assert list(merged.rest()) == []


def test_the_first_look_shows_only_the_last_lines() -> None:
    merged = Merged(2)
    assert merged.take("a/b", "1\n2\n3\n") == ["2", "3"]
    assert merged.take("a/b", "1\n2\n3\n4\n5\n6\n") == ["4", "5", "6"]


def test_a_gap_is_told_and_a_line_without_end_is_bounded() -> None:
    merged = Merged(10)
    merged.take("a/b", "one\n")
    assert merged.take("a/b", "x" * BYTES) == [LOST, "x" * BYTES]
