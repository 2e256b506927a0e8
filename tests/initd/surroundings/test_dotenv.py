"""Environment files: each rule of the manual, and nothing that makes the parser fail in another way than its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.surroundings.dotenv import parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("# note\n\n   \n  # more\nA=1", {"A": "1"}),
        ("export A=1\nexport\tB=2", {"A": "1", "B": "2"}),
        ("  A = x y  ", {"A": "x y"}),
        ("A=\nB= ", {"A": "", "B": ""}),
        ("A=x # note\nB=x#y\nC=#z", {"A": "x", "B": "x#y", "C": ""}),
        ("A=a=b", {"A": "a=b"}),
        ("A='x # y' # note", {"A": "x # y"}),
        (r"A='a\nb$C'", {"A": r"a\nb$C"}),
        (r'A="a\nb\t\"c\" \\ \$D \x"', {"A": 'a\nb\t"c" \\ $D \\x'}),
        ('A="one\ntwo"\nB=3', {"A": "one\ntwo", "B": "3"}),
        (r"A=a\nb", {"A": r"a\nb"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=$B", {"A": "$B"}),
        ("a.b-c=1", {"a.b-c": "1"}),
    ],
)
def test_the_rules(text: str, found: dict[str, str]) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A=1\nhunter2", "line 2: no = in it"),
        ("=1", "line 1: what stands before = is no name"),
        ("A B=1", "line 1: what stands before = is no name"),
        ("X=1\n\nA='x", "line 3: a quotation mark is not closed"),
        ('A="x\ny\n"\nB="z"hunter2', "line 4: something follows the closing quotation mark of B"),
        ("A=\0", "line 1: what stands before"),
    ],
)
def test_an_error_names_the_line_and_never_the_value(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ValueError as fault:
        assert str(fault).startswith("line ")
    else:
        assert all(name and "=" not in name for name in found)


@given(st.text(st.characters(exclude_characters="'\r\0", exclude_categories=["Cs"])))
def test_single_quotes_keep_everything(value: str) -> None:
    assert parse(f"A='{value}'\nB=1") == {"A": value, "B": "1"}


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_double_quotes_keep_everything_that_is_escaped(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'A="{quoted}"')["A"] == value
