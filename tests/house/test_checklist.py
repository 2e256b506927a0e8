"""Every case of the PID-1 checklist names tests that exist, or a reason; and the page says what the table says."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from docs.make_checklist import page
from tests.checklist import AREAS, Case

ROOT = Path(__file__).parents[2]
CASES = [case for cases in AREAS.values() for case in cases]


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the test functions in a file below tests/."""
    file = ROOT / "tests" / f"{path}.py"
    if not file.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(file.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.must[:50])
def test_each_case_is_held_by_tests_that_exist_or_has_a_reason(case: Case) -> None:
    assert case.tests or len(case.reason) > 20
    missing = [name for name in case.tests if name.partition("::")[2] not in names_in(name.partition("::")[0])]
    assert missing == []


def test_no_case_stands_twice() -> None:
    assert len({case.must for case in CASES}) == len(CASES) >= 50


def test_the_page_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "pid1-checklist.md").read_text() == page()
