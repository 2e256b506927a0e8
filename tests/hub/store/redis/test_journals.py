"""What is written of an open window: differences there and back, and what strange bytes give; no Redis needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.redis.journals import SPARSE, Held, Written
from hub.store.redis.shelf import _opened
from hub.store.rings import Key
from hub.store.segments import unsqueeze
from hub.store.thin import Unwritten, spread_out, thinned
from wire.model import RosterRow

KEY = Key("process", "a", "b", 1)
ROWS = [[100, 7, 1, "program", "p", "p", 0]]
ROSTER = tuple(RosterRow(*row) for row in ROWS)
TIMES = bytes(16)


@st.composite
def samples(draw: st.DrawFn) -> tuple[bytes, int, bytes]:
    """The first sample, and some that follow."""
    width, count = 4 * draw(st.integers(1, 30)), draw(st.integers(1, 4))
    first = draw(st.binary(min_size=width, max_size=width))
    return (
        first,
        count,
        b"".join(draw(st.just(first) | st.binary(min_size=width, max_size=width)) for _ in range(count)),
    )


@given(samples())
def test_differences_give_back_the_samples(drawn: tuple[bytes, int, bytes]) -> None:
    first, count, blobs = drawn
    assert [spread_out(first, count, data) for data in thinned([first] * 2, [blobs, first * count])] == [
        blobs,
        first * count,
    ]


def test_what_did_not_change_takes_a_bit_for_four_bytes() -> None:
    assert len(thinned([bytes(320)], [bytes(640)])[0]) == 640 // 4 // 8


@given(samples(), st.binary(max_size=100))
def test_strange_bytes_are_refused_or_read(drawn: tuple[bytes, int, bytes], data: bytes) -> None:
    try:
        spread_out(drawn[0], drawn[1], data)
    except ValueError:
        return


def written(*blobs: bytes) -> dict[str, bytes]:
    """The fields of a stream of which so much was written at a time."""
    found: list[Written] = []
    held = Held("run:1", found.extend)
    for number, part in enumerate(blobs):
        data = thinned([blobs[0]], [part])[0] if number else part
        held.append([Unwritten(KEY, ROSTER, number, TIMES[: 8 * len(part) // 8], data)])
    return {name: data for _, fields, _, _ in found for name, data in fields.items()}


def test_only_the_first_field_has_the_roster() -> None:
    fields = written(b"firstone", b"firsttwo", b"lastones")
    heads = [unsqueeze(fields[name])[0][1] for name in sorted(fields)]
    assert heads == [[1, ROWS, 1], [SPARSE, 1, 1], [SPARSE, 1, 1]]


def test_a_later_field_is_read_by_the_first() -> None:
    fields = written(b"firstone", b"firsttwo")
    boot, head, body = _opened(fields, "run:1:0:1")
    assert (boot, head, bytes(body)) == ("b", [1, ROWS, 1], TIMES[:8] + b"firsttwo")


def test_without_the_first_a_later_one_is_damaged() -> None:
    fields = written(b"firstone", b"firsttwo")
    with pytest.raises(KeyError):
        _opened({"run:1:0:1": fields["run:1:0:1"]}, "run:1:0:1")
