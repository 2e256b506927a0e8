"""Searching and grouping exit records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Refusal
from hub.monitor.inquest import FIELDS, SOURCES, Wanted, doer, ending, fields_of, grouped, wanted_of
from tests.support.facts import exit_record
from wire.model import Cause, Exit


def body(**changes: object) -> Exit:
    made = exit_record(1, **changes).body
    assert isinstance(made, Exit)
    return made


@pytest.mark.parametrize("cause", list(map(Cause, SOURCES)))
def test_every_cause_has_a_doer(cause: Cause) -> None:
    assert doer(body(cause=cause))


def test_every_cause_of_the_vocabulary_is_known() -> None:
    every = {value for name, value in vars(Cause).items() if name.isupper()}
    assert set(SOURCES) == every


def test_a_person_and_the_command_are_named() -> None:
    assert doer(body(cause=Cause.STOPPED, by="hub:alice", command="restart 6f1c")) == "hub:alice (restart 6f1c)"
    assert doer(body(cause=Cause.STOPPED, by="uid=0")) == "uid=0"


def test_endings() -> None:
    assert [ending(body()), ending(body(signal=None, code=3)), ending(body(signal=None))] == [
        "SIGKILL", "exit 3", "no start",
    ]  # fmt: skip
    assert ending(body(signal=77)) == "signal 77"


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        ({}, True),
        ({"program": "w*"}, True),
        ({"program": "db"}, False),
        ({"cause": "signal"}, True),
        ({"cause": "oom"}, False),
        ({"signal": "kill"}, True),
        ({"signal": "SIGTERM"}, False),
        ({"signal": 9}, True),
        ({"code": 1}, False),
        ({"text": "LAST"}, True),
        ({"text": "traceback"}, False),
        ({"who": "sender"}, True),
        ({"until": 5.0}, False),
        ({"expected": False}, True),
        ({"expected": True}, False),
    ],
)
def test_a_question_means(args: dict[str, Any], meant: bool) -> None:
    assert wanted_of(args).means(body(), 10.0) is meant


@pytest.mark.parametrize(
    "args",
    [{"signal": "NOPE"}, {"code": -1}, {"code": True}, {"text": 3}, {"program": "x" * 300}, {"until": "now"},
     {"expected": "yes"}],
)  # fmt: skip
def test_what_is_wrong_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        wanted_of(args)


def test_fields_are_a_closed_list() -> None:
    assert fields_of("cause,program,cause") == ("cause", "program")
    for wrong in ("", "pid", ["cause", 3], None):
        with pytest.raises(Refusal):
            fields_of(wrong)


def row(at: float, agent: str, name: str, cause: str) -> dict[str, Any]:
    return {"at": at, "agent": agent, "agent_name": agent, "group": name, "name": name, "program": name,
            "cause": cause, "end": "exit 1", "who": "itself", "expected": False}  # fmt: skip


ROWS = st.lists(
    st.builds(row, st.floats(0, 100), st.sampled_from("ab"), st.sampled_from(["web", "db"]), st.sampled_from("xy"))
)


@given(ROWS, st.lists(st.sampled_from(list(FIELDS)), min_size=1, unique=True))
def test_groups_count_every_record_once(rows: list[dict[str, Any]], fields: list[str]) -> None:
    groups = grouped(rows, fields)
    assert sum(group["count"] for group in groups) == len(rows)
    assert [group["count"] for group in groups] == sorted((group["count"] for group in groups), reverse=True)
    for group in groups:
        mine = [one for one in rows if all(FIELDS[name](one) == group[name] for name in fields)]
        assert (group["first"], group["last"]) == (min(r["at"] for r in mine), max(r["at"] for r in mine))
        assert group["example"] in mine and group["agents"] == len({r["agent"] for r in mine})


def test_an_empty_question_means_everything() -> None:
    assert Wanted().means(body(), 0.0)
