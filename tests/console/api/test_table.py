"""The table of the REST API: whole, described, and strict about what it is given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from console.api.openapi import described
from console.api.routes import arguments
from console.api.table import CALLS, Call
from console.errors import Problem
from hub.trust.roles import NEEDS

WITHOUT = {"metrics", "follow", "behalf", "drain", "agent.rekey", "alerts.test", "alerts.reload", "join"}
"""Operations without a route: the stream and /metrics stand for two, the others are an administrator's of hubs."""


def call(method: str, path: str) -> Call:
    return next(one for one in CALLS if (one.method, one.path) == (method, path))


def test_everything_that_hubctl_can_ask_has_a_route() -> None:
    assert {one.op for one in CALLS} == {op for op in NEEDS if not op.startswith("key.")} - WITHOUT


def test_no_two_calls_have_one_place() -> None:
    assert len({(one.method, one.path) for one in CALLS}) == len(CALLS)


@pytest.mark.parametrize("one", CALLS, ids=lambda one: f"{one.method} {one.path}")
def test_what_stands_in_a_path_is_an_argument(one: Call) -> None:
    names = {field.name for field in one.fields}
    assert set(re.findall(r"\{(\w+)\}", one.path)) <= names and one.doc.endswith(".")
    operation = described("0")["paths"]["/api/v1" + one.path][one.method.lower()]
    assert operation["summary"] == one.doc


def test_words_become_values() -> None:
    found = arguments(call("GET", "/exits"), {"since": "12.5", "code": "3", "expected": "true", "target": "a/*"}, False)
    assert found == {"since": 12.5, "code": 3, "expected": True, "target": "a/*", "limit": 200}


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/exits", {"code": "three"}),
        ("/exits", {"root": "1"}),
        ("/exits", {"since": "soon"}),
        ("/agents", {"all": "perhaps"}),
        ("/exits", {"text": "x" * 600}),
        ("/exit-groups", {}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_cure(path: str, given: dict[str, Any]) -> None:
    with pytest.raises(Problem) as told:
        arguments(call("GET", path), given, False)
    assert told.value.status == 422 and told.value.cure


@pytest.mark.parametrize("limit", ["-5", "0", "1000000"])
def test_an_answer_is_bounded_whatever_is_asked(limit: str) -> None:
    assert 1 <= arguments(call("GET", "/agents"), {"limit": limit}, False)["limit"] <= 1000


@pytest.mark.parametrize("said", [{"verb": 7}, {"verb": "stop", "targets": "all"}, {"verb": "stop", "args": []}, {}])
def test_a_body_has_the_right_kinds(said: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        arguments(call("POST", "/commands"), said, True)


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    static = Path(__file__).parents[3] / "console" / "static"
    for path in static.rglob("*.js"):
        imports = re.findall(r"""(?:from|import)\s*["']([^"']+)["']""", path.read_text())
        assert all(one.startswith("./") and (path.parent / one).exists() for one in imports), (path, imports)
    assert "http" not in (static / "style.css").read_text()
