from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.ctl import render


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0.0s"), (9.96, "10.0s"), (12.7, "12s"), (192, "3m12s"), (7500, "2h05m"), (273600, "3d04h")],
)
def test_spans(seconds, text):
    assert render.span(seconds) == text


@given(st.floats(0, 1e8))
def test_spans_are_short(seconds):
    assert len(render.span(seconds)) <= 8


@given(st.text())
def test_nothing_shown_can_steer_a_terminal(text):
    assert render.clean(text).isprintable()
    assert all(char.isprintable() or char in "\n\t" for char in render.clean_lines(text))


@given(st.lists(st.tuples(st.text(), st.integers(), st.text()), max_size=5), st.one_of(st.none(), st.integers(1, 200)))
def test_a_table_has_one_line_a_row(rows, width):
    lines = render.table(("A", "B", "C"), rows, False, width).split("\n")
    assert len(lines) == len(rows) + 1


def test_only_the_last_column_is_cut():
    text = render.table(("NAME", "INFO"), [("long-name-here", "x" * 100)], False, 30)
    assert text.splitlines()[1] == "long-name-here  " + "x" * 14


def test_states_are_coloured_without_shifting_columns():
    plain, coloured = (render.table(("S", "X"), [("RUNNING", "a"), ("FATAL", "b")], on) for on in (False, True))
    assert "\x1b[32mRUNNING\x1b[0m" in coloured
    assert coloured.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "") == plain


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert render.has_colours(Terminal()) and not render.has_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not render.has_colours(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not render.has_colours(Terminal())
