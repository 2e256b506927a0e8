"""Expansions: which names exist where, and what is said where one does not."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.diagnose import edits, nearest
from initd.config.expand import expand, host_name

NAMES: dict[str, object] = {"here": "/h", "program_name": "web", "process_num": 3, "ENV_X": "50%"}


@given(st.text(alphabet="%()sd02x here", max_size=16))
def test_it_is_the_percent_operator(text: str) -> None:
    try:
        expected = text % NAMES
    except Exception:
        with pytest.raises(ValueError, match="%"):
            expand(text, NAMES)
    else:
        assert expand(text, NAMES) == expected


def test_values_are_not_expanded_again() -> None:
    assert expand("%(ENV_X)s %(process_num)02d %%", NAMES) == "50% 03 %"


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("date +%Y", "write %% for a plain one"),
        ("100%", "write %% for a plain one"),
        ("%(ENV_HOST)s", "docker run -e HOST="),
        ("%(numprocs)d", "known only in command"),
        ("%(group_name)s", "not known in this option; known here: here, program_name"),
        ("%(proces_num)d", "did you mean %(process_num)s?"),
        ("%(zzzzzzzz)s", "known: here, program_name, process_num, ENV_*"),
    ],
)
def test_a_failure_says_what_to_write(text: str, cure: str) -> None:
    with pytest.raises(ValueError) as failure:
        expand(text, NAMES)
    assert cure in str(failure.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%(ENV_X:-d)s", "50%"),
        ("%(ENV_NO:-d e)s", "d e"),
        ("%(ENV_EMPTY:-d)s", "d"),
        ("%(ENV_NO:-)s", ""),
        ("%(ENV_NO:-a:-b)s", "a:-b"),
        ("%(ENV_NO:-f(x))s%(here)s", "f(x)/h"),
        ("%(ENV_Y:-d)s", "named so"),
        ("a:-b %(here)s", "a:-b /h"),
    ],
)
def test_a_default_for_a_variable_that_is_not_set(text: str, value: str) -> None:
    assert expand(text, NAMES | {"ENV_EMPTY": "", "ENV_Y:-d": "named so"}) == value


@pytest.mark.parametrize("text", ["%(numprocs:-1)d", "%(here:-x)s", "%(ENV_NO)s:-x", "%(:-x)s"])
def test_defaults_are_for_variables_only(text: str) -> None:
    with pytest.raises(ValueError):
        expand(text, NAMES)


@given(st.text(alphabet="%()sd:-x here", max_size=16))
def test_a_text_that_supervisord_expands_means_the_same(text: str) -> None:
    try:
        expected = text % NAMES
    except Exception:
        return
    assert expand(text, NAMES) == expected


def test_the_host_has_the_name_uname_gives() -> None:
    assert host_name() == os.uname().nodename


def test_nearest_finds_typing_mistakes_only() -> None:
    known = ("stopwaitsecs", "umask", "stdout_logfile")
    assert nearest("unmask", known) == "umask"
    assert nearest("stopwaitseconds", known) == "stopwaitsecs"
    assert nearest("depends_on", known) is None


@given(st.text(alphabet="ab", max_size=6), st.text(alphabet="ab", max_size=6))
def test_the_distance_of_words(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one) <= max(len(one), len(other))
    assert (edits(one, other) == 0) == (one == other)
