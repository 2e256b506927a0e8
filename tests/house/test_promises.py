"""docs/promises.md names tests and proofs that exist, and each promise has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.prove.__main__ import names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promised")]


@pytest.mark.parametrize(("path", "name"), TESTS, ids=[name for _, name in TESTS])
def test_a_named_test_exists(path: str, name: str) -> None:
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    assert name in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_each_promise_names_a_test_or_a_proof(row: str) -> None:
    shown = row.split(" | ")[-1]
    assert "::test_" in shown or "`script/prove " in shown


def test_each_proof_named_exists() -> None:
    named = set(re.findall(r"`script/prove ([a-z-]+)`", PAGE))
    assert named and named <= set(names())
    assert len(TESTS) > 30
