"""The INI dialect: sections, comments, continuation, delimiters, and the lines that go with values."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.ini import Document, comment_start, first_mark, read, text_of


def document(text: str) -> Document:
    found = Document()
    read(found, text, "f")
    return found


def options(text: str) -> dict[str, str]:
    return {name: value for name, (value, _, _) in document("[s]\n" + text).sections["s"].options.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k=v", "v"),
        ("k = v", "v"),
        ("k: v", "v"),
        ("K=v", "v"),
        ("k=a=b", "a=b"),
        ("k:a=b", "a=b"),
        ("k", None),
        ("k=", ""),
        ("k=;x", ";x"),
        ("k= ;x", ""),
        ("k=a;b", "a;b"),
        ("k=a ;b", "a"),
        ("k=a\t# b", "a"),
        ("k='a ; b'", "'a"),
        ("k=a\n  b", "a\nb"),
        ("k=a\n\n\n  b", "a\n\n\nb"),
        ("k=a\n; c\n  # d\n  b", "a\nb"),
        ("k=\n  a", "\na"),
        ("k=a\n [t]", "a\n[t]"),
        ("k=a\nk=b", "b"),
        ("  k=a\n  l=b", "a"),
        ("k=a\r\n  b\r\n", "a\nb"),
        ("k=a\x1fb", "a\x1fb"),
    ],
)
def test_how_a_value_is_read(text: str, value: str | None) -> None:
    assert options(text).get("k") == value


def test_a_section_header_may_have_text_behind_it() -> None:
    assert list(document("[a] x\n[b] ; y\n[c]d]\n  [e]\n").sections) == ["a", "b", "c]d", "e"]


def test_a_repeated_section_is_one_section_and_noted() -> None:
    found = document("[a]\nx=1\n[b]\n[a]\nx=2\ny=3\n")
    assert found.sections["a"].options == {"x": ("2", "f", 5), "y": ("3", "f", 6)}
    assert [note[:3] for note in found.notes] == [("section again", "f", 4), ("option again", "f", 5)]


def test_default_stands_below_every_section() -> None:
    found = document("[DEFAULT]\nx=1\ny=1\n[a]\nx=2\n")
    assert {name: text for name, (text, _, _) in found.options(found.sections["a"]).items()} == {"x": "2", "y": "1"}


def test_every_broken_line_is_reported() -> None:
    found = document("word\n[a]\nno delimiter\n= nothing\nk=v\nalso broken\n")
    assert [problem.line for problem in found.errors] == [1, 3, 4, 6]


def test_a_byte_order_mark_is_an_error_and_the_rest_is_still_read() -> None:
    found = document("\ufeff[a]\nx=1\n")
    assert "byte order mark" in found.errors[0].message
    assert found.sections["a"].options["x"][0] == "1"


def test_here_is_replaced_as_text_and_default_copied() -> None:
    found = document("[DEFAULT]\nx=%(here)s/x\n[a]\n")
    found.place_here("/h")
    assert found.sections["a"].options["x"][0] == "/h/x"
    assert found.defaults.options["x"][0] == "%(here)s/x"


def test_the_nth_marks_are_looked_at_together() -> None:
    line = "a;b ;c #d"
    assert comment_start(line) == 7
    assert first_mark(line) == 4


@given(st.text(alphabet=" a;#\t=", max_size=30))
def test_a_comment_begins_with_a_mark_behind_white_space_or_nowhere(line: str) -> None:
    start = comment_start(line)
    first = first_mark(line)
    assert (start is None) == (first is None)
    if start is not None and first is not None:
        assert start >= first
        assert line[start] in ";#"
        assert start == 0 or line[start - 1].isspace()


LINES = st.lists(st.text(alphabet="[]ab=:;# \t'%é\x0c", max_size=12), max_size=12).map("\n".join)


@given(LINES)
def test_it_reads_what_configparser_reads(text: str) -> None:
    text = "[s]\n" + text
    theirs = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    found = document(text)
    if sys.version_info >= (3, 13) and any(comment_start(line) != first_mark(line) for line in text.split("\n")):
        return  # Python changed its rule; ours stays
    try:
        theirs.read_string(text)
    except configparser.ParsingError:
        assert found.errors
        return
    assert not found.errors
    ours = {
        name: {option: value for option, (value, _, _) in part.options.items()} for name, part in found.sections.items()
    }
    assert ours == {name: dict(theirs._sections[name]) for name in theirs.sections()}  # type: ignore[attr-defined]


def test_a_file_that_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"[a]\nx=caf\xe9\n")
    with pytest.raises(ValueError, match="line 2: byte 0xe9 is not UTF-8"):
        text_of(str(tmp_path / "f"))


def test_a_device_is_no_configuration() -> None:
    with pytest.raises(ValueError, match="larger than"):
        text_of("/dev/zero")
