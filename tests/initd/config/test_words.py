"""The two lexers against Python's shlex."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.datatypes import dict_of_key_value_pairs

from initd.config.words import pairs, split, tokens

COMMANDS = st.text(alphabet="ab \t\n\r'\"\\;#$é\u00a0\x0b=", max_size=24)
VARIABLES = st.text(alphabet="AB=, '\"\\#;.\n/()-+:$@é1\t", max_size=24)


def theirs(command: str) -> tuple[str, ...] | None:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return None


def ours(command: str) -> tuple[str, ...] | None:
    try:
        return split(command)
    except ValueError:
        return None


@given(COMMANDS)
def test_commands_are_split_as_by_shlex(command: str) -> None:
    assert ours(command) == theirs(command)


@pytest.mark.parametrize(
    ("command", "fault"), [("a 'b", "a ' is never closed"), ('a "b', 'a " is never closed'), ("a\\", "escapes nothing")]
)
def test_why_a_command_cannot_be_split(command: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        split(command)


@given(VARIABLES)
def test_environments_are_read_as_by_supervisor(text: str) -> None:
    try:
        expected = dict_of_key_value_pairs(text)
    except ValueError:
        with pytest.raises(ValueError):
            pairs(text)
    else:
        assert list(pairs(text).items()) == list(expected.items())


@given(VARIABLES)
def test_tokens_are_those_of_the_old_lexer(text: str) -> None:
    lexer = shlex.shlex(text)
    lexer.wordchars += "/.+-():"
    try:
        expected = list(lexer)
    except ValueError:
        with pytest.raises(ValueError, match="never closed"):
            tokens(text)
    else:
        assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1,B=2", {"A": "1", "B": "2"}),
        ('A="x,y"', {"A": "x,y"}),
        ("A=a b", {"A": "a"}),
        ("A=$HOME", {"A": "$"}),
        ("A=50%", {"A": "50"}),
        ("A=x;B=2,", {"A": "x", "B": "2"}),
        ("A=a#b", {"A": "a"}),
        ("A=a#b\nc", {"A": "ac"}),
        ('A=""', {"A": ""}),
        ('"A"=1', {'"A"': "1"}),
        ("A=1,A=2", {"A": "2"}),
    ],
)
def test_what_an_environment_becomes(text: str, expected: dict[str, str]) -> None:
    assert pairs(text) == expected
