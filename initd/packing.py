"""Write the pack of an installed copy (initd.packed explains it); where there is none, everything works, later.

    python3 -IS -X no_debug_ranges initd/packing.py SITE      SITE holds initd/ and wire/; writes SITE/initd/packed.TAG

It must run under the Python that will read it.  What each entry imports is found by importing it, out of the pack.
"""

from __future__ import annotations

import _ast
import importlib.util
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType
    from typing import Any

    from initd.packed import Index

OURS = ("initd", "wire")
"""The packages that a pack holds, whole."""
BORROWED = ("__future__",)
"""Of the standard library: imported by each of our modules, and else the only reason to list its directory."""
CHAINS = (
    ("initd.prefix", "initd.main", "initd.daemon", "initd.serve"),
    ("initd.prefix", "initd.main", "initd.ctl.verbs"),
    ("initd.prefix", "initd.main", "initd.single.own", "initd.single.errand"),
)
"""What a command imports, one after the other: stage 1 and 2 of the daemon, the verbs, single-command mode."""


def code_of(name: str) -> CodeType:
    """A module of the library; not every copy of it has its sources.  Raises ImportError."""
    spec = importlib.util.find_spec(name)
    code = getattr(spec.loader, "get_code", lambda _name: None)(name) if spec is not None else None
    if code is None:
        raise ImportError(f"no code of {name}", name=name)
    return code  # type: ignore[no-any-return]


def lean(source: str, path: str) -> _ast.Module:
    """A module as it is run, without what only type checkers read: a tenth of the code, to be read at each start.

    Annotations of a class's fields stay, since records are made of them (wire._record).  Raises SyntaxError.
    """
    tree: _ast.Module = compile(source, path, "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)  # type: ignore[assignment]
    _thin_out(tree)
    return tree


def _thin_out(node: _ast.AST) -> None:
    for field in node._fields:
        value = getattr(node, field, None)
        if (type(node), field) in ((_ast.FunctionDef, "returns"), (_ast.arg, "annotation")):
            setattr(node, field, None)
        elif isinstance(value, list):
            value[:] = [kept for item in value for kept in _kept(item)]
        elif isinstance(value, _ast.AST):
            _thin_out(value)


def _kept(item: object) -> list[Any]:
    """What a list holds in place of one of its items: the other branch of a condition that is never true."""
    if isinstance(item, _ast.AST):
        _thin_out(item)
    if isinstance(item, _ast.If) and isinstance(item.test, _ast.Name) and item.test.id == "TYPE_CHECKING":
        return item.orelse
    return [item]


def modules(site: str) -> Iterator[tuple[str, CodeType, bool]]:
    """Name, code and "is it a package" of all that goes into a pack.  Raises OSError, SyntaxError, ImportError."""
    for name in BORROWED:
        yield name, code_of(name), False
    for folder, _, files in (found for top in OURS for found in os.walk(os.path.join(site, top))):
        for file in sorted(file for file in files if file.endswith(".py") and file != "__main__.py"):
            path = os.path.relpath(os.path.join(folder, file), site)
            with open(os.path.join(site, path), encoding="utf-8") as source:
                code = compile(lean(source.read(), path), path, "exec", dont_inherit=True, optimize=2)
            name = path.removesuffix(".py").replace("/", ".")
            yield name.removesuffix(".__init__"), code, file == "__init__.py"


def compiled(site: str) -> tuple[Index, list[bytes]]:
    """The index, and the code of the modules in its order.  Raises as `modules` does."""
    index: Index = {}
    codes: list[bytes] = []
    offset = 0
    for name, code, is_package in modules(site):
        codes.append(marshal.dumps(code))
        index[name] = (offset, len(codes[-1]), is_package)
        offset += len(codes[-1])
    return index, codes


def companions(path: str, start: int, index: Index, site: str) -> dict[str, list[str]]:
    """For each entry the modules that are complete before it is, first things first.  Raises ImportError."""
    from initd.packed import Finder

    complete: list[str] = []

    class Witness(Finder):
        """Notes what is complete."""

        def exec_module(self, module: ModuleType) -> None:
            super().exec_module(module)
            complete.append(module.__name__)

    found: dict[str, list[str]] = {}
    with open(path, "rb") as file:
        sys.meta_path.insert(0, Witness(file.fileno(), start, index, {}, site))
        try:
            for chain in CHAINS:
                for name in [name for name in sys.modules if name in index]:
                    del sys.modules[name]
                found |= {entry: _completed_by(entry, complete) for entry in chain}
        finally:
            del sys.meta_path[0]
    return found


def _completed_by(entry: str, complete: list[str]) -> list[str]:
    before = len(complete)
    importlib.import_module(entry)
    return complete[before:-1]


def write(site: str) -> str:
    """Pack the modules below a site directory; returns the file.  Raises OSError, SyntaxError, ImportError."""
    index, codes = compiled(site)
    reader = marshal.loads(codes[list(index).index("initd.packed")])
    target = os.path.join(site, "initd", f"packed.{sys.implementation.cache_tag}")
    start = _put(target, (reader, index, {}), codes)
    found = companions(target, start, index, site)
    _put(target, (reader, index, found), codes)
    return target


def _put(target: str, head: tuple[CodeType, Index, dict[str, list[str]]], codes: list[bytes]) -> int:
    """Write the file whole or not at all; returns where the codes begin."""
    marshalled = marshal.dumps(head)
    with open(target + ".new", "wb") as file:
        file.write(importlib.util.MAGIC_NUMBER + len(marshalled).to_bytes(4, "little") + marshalled)
        start = file.tell()
        file.writelines(codes)
    os.replace(target + ".new", target)
    return start


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    print(write(sys.argv[1]))
