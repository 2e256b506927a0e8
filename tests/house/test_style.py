"""The house style that a machine can see: short functions, short files, docstrings, no vague names."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

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
PRODUCT_FILES = [path for path in FILES if path.relative_to(ROOT).parts[0] in PRODUCT]


class Read(NamedTuple):
    """What is looked at in one file; the tree itself would be too much to keep of all."""

    docstring: str | None
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef]
    classes: list[str]


@cache
def read(path: Path) -> Read:
    """Parsed once for all tests."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        function.body = []
    return Read(ast.get_docstring(tree), functions, [node.name for node in nodes if isinstance(node, ast.ClassDef)])


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_longer_than_a_sitting() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{name_of(path)}:{f.lineno} {f.name}": (f.end_lineno or 0) - f.lineno + 1
        for path in FILES
        for f in read(path).functions
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [name_of(path) for path in PRODUCT_FILES if path.read_text().strip() and not read(path).docstring] == []


def test_no_class_is_named_for_nothing() -> None:
    classes = [(name_of(path), name) for path in FILES for name in read(path).classes]
    assert [(path, name) for path, name in classes if VAGUE.search(name)] == []


def test_every_function_states_what_it_returns() -> None:
    untyped = [(name_of(path), f.name) for path in PRODUCT_FILES for f in read(path).functions if f.returns is None]
    assert [(path, name) for path, name in untyped if name not in ("__init__", "__new__")] == []
