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
