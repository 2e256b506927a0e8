"""Defaults of [initd] that do not suit a program, options without effect, and dependencies that will not come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initd.config import load
from initd.config.records import Loaded, Program

Read = Callable[[str], Loaded]
TWO = "[program:x]\ncommand=x\n[program:y]\ncommand=y\nuser=0\nstopasgroup=true\npre_start=p\nbackoff=1\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str) -> Loaded:
        path = tmp_path / "app.ini"
        path.write_text(text)
        return load(str(path), {})

    return reading


def programs(loaded: Loaded) -> dict[str, Program]:
    assert loaded.config is not None, loaded.errors
    return {program.name: program for program in loaded.config.programs}


def messages(loaded: Loaded) -> list[str]:
    assert loaded.config is not None, loaded.errors
    return [f"{problem.line}: {problem.message}" for problem in loaded.warnings if "HOME" not in problem.message]


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("set_home=true", lambda one: one.surroundings.set_home),
        ("backoff_cap=7", lambda one: one.restarts.backoff and one.restarts.backoff.cap == 7),
        ("pre_start_timeout=7", lambda one: one.hooks is not None and one.hooks.pre_start_timeout == 7),
    ],
)
def test_a_default_of_all_applies_where_it_suits(read: Read, default: str, shown: Callable[[Any], object]) -> None:
    loaded = read(f"[initd]\n{default}\n{TWO}")
    assert shown(programs(loaded)["y"]) and not shown(programs(loaded)["x"])
    assert messages(loaded) == []


def test_a_default_that_suits_nobody_is_told(read: Read) -> None:
    told = messages(read("[initd]\nset_home=true\n[program:x]\ncommand=x\n"))
    assert told == ["2: set_home suits no program: needs user=, whose home it is; write user=NAME or take it out"]


def test_a_default_contradicts_nobody(read: Read) -> None:
    found = programs(read(f"[initd]\nstop_scope=leader\n{TWO}"))
    assert (found["x"].stopping.stop_scope, found["y"].stopping.stop_scope) == ("leader", "")  # type: ignore[union-attr]
    assert found["y"].stopasgroup


def test_a_programs_own_option_has_to_suit_it(read: Read) -> None:
    loaded = read("[initd]\nset_home=false\n[program:x]\ncommand=x\nset_home=true\n")
    assert [problem.line for problem in loaded.errors] == [5]


def test_everybody_waits_for_the_database_but_itself(read: Read) -> None:
    found = programs(read("[initd]\ndepends_on=db\n[program:db]\ncommand=db\n[program:web]\ncommand=web\n"))
    assert found["db"].order is None
    assert found["web"].order is not None


@pytest.mark.parametrize(
    ("option", "cure"),
    [
        ("readiness_within=5", "readiness=PROBE"),
        ("liveness_action=stop", "liveness=PROBE"),
        ("timezone=UTC", "schedule=TIMES"),
        ("dependency_lost=stop", "depends_on=NAMES"),
        ("restart_look=5", "restart_memory=SIZE or restart_on_change=FILES"),
        ("restart_age=5\nrestart_memory_of=leader", "restart_memory=SIZE"),
    ],
)
def test_options_without_effect_are_told(read: Read, option: str, cure: str) -> None:
    [told] = messages(read(f"[initd]\n[program:x]\ncommand=x\n{option}\n"))
    assert told.endswith(f"{option.split()[-1].partition('=')[0]} has no effect here: add {cure}")


@pytest.mark.parametrize(
    "option", ["readiness=tcp:localhost:1\nreadiness_within=5", "restart_age=5\nrestart_age_jitter=0"]
)
def test_options_with_effect_are_not(read: Read, option: str) -> None:
    assert messages(read(f"[initd]\n[program:x]\ncommand=x\n{option}\n")) == []


def test_as_a_default_of_all_they_are_not_either(read: Read) -> None:
    assert messages(read("[initd]\nreadiness_within=5\n[program:x]\ncommand=x\n")) == []


@pytest.mark.parametrize(
    ("dependency", "condition", "why"),
    [
        ("autostart=false", "ready", "autostart=false keeps it from starting"),
        ("autorestart=true", "done", "autorestart=true starts it again whenever it ends; give it type=oneshot"),
        ("type=oneshot", "done", ""),
        ("schedule=@daily", "done", ""),
        ("autorestart=false", "done", ""),
    ],
)
def test_a_dependency_that_will_not_come_is_told(read: Read, dependency: str, condition: str, why: str) -> None:
    text = f"[initd]\n[program:db]\ncommand=db\n{dependency}\n[program:web]\ncommand=web\ndepends_on=db:{condition}\n"
    told = [f"7: depends_on: db:{condition} does not come by itself: {why}"] if why else []
    assert messages(read(text)) == told


def test_a_condition_that_is_none_is_named(read: Read) -> None:
    [error] = read("[initd]\n[program:db]\ncommand=db\n[program:web]\ncommand=web\ndepends_on=db:redy\n").errors
    assert "'redy' is no condition: write db:started or db:ready or db:done" in error.message


def test_exit_code_from_names_the_nearest_program(read: Read) -> None:
    [error] = read("[initd]\nexit_code_from=webb\n[program:web]\ncommand=web\n").errors
    assert error.message == "exit_code_from: there is no program 'webb': did you mean web?"


@pytest.mark.parametrize(("prefix", "fine"), [("{nmae} |", False), ("[{name} {stream}]", True), ("{ {} }", True)])
def test_a_prefix_names_what_there_is(read: Read, prefix: str, fine: bool) -> None:
    errors = read(f"[initd]\n[program:web]\ncommand=web\nlog_prefix={prefix}\n").errors
    assert bool(errors) is not fine
    assert fine or "{nmae} means nothing: write {name} or {stream}" in errors[0].message
