"""What hubctl prints of strangers' text, ages and sizes."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ctl.keep import standing
from hub.ctl.look import ending, happening
from hub.ctl.steer import outcomes, verdict
from hub.ctl.tables import AGE, Column, coloured, field, render
from hub.ctl.text import age, safe, safe_lines, share, since, size


@given(st.text())
def test_nothing_unprintable_gets_through(text: str) -> None:
    assert safe(text).isprintable()


@given(st.text())
def test_lines_keep_only_line_ends(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in safe_lines(text))


def test_an_escape_sequence_is_shown_not_obeyed() -> None:
    assert safe("web\x1b[2J\u202e") == "web\\x1b[2J\\u202e"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0s"), (59, "59s"), (119, "119s"), (120, "2m"), (7200, "2h"), (2 * 86400, "2d"), (None, "-")],
)
def test_ages(seconds: object, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0B"), (1536, "1.5K"), (10 * 1024, "10K"), (3 << 30, "3.0G"), (None, "-")]
)
def test_sizes(count: object, shown: str) -> None:
    assert size(count) == shown


def test_a_stale_row_is_marked_and_its_numbers_are_dashes() -> None:
    row = {"cpu": None, "age": 12.0, "stale": True}
    lines = render((Column("CPU", lambda r: share(r["cpu"])), AGE), [row])
    assert lines[1].split() == ["-", "12s", "stale"]


def test_columns_are_aligned_and_hostile_cells_do_not_break_lines() -> None:
    rows = [{"name": "a\nb"}, {"name": "longer"}]
    lines = render((Column("NAME", field("name")), Column("X", lambda row: "x")), rows)
    assert len(lines) == 3 and len({line.index("x") for line in lines[1:]}) == 1


def test_colour_only_for_terminals() -> None:
    assert not coloured(io.StringIO())
    assert "\033[32m" in render((Column("STATE", field("s")),), [{"s": "RUNNING"}], colour=True)[1]


def test_endings_and_events_in_words() -> None:
    row = {"kind": "exit", "group": "g", "name": "w", "signal": 9, "code": None, "cause": "oom"}
    assert ending(row) == "SIGKILL" and happening(row) == "g:w ended: SIGKILL, oom"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"cause": "stopped", "by": "uid=0", "command": "stop 1", "escalated": True},
         "stopped by uid=0 stop 1, needed SIGKILL"),
        ({"cause": "probe", "why": "no answer on port 80"}, "probe: no answer on port 80"),
        ({"cause": "dependency"}, "dependency"),
        ({"cause": "start failure", "step": "pre_start", "why": "pre_start: exit status 7"},
         "start failure: pre_start: exit status 7"),
        ({"cause": "start failure", "step": "exec", "errno": 2}, "start failure (exec, errno 2)"),
    ],
)  # fmt: skip
def test_causes_in_words(more: dict[str, object], told: str) -> None:
    row = {"kind": "exit", "group": "w", "name": "w", "signal": None, "code": 7, **more}
    assert happening(row).endswith(f", {told}")


def test_a_time_that_is_none_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(ValueError, match="90s, 10m"):
        since("yesterday")


@pytest.mark.parametrize(
    ("states", "code"), [(["done"], 0), (["done", "failed"], 4), (["failed", "expired"], 1), (["done", "delivered"], 4)]
)
def test_exit_codes_tell_how_many_were_done(states: list[str], code: int) -> None:
    assert verdict([{"state": state} for state in states], waited=True) == code


def test_one_command_about_several_processes_is_told_by_process() -> None:
    parts = [
        {"name": "web", "outcome": "done", "state": "RUNNING", "message": ""},
        {"name": "job:a", "outcome": "failed", "state": "EXITED", "message": "no process to signal"},
    ]
    rows = outcomes([{"target": "shop/web shop/job:a", "id": "1", "state": "failed", "result": {"processes": parts}}])
    assert [(row["target"], row["state"], row["error"]) for row in rows] == [
        ("shop/web", "done", "RUNNING"),
        ("shop/job:a", "failed", "no process to signal"),
    ]
    assert verdict(rows, waited=True) == 4


def test_a_command_without_parts_stands_for_itself() -> None:
    row = {"target": "shop/web", "id": "1", "state": "expired", "result": None}
    assert outcomes([row]) == [row] and outcomes([{**row, "result": "started"}])[0]["result"] == "started"


@pytest.mark.parametrize(("previous", "shown"), [("late", "late -> lost (silent)"), (None, "new -> lost (silent)")])
def test_a_change_of_presence_is_told_in_words(previous: str | None, shown: str) -> None:
    row = {"kind": "note", "note": "presence", "previous": previous, "presence": "lost", "reason": "silent"}
    assert happening({**row, "container": "c" * 64}) == shown


@pytest.mark.parametrize(
    ("changes", "shown"),
    [({}, "valid"), ({"expires_at": 109.0}, "expired"), ({"expires_at": 111.0}, "valid"), ({"uses_left": 0}, "used up")]
    + [({"revoked_at": 101.0, "uses_left": 0}, "revoked")],
)
def test_a_token_says_what_it_is_good_for(changes: dict[str, object], shown: str) -> None:
    assert standing({"created_at": 100.0, "age": 10.0, "uses_left": 1, **changes}) == shown
