"""The house style that a machine can see: short functions, short files, docstrings, no vague names."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION_LINES, FILE_LINES = 50, 400
VAGUE = re.compile(r"(Manager|Helper|Util|Utils)$")
PRODUCT = ("wire", "initd", "hub", "console")


def tracked(pattern: str) -> list[Path]:
    """Python files that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in sorted(set(listing.stdout.split())) if (ROOT / name).is_file()]


FILES = tracked("*.py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    long = [
        f"{f.name}: {f.end_lineno - f.lineno + 1} lines"
        for f in functions(path)
        if f.end_lineno - f.lineno >= FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", [p for p in FILES if p.relative_to(ROOT).parts[0] in PRODUCT], ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert not path.read_text().strip() or ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_class_is_named_for_nothing(path: Path) -> None:
    classes = [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if VAGUE.search(name)] == []


@pytest.mark.parametrize("path", [p for p in FILES if p.relative_to(ROOT).parts[0] in PRODUCT], ids=name_of)
def test_every_function_states_what_it_returns(path: Path) -> None:
    assert [f.name for f in functions(path) if f.returns is None and f.name != "__init__"] == []
