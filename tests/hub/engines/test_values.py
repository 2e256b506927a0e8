"""Hostile JSON becomes bounded, printable values, or nothing."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.engines import values
from wire.limits import ADDRESSES, ENGINE_LABELS, LABEL_CHARS, LABEL_KEY_CHARS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b"nonsense"])
def test_broken_json_is_nothing(data: bytes) -> None:
    assert values.parsed(data) is None


@given(JSON)
def test_every_reader_takes_anything(value: object) -> None:
    assert isinstance(values.text(value), str)
    assert isinstance(values.number(value), float)
    assert values.whole(value) is None or isinstance(value, int)
    assert values.moment(value) is None or isinstance(value, str)
    assert all(isinstance(v, str) for v in values.labels(value).values())
    assert values.within(value, "a", "b") is None or isinstance(value, dict)


@given(st.text())
def test_texts_are_printable_and_bounded(text: str) -> None:
    shown = values.text(text, 20)
    assert len(shown) <= 20
    assert shown.isprintable()


@pytest.mark.parametrize("value", [True, -1, 2**64, math.inf, math.nan, "7", None, [], 10**400])
def test_what_is_no_measurement_is_not_a_number(value: object) -> None:
    assert math.isnan(values.number(value))


def test_go_times_are_read_to_the_nanosecond_and_zero_means_never() -> None:
    assert values.moment("1970-01-03T00:00:01.5Z") == 2 * 86400 + 1.5
    assert values.moment("1970-01-03T02:00:01.5+02:00") == 2 * 86400 + 1.5
    assert values.moment("2026-11-23T08:06:15.736556658Z") == pytest.approx(1795421175.736556658, abs=1e-6)
    assert values.moment("0001-01-01T00:00:00Z") is None


@pytest.mark.parametrize("value", ["", "2026", "2026-13-01T00:00:00Z", "9999-99-99T99:99:99Z", 5, "x" * 1000])
def test_other_times_are_unknown(value: object) -> None:
    assert values.moment(value) is None


def test_an_overlong_or_unprintable_label_is_left_out_not_shortened() -> None:
    hostile = {"a": "b", "long": "x" * (LABEL_CHARS + 1), "k" * (LABEL_KEY_CHARS + 1): "v", "esc": "\x1b[2J", "n": 5}
    assert values.labels(hostile) == {"a": "b"}


def test_labels_are_bounded_in_number() -> None:
    assert len(values.labels({f"k{n}": "v" for n in range(5000)})) == ENGINE_LABELS


def test_only_addresses_are_addresses() -> None:
    assert values.addresses(["10.0.0.1", "", "fd00::0007", "localhost; rm", None]) == ("10.0.0.1", "fd00::7")
    assert len(values.addresses(f"10.0.0.{n}" for n in range(200))) == ADDRESSES


@given(JSON)
def test_what_python_writes_is_read_again(value: object) -> None:
    assert repr(values.parsed(json.dumps(value).encode())) == repr(value)
