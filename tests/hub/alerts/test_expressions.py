"""Conditions: what is read, what is refused, and three-valued truth."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.expressions import Past, Term, holds, parse, seconds, told
from hub.alerts.fields import FIELDS


def truth(text: str, subject: str = "container", **values: object) -> bool | None:
    return holds(parse(text, subject), values, Past().look("x", 0.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [("memory > 512MB", 512 * 2**20), ("memory_share > 90%", 0.9), ("cpu > 150%", 1.5), ("cpu > 1.5 cores", 1.5)],
)
def test_units_follow_the_field(text: str, value: float) -> None:
    if " cores" in text:
        text = text.replace(" cores", "cores")
    assert parse(text, "container")[0].value == pytest.approx(value)


def test_a_function_looks_back_over_a_span() -> None:
    assert parse("rate(oom_kills, 10m) > 0.5", "container") == (Term("rate", "oom_kills", 600.0, ">", 0.5),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("memory", "no FIELD OP VALUE"),
        ("colour > 3", "no field 'colour'; it has state,"),
        ("memory > 3s", "write 512MB"),
        ("state > running", "compare it with == or !="),
        ("rate(memory, 5m) > 1", "only rises: restart_count"),
        ("rate(oom_kills, soon) > 1", "is no time"),
        ("increase(oom_kills, 9999h) > 1", "is no time"),
        ("__import__('os') > 1", "no FIELD OP VALUE"),
        ("cpu > 1 and cpu > 1 and cpu > 1 and cpu > 1 and cpu > 1", "at most 4 terms"),
        ("c" * 300, "at most 256"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_right(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        parse(text, "container")


def test_truth_has_three_values() -> None:
    assert truth("cpu > 1", cpu=2.0) is True and truth("cpu > 1", cpu=0.5) is False
    assert truth("cpu > 1") is None and truth("cpu > 1", cpu=nan) is None
    assert truth("cpu > 1 and memory > 1", cpu=0.5) is False
    assert truth("cpu > 1 and memory > 1", cpu=2.0) is None


def test_words_are_compared_as_words() -> None:
    assert truth("state == exited", state="exited") is True and truth("state != exited", state="exited") is False
    assert truth("state == exited") is None


def measured(text: str, *readings: tuple[float, float]) -> list[bool | None]:
    past, terms = Past(), parse(text, "container")
    return [holds(terms, {"oom_kills": value}, past.look("x", at)) for at, value in readings]


def test_increase_forgets_what_lies_before_the_span() -> None:
    readings = [(0.0, 0.0), (60.0, 3.0), (300.0, 3.0), (361.0, 3.0)]
    assert measured("increase(oom_kills, 5m) >= 3", *readings) == [False, True, True, False]


def test_a_counter_that_fell_began_anew() -> None:
    assert measured("increase(oom_kills, 5m) >= 4", (0.0, 100.0), (10.0, 2.0), (20.0, 4.0)) == [False, False, True]


def test_a_rate_needs_two_readings() -> None:
    assert measured("rate(oom_kills, 1m) > 0.5", (0.0, 5.0), (10.0, 15.0)) == [None, True]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=200))
def test_the_rate_over_a_long_series_is_that_of_its_span(rises: list[float]) -> None:
    past, term, total = Past(), Term("increase", "oom_kills", 50.0, ">", 0.0), 0.0
    totals = []
    for at, rise in enumerate(rises):
        total += rise
        totals.append(total)
        found = past.look("x", float(at))(term, total)
    assert found == pytest.approx(total - totals[max(len(rises) - 51, 0)], abs=1e-6)


@given(st.text(max_size=80), st.sampled_from(sorted(FIELDS)))
def test_whatever_is_typed_is_read_or_refused(text: str, subject: str) -> None:
    try:
        assert parse(text, subject)
    except ValueError as error:
        assert str(error)


def test_times_are_read_and_written() -> None:
    assert [seconds(text) for text in ("90", "5m", "2h", "1d")] == [90, 300, 7200, 86400]
    assert [told(value) for value in (90.0, 300.0, 7200.0, 86400.0)] == ["90s", "5m", "2h", "1d"]
