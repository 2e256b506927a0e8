"""Merging the ends of many programs' output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.ctl.logs import BYTES, MOST, Merged, Run, fresh


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
    lost, line = merged.take("a/b", "x" * BYTES)
    assert "more was written" in lost and line == "x" * BYTES


class Writer:
    """A program whose ring holds `room` bytes."""

    def __init__(self, room: int = 64) -> None:
        self.room, self.written = room, b""

    def look(self, merged: Merged, text: str) -> list[str]:
        self.written += text.encode()
        kept = self.written[-self.room :]
        return merged.take("a/b", kept.decode("utf-8", "backslashreplace"), len(self.written), len(kept))


def test_equal_lines_are_told_as_often_as_they_were_written() -> None:
    merged, writer = Merged(0), Writer()
    writer.look(merged, "tick\n" * 40)
    assert writer.look(merged, "tick\n" * 3) == ["tick"] * 3 and writer.look(merged, "") == []


@given(st.lists(st.integers(0, 40), max_size=20))
def test_what_a_fast_writer_loses_is_told_to_the_byte(steps: list[int]) -> None:
    merged, writer = Merged(0), Writer()
    writer.look(merged, "begin\n")
    for step in steps:
        lines = writer.look(merged, "0123456\n" * step)
        told = lines[1:] if lines and "bytes were not shown" in lines[0] else lines
        lost = int(lines[0].split()[1]) if told != lines else 0
        assert lost == max(0, 8 * step - 64) and len(told) == min(step, 8)


def test_a_program_that_was_started_anew_with_its_container_is_told_from_its_beginning() -> None:
    merged = Merged(0)
    Writer().look(merged, "old life, long words\n")
    assert Writer().look(merged, "new\n") == ["new"]


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_what_is_no_text_is_shown_too_and_breaks_nothing(parts: list[bytes]) -> None:
    merged, written = Merged(0), b""
    for part in [b"", *parts, b"\nend\n"]:
        written += part
        told = merged.take("a/b", written.decode("utf-8", "backslashreplace"), len(written), len(written))
    assert told[-1] == "end"


def test_memory_does_not_grow_with_programs_that_went() -> None:
    merged = Merged(0)
    for number in range(5 * MOST):
        merged.take(f"agent-{number}/web", "x" * BYTES, BYTES, BYTES)
    assert len(merged.seen) == 2 * MOST


def test_each_look_of_a_run_has_an_id_of_its_own_that_begins_with_the_runs_word() -> None:
    run = Run(True)
    looks = [run.look() for _ in range(3)]
    assert [look["id"] for look in looks] == [f"{run.word}-{number}" for number in (1, 2, 3)]
    assert {look["follow"] for look in looks} == {run.word} != {Run(True).word}


def test_looks_that_are_far_apart_name_no_run() -> None:
    run = Run(False)
    first, second = run.look(), run.look()
    assert "follow" not in first and first["id"] != second["id"]
