from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initd.config.topics.logs import Logs
from initd.logs.shape import Clock, TextShape, offset, pieces, shape_of
from wire.limits import LOG_LINE_BYTES

AT = 1_700_000_000.25
STAMP = "2023-11-14T22:13:20.250Z"
TRICKY = st.binary(max_size=60) | st.text(alphabet='a\\"\t\r\n\x1b\x00é😀', max_size=60).map(str.encode)


def shaped(*texts: bytes, **options: object) -> bytes:
    shape = shape_of(Logs(**options), "web", "stdout")
    assert shape is not None
    return b"".join(shape(text, AT, 7) for text in texts)


def records(*texts: bytes, **options: object) -> list[dict[str, object]]:
    lines = shaped(*texts, log_format="json", **options).decode().split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def said(found: list[dict[str, object]]) -> bytes:
    """What the program wrote, from its JSON lines."""
    return b"".join(spelt_out(row) + (b"" if row.get("partial") else b"\n") for row in found)


def spelt_out(row: dict[str, object]) -> bytes:
    line = str(row["line"])
    if not row.get("escaped"):
        return line.encode()
    return line.encode().decode("unicode_escape").encode("latin-1") if line.isascii() else unescape(line.encode())


def unescape(line: bytes) -> bytes:
    found, at = b"", 0
    while at < len(line):
        if line[at : at + 1] != b"\\":
            found, at = found + line[at : at + 1], at + 1
        elif line[at + 1 : at + 2] == b"\\":
            found, at = found + b"\\", at + 2
        else:
            found, at = found + bytes((int(line[at + 2 : at + 4], 16),)), at + 4
    return found


def test_a_prefix_stands_before_each_line():
    assert shaped(b"one\ntwo\n", log_prefix="{name} |") == b"web | one\nweb | two\n"
    assert shaped(b"one\n", log_prefix="[{name}:{stream}]") == b"[web:stdout] one\n"


def test_the_time_stands_before_the_prefix():
    assert shaped(b"one\n\n", log_prefix="x", log_timestamps="utc") == f"{STAMP} x one\n{STAMP} x \n".encode()


def test_local_time_names_its_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert Clock(local=True).stamp(AT) == b"2023-11-15T03:43:20.250+05:30"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("seconds", "text"), [(0, "+00:00"), (3600, "+01:00"), (-12600, "-03:30")])
def test_zones_are_spelt_as_rfc_3339_has_them(seconds, text):
    assert offset(seconds) == text


def test_the_clock_moves_on():
    clock = Clock(local=False)
    assert [clock.stamp(at)[-7:] for at in (59.0, 59.5, 60.125)] == [b"59.000Z", b"59.500Z", b"00.125Z"]


def test_a_line_in_pieces_is_marked_where_it_goes_on():
    assert shaped(b"login: ", b"bob\nok\n", log_prefix="w") == b"w login: \nw ... bob\nw ok\n"
    assert shaped(b"login: ", b"\nok\n", log_prefix="w") == b"w login: \nw ok\n"
    assert shaped(b"a\nb", b"c", b"\n", log_prefix="w") == b"w a\nw b\nw ... c\n"


def test_a_json_line_says_whose_it_is_and_when():
    [row] = records(b'say "hi"\\\t\x1b[0m\x00\r\n')
    assert row == {"ts": STAMP, "program": "web", "stream": "stdout", "pid": 7, "line": 'say "hi"\\\t\x1b[0m\x00'}


def test_json_has_no_time_only_where_the_file_says_none():
    assert "ts" not in records(b"x\n", log_timestamps="none", timestamps_given=True)[0]
    assert str(records(b"x\n", log_timestamps="local", timestamps_given=True)[0]["ts"])[-1] != "Z"


def test_json_pieces_are_marked_until_the_last():
    rows = records(b"one\nlog", b"in", b"\ntwo\n")
    assert [(row["line"], row.get("partial")) for row in rows] == [
        ("one", None),
        ("log", True),
        ("in", True),
        ("", None),
        ("two", None),
    ]


def test_what_is_not_utf8_is_escaped_so_that_it_can_be_had_back():
    one, two = records(b"caf\xe9 \\x\nplain \\xe9\n")
    assert (one["line"], one["escaped"]) == ("caf\\xe9 \\\\x", True) and spelt_out(one) == b"caf\xe9 \\x"
    assert two["line"] == "plain \\xe9" and "escaped" not in two


@settings(max_examples=300)
@given(st.lists(TRICKY.filter(bool), min_size=1, max_size=6))
def test_nothing_is_lost_in_json(texts):
    whole = b"".join(texts)
    expected = b"\n".join(line.removesuffix(b"\r") for line in whole.split(b"\n"))
    if any(text.endswith(b"\r") for text in texts[:-1]) or whole.endswith(b"\r"):
        return  # a CRLF between two pieces stays as it is
    assert said(records(*texts)).removesuffix(b"\n") == expected.removesuffix(b"\n")


@settings(max_examples=300)
@given(st.lists(TRICKY.filter(bool), min_size=1, max_size=6))
def test_nothing_is_lost_in_text(texts):
    lines = shaped(*texts, log_prefix="{name}:").split(b"\n")
    assert lines.pop() == b""
    assert all(line.startswith(b"web: ") for line in lines)
    rest = b"".join(b"\n" + line[5:] for line in lines).replace(b"\n... ", b"")
    if not any(b"..." in text for text in texts):
        assert rest[1:] == b"".join(texts).removesuffix(b"\n")


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_huge_lines_come_in_bounded_pieces_of_whole_characters(character):
    text = b"." + character.encode() * (50_000 // len(character.encode()))
    rows = records(b"before\n" + text + b"\nafter\n")
    lines = [str(row["line"]) for row in rows]
    assert max(len(line.encode()) for line in lines) <= LOG_LINE_BYTES
    assert [bool(row.get("partial")) for row in rows] == [False, True, True, True, False, False]
    assert "".join(lines[1:-1]).encode() == text and lines[0] == "before" and not any(r.get("escaped") for r in rows)


@given(st.lists(st.integers(0, 40), max_size=20), st.booleans())
def test_pieces_join_to_the_text_and_none_has_a_long_line(lengths, ends):
    text = b"\n".join(b"x" * length for length in lengths) + (b"\n" if ends else b"")
    found = list(pieces(text, limit=10))
    assert b"".join(found) == text
    assert all(len(line) <= 10 for piece in found for line in piece.split(b"\n"))


def test_without_any_wish_lines_stay_as_they_are():
    assert shape_of(Logs(log_files=True), "web", "stdout") is None
    assert isinstance(shape_of(Logs(log_timestamps="utc"), "web", "stdout"), TextShape)
