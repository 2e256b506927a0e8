from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from initd.logs.lines import Assembly, Spoken, blocks, last_lines, printable

chunks = st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\x01", b"\n")))


@given(chunks, st.integers(1, 20))
def test_nothing_is_lost_or_reordered(parts, limit):
    assembly = Assembly(limit)
    out = [assembly.feed(part) for part in parts]
    assert b"".join(out) + assembly.take(all=True) == b"".join(parts) and assembly.held == b""


@given(chunks, st.integers(1, 20))
def test_what_is_held_is_bounded_and_has_no_newline(parts, limit):
    assembly = Assembly(limit)
    for part in parts:
        assembly.feed(part)
        assert len(assembly.held) <= max(limit, 3) and b"\n" not in assembly.held


@given(st.lists(st.sampled_from([b"a", b"bb\n", b"\n", b"c\nd"])))
def test_what_goes_out_ends_with_a_newline(parts):
    assembly = Assembly(1000)
    assert all(out.endswith(b"\n") for out in map(assembly.feed, parts) if out)


@given(st.binary(max_size=300), st.integers(8, 64))
def test_printable_text_is_bounded_and_harmless(raw, limit):
    text = printable(raw, limit)
    assert text.isprintable() and len(text.encode()) <= limit


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=20))
def test_printable_text_stays_as_it_is(text):
    assert printable(text.encode() + b"\r\n", 200) == text


def test_direction_marks_cannot_turn_a_line_round():
    assert printable("a\u202eb\x9b".encode(), 100) == "a\\u202eb\\x9b"


def test_lines_come_in_the_order_in_which_they_were_read():
    out = Spoken(b"o1\no2\no3", 8, [(1, 4), (3, 6), (4, 8)])
    err = Spoken(b"e1\n", 3, [(2, 3)])
    assert last_lines((out, err), 10, 50) == ("o1", "e1", "o2", "o3")
    assert last_lines((out, err), 2, 50) == ("o2", "o3")


def test_reads_older_than_remembered_come_first():
    out = Spoken(b"a\nb\n", 104, [(7, 102), (8, 104)])
    assert out.lines() == [(7, b"a"), (8, b"b")]


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=8)), max_size=12))
def test_the_last_lines_of_one_stream_are_the_end_of_its_text(parts):
    raw, reads, total = b"", [], 0
    for serial, (_, part) in enumerate(parts, 1):
        raw, total = raw + part, total + len(part)
        reads.append((serial, total))
    expected = [printable(line, 50) for line in raw.split(b"\n") if line.strip()]
    assert list(last_lines((Spoken(raw, total, reads),), 3, 50)) == expected[-3:]


@given(st.lists(st.integers(0, 30), max_size=30), st.booleans())
def test_blocks_join_to_the_text_and_end_with_lines(lengths, ends):
    text = b"\n".join(b"x" * length for length in lengths) + (b"\n" if ends else b"")
    found = blocks(text, size=20)
    assert b"".join(found) == text
    assert all(block.endswith(b"\n") for block in found[:-1])
    assert all(len(block) <= 31 for block in found)
    assert all(len(one) + len(other) > 20 for one, other in itertools.pairwise(found[:-1]))


@given(st.text(alphabet="aé€😀", min_size=1, max_size=60), st.integers(1, 9), st.integers(0, 8))
def test_a_line_in_pieces_is_never_cut_inside_a_character(text, size, limit):
    raw, assembly = text.encode(), Assembly(limit)
    pieces = []
    for at in range(0, len(raw), size):
        pieces += [assembly.feed(raw[at : at + size]), assembly.take()]
    assert "".join(piece.decode() for piece in pieces) == text and assembly.held == b""
