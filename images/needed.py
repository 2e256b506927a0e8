"""Which modules of the standard library a set of imports reaches, by reading the sources; for the bundle without link.

Every import statement counts, in functions too, because nobody can say which of them will run; what only type checkers
read and what stands under `if __name__ == "__main__"` does not.  What images/unused.txt names ends the search there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ALWAYS = (
    "abc", "codecs", "encodings", "io", "linecache", "os", "runpy", "site", "stringprep", "tokenize", "traceback",
    "warnings",
)  # fmt: skip
"""What the interpreter itself imports: at its start, for -m, for host names (idna), and to print a traceback."""


def imports(source: str, package: str) -> set[str]:
    """The names after `import`, and of `from A import B` both A and A.B."""
    return {name for node in _statements(ast.parse(source)) for name in _names(node, package)}


def _statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not (isinstance(node, ast.If) and {"TYPE_CHECKING", "'__main__'"} & _words(node.test)):
            yield from _statements(node)


def _words(test: ast.expr) -> set[str]:
    return set(ast.unparse(test).split())


def _names(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*parts, *([node.module] if node.module else [])])
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def source_of(root: Path, name: str) -> Path | None:
    """The file of a module, None for what is built in, an extension, or no module at all."""
    place = root / name.replace(".", "/")
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def reach(root: Path, start: Iterable[str], unused: frozenset[str]) -> dict[str, Path | None]:
    """Every module reached from `start`, with its source; extensions and built-in ones without."""
    found: dict[str, Path | None] = {}
    waiting = [*start]
    while waiting:
        name = waiting.pop()
        if not name or name in found or unused & {name, *name.split(".")}:
            continue
        file = found[name] = source_of(root, name)
        waiting.append(name.rpartition(".")[0])
        if file is not None:
            waiting += imports(file.read_text(), name if file.name == "__init__.py" else name.rpartition(".")[0])
    return found


def ours(
    root: Path, whole: Iterable[str], partly: Iterable[str] = (), left_out: Iterable[str] = ()
) -> tuple[set[Path], set[str]]:
    """Our files: all of some packages but what is left out, of others what these import; and their foreign modules."""
    out, own = {root / path for path in left_out}, {*whole, *partly}
    files = {file for package in whole for file in (root / package).rglob("*.py") if not out & {file, *file.parents}}
    waiting, foreign = [*files], set()
    while waiting:
        file = waiting.pop()
        for name in imports(file.read_text(), ".".join(file.relative_to(root).parts[:-1])):
            found = source_of(root, name) if name.partition(".")[0] in own else None
            if name.partition(".")[0] not in own:
                foreign.add(name)
            elif found is not None and found not in files and not out & {found, *found.parents}:
                files.add(found)
                waiting.append(found)
    return files | {root / package / "__init__.py" for package in partly}, foreign
