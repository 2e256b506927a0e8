"""The splitter of endless answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.engines.lines import Lines


def cut_up(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=8)


@given(LINES, st.lists(st.integers(0, 200)))
def test_lines_come_out_however_the_bytes_come_in(lines: list[bytes], places: list[int]) -> None:
    splitter = Lines(10)
    data = b"".join(line + b"\n" for line in lines)
    found = [line for chunk in cut_up(data, places) for line in splitter.feed(chunk)]
    assert found == [line.strip() for line in lines if len(line) <= 10 and line.strip()]
    assert splitter.dropped == sum(len(line) > 10 for line in lines)


def test_an_endless_line_is_not_kept() -> None:
    splitter = Lines(100)
    for _ in range(1000):
        assert splitter.feed(b"x" * 64) == []
    assert len(splitter._rest) <= 100
    assert splitter.feed(b"x\nnext\n") == [b"next"]
    assert splitter.dropped == 1
