"""Restarts, stopping, hooks and one-shots in a file: what is read, and what is refused with the fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.backoff import Backoff
from initd.config import load
from initd.config.records import Program
from initd.config.topics.restarts import exits, factor, part
from initd.config.topics.stopping import signals
from initd.events import Rules
from initd.process import rules_of


def read(folder: Path, options: str, head: str = "[supervisord]\n") -> tuple[Program | None, list[str]]:
    """The first program of a file, and its errors."""
    path = folder / "app.ini"
    path.write_text(f"{head}[program:web]\ncommand=sleep 1\n{options}\n")
    loaded = load(str(path), {"FAST": "1"}, advise=False)
    return loaded.config and loaded.config.programs[0], [f"{one.line}: {one.message}" for one in loaded.errors]


def rules(folder: Path, options: str, head: str = "[supervisord]\n") -> Rules:
    program, errors = read(folder, options, head)
    assert program is not None, errors
    return rules_of(program)


def test_without_them_the_rules_are_supervisords(tmp_path: Path) -> None:
    assert rules(tmp_path, "") == Rules()


def test_the_whole_shape_of_restarts(tmp_path: Path) -> None:
    text = "backoff=0.5\nbackoff_factor=1.5\nbackoff_cap=2m\nbackoff_jitter=0\nbackoff_reset=5m\ncrash_loop=5 in 60s"
    found = rules(tmp_path, text)
    assert (found.backoff, found.crash_loop) == (Backoff(0.5, 1.5, 120.0, 0.0, 300.0), (5, 60.0))


def test_the_first_wait_suffices_and_may_be_a_default_in_initd(tmp_path: Path) -> None:
    assert rules(tmp_path, "backoff_cap=9", "[initd]\nbackoff=%(ENV_FAST)s\n").backoff == Backoff(1.0, cap=9.0)


def test_signals_in_turn_and_their_whole_time(tmp_path: Path) -> None:
    program, _ = read(tmp_path, "stop_signals=TERM:5, SIGINT:0.5 ,3\nstopwaitsecs=7")
    assert program is not None and program.stopping is not None
    assert program.stopping.stop_signals == ((15, 5.0), (2, 0.5), (3, 7.0))
    assert (program.stopsignal, program.stopwaitsecs, program.stopwaitsecs_given) == (15, 13, True)


@pytest.mark.parametrize(("scope", "group"), [("leader", False), ("group", True), ("tree", True)])
def test_a_scope(tmp_path: Path, scope: str, group: bool) -> None:
    found = rules(tmp_path, f"stop_scope={scope}")
    assert (found.stop_scope, found.stopasgroup, found.killasgroup) == (scope, group, group)


def test_hooks_are_split_like_commands(tmp_path: Path) -> None:
    program, _ = read(tmp_path, "pre_start=/bin/a 'b c' ; not this\npost_stop=x\npost_stop_timeout=1m")
    assert program is not None and program.hooks is not None
    assert program.hooks.pre_start == ("/bin/a", "b c")
    assert (rules_of(program).pre_start, rules_of(program).post_stop) == (60.0, 60.0)


def test_one_hook_alone(tmp_path: Path) -> None:
    found = rules(tmp_path, "post_stop=x")
    assert (found.pre_start, found.post_stop) == (None, 5.0)


def test_a_oneshot_has_other_defaults(tmp_path: Path) -> None:
    found = rules(tmp_path, "type=oneshot")
    assert (found.oneshot, found.startsecs, found.startretries) == (True, 0, 0)
    found = rules(tmp_path, "type=oneshot\nstartsecs=2\nstartretries=4\nautorestart=unexpected")
    assert (found.startsecs, found.startretries) == (2, 4)
    assert rules(tmp_path, "type=service") == Rules()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("backoff=fast", "4: backoff: 'fast' is no duration"),
        ("backoff_cap=9", "4: backoff_cap shapes nothing: add backoff=1"),
        ("backoff=60", "4: the first wait exceeds the longest: write at most 30, or a longer backoff_cap"),
        ("backoff=1\nbackoff_factor=0.5", "5: backoff_factor: '0.5' is no factor"),
        ("backoff=1\nbackoff_jitter=2", "5: backoff_jitter: '2' is no part"),
        ("crash_loop=5", "4: crash_loop: '5' is no crash loop"),
        ("crash_loop=1 in 60s", "4: crash_loop: '1 in 60s' is no crash loop"),
        ("crash_loop=5 in a while", "4: crash_loop: 'a while' is no duration"),
        ("stop_signals=TERM, INT", "4: stop_signals: 'TERM, INT': only the last signal may lack its seconds"),
        ("stop_signals=TERM:x", "4: stop_signals: 'x' is no duration"),
        ("stop_signals=HALT:1", "4: stop_signals: 'HALT' is no signal"),
        ("stop_signals=", "4: stop_signals: '' is no signal"),
        ("stop_signals=" + "TERM:1," * 9 + "KILL", "4: stop_signals: 10 signals are more than the 8 allowed"),
        ("stopsignal=TERM:5,INT:5,QUIT", "4: stopsignal: 'TERM:5,INT:5,QUIT' is no signal"),
        ("stop_scope=all", "4: stop_scope: 'all' is no scope: write leader, group or tree"),
        ("stop_scope=leader\nstopasgroup=true", "4: stop_scope=leader contradicts stopasgroup=true"),
        ("pre_start=", "4: pre_start: the command is empty"),
        ("pre_start='x", "4: pre_start: \"'x\" cannot be split into words: a ' is never closed"),
        ("post_stop_timeout=5", "4: post_stop_timeout bounds nothing: add post_stop=COMMAND"),
        ("type=once", "4: type: 'once' is no type: write service or oneshot"),
        ("type=oneshot\nautorestart=true", "4: autorestart=true would never let a one-shot be done"),
    ],
)
def test_what_is_refused(tmp_path: Path, options: str, error: str) -> None:
    program, [first, *more] = read(tmp_path, options)
    assert program is None
    assert first.startswith(error)
    assert more == []


@given(st.text(max_size=40) | st.from_regex(r"[0-9.]{1,12}( in [0-9.]{0,9}[smhd]?)?", fullmatch=True))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    for parser in (exits, factor, part, signals):
        try:
            assert parser(text) is not None
        except ValueError as error:
            assert str(error)
