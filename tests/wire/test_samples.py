"""The quick reading of samples agrees with their table, and leaves to it what is unusual."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import limits
from wire.codec import SHAPES, EncodeError, encode, unpack
from wire.messages import Sample
from wire.model import PROCESS_COLUMNS
from wire.samples import sample_in
from wire.shapes import Wrong

NAMES = [column.name for column in PROCESS_COLUMNS]
USUAL = Sample("boot", 3, 1e9, 5.0, 1.0, dict.fromkeys(NAMES, b"12345678"), b"1" * 112)

strange = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**64), st.floats(), st.text(max_size=5), st.binary(max_size=9),
    st.lists(st.integers(), max_size=2).map(tuple), st.dictionaries(st.text(max_size=3), st.binary(), max_size=2),
)  # fmt: skip


def plain() -> dict[str, Any]:
    return unpack(encode(USUAL))


def test_what_link_sends_is_taken() -> None:
    assert sample_in(plain()) == USUAL


@given(st.sampled_from(Sample._fields), strange)
def test_what_is_taken_is_what_the_table_reads(field: str, value: Any) -> None:
    changed = plain() | {field: value}
    found = sample_in(changed)
    assert found is None or found == SHAPES[Sample].read(changed)


@given(st.sampled_from(NAMES), strange)
def test_so_it_is_with_one_column(name: str, value: Any) -> None:
    changed = plain()
    changed["processes"] = changed["processes"] | {name: value}
    found = sample_in(changed)
    assert found is None or found == SHAPES[Sample].read(changed)


@pytest.mark.parametrize(
    "change",
    [{"boot": "a b"}, {"boot": "x" * 65}, {"roster": 0}, {"roster": True}, {"at": float("inf")},
     {"container": bytes(8 * limits.COLUMNS + 1)},
     {"processes": dict.fromkeys(NAMES, bytes(8 * limits.PROCESSES + 1))}],
)  # fmt: skip
def test_a_limit_is_left_to_the_table_which_refuses(change: dict[str, Any]) -> None:
    changed = plain() | change
    assert sample_in(changed) is None
    with pytest.raises((Wrong, EncodeError)):
        SHAPES[Sample].read(changed)
