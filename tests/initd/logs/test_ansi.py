from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.dispatchers import stripEscapes

from initd.logs.ansi import HELD, Strip

WORDS = st.lists(st.sampled_from([b"word ", b"\x1b[0m", b"\x1b[1;31m", b"\x1b[2J", b"\x1b[10;20H", b"\n", b"[m"]))


@given(WORDS)
def test_colours_go_as_with_supervisord(words):
    text = b"".join(words)
    assert Strip()(text) == stripEscapes(text)


@given(WORDS, st.integers(1, 5))
def test_it_does_not_matter_where_reads_cut(words, size):
    text, strip = b"".join(words), Strip()
    assert b"".join(strip(text[at : at + size]) for at in range(0, len(text), size)) == Strip()(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [(b"\x1b[5Gtext m", b"text m"), (b"\x1b]0;title\x07x", b"\x1b]0;title\x07x"), (b"\x1b[\x00x", b"\x00x")],
)
def test_only_whole_sequences_go(text, left):
    assert Strip()(text) == left


def test_a_sequence_that_never_ends_is_not_kept_for_ever():
    strip = Strip()
    assert strip(b"a\x1b[" + b"1;" * HELD) == b"a" and strip(b"b") == b"b"
