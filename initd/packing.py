"""Write the pack of an installed copy (initd.packed explains it); where there is none, everything works, later.

    python3 -IS -X no_debug_ranges initd/packing.py SITE      SITE holds initd/ and wire/; writes SITE/initd/packed.TAG
                                                              and SITE/initd/__main__.TAG.pyc

It must run under the Python that will read it.  What each entry imports is found by importing it, out of the pack; what
entries import stands together in the file, in the order in which it is needed.  The second file is `__main__.py`
compiled: a script that Python is given the source of is opened twice and compiled at each start, which takes a
millisecond.
"""

from __future__ import annotations
import __future__

import _ast
import importlib.util
import marshal
import os
import sys
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType
    from typing import Any

    from initd.packed import Index, Late, Tables

    Head = tuple[CodeType, Tables]

NONE_LATE: Late = ((), 0, 0)
OURS = ("initd", "wire")
"""The packages that a pack holds, whole."""
FLAGS = __future__.annotations.compiler_flag
"""In place of each module's own import of it, which costs a start a file of the standard library."""
SERVING = ("initd.prefix", "initd.main", "initd.daemon", "initd.serve")
CHAINS = (
    ("initd.prefix", "initd.main", "initd.ctl.verbs"),
    ("initd.prefix", "initd.main", "initd.single.own", "initd.single.errand"),
)
"""What a command imports, one after the other: the verbs, single-command mode; before these SERVING, the daemon's two
stages, and what it may need later (initd.parts.late)."""


def lean(source: str, path: str) -> _ast.Module:
    """A module as it is run, without what only type checkers read: a fifth of the code, to be read at each start.

    Of records' annotations the fields' names stay (wire._record), and whole those that something else may be made of:
    in classes that are decorated or derived, and where they are evaluated.  Raises SyntaxError.
    """
    tree = ast_of(source, path)
    _thin_out(tree, keep=not has_texts(tree))
    return tree


def ast_of(source: str, path: str) -> _ast.Module:
    """A module's syntax.  Raises SyntaxError."""
    return compile(source, path, "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)  # type: ignore[return-value]


def has_texts(tree: _ast.Module) -> bool:
    """Whether a module's annotations are texts, never evaluated."""
    return any(_is_future(node) for node in tree.body)


def _is_future(node: object) -> bool:
    return isinstance(node, _ast.ImportFrom) and node.module == "__future__"


def _thin_out(node: _ast.AST, keep: bool) -> None:
    """`keep` annotations of variables; those of parameters nobody reads."""
    here = keep
    if isinstance(node, _ast.ClassDef):
        is_record = _is_record(node) and not keep
        here = keep or (not is_record and bool(node.bases or node.decorator_list))
        if is_record:
            _name_fields(node)
    for field in node._fields:
        value = getattr(node, field, None)
        if (type(node), field) in ((_ast.FunctionDef, "returns"), (_ast.arg, "annotation")):
            setattr(node, field, None)
        elif isinstance(value, list):
            value[:] = [kept for item in value for kept in _kept(item, here)]
            for item in value:
                if isinstance(item, _ast.AST):
                    _thin_out(item, keep)
            if field == "body" and not value and not isinstance(node, _ast.Module):
                value.append(_placed(_ast.Pass(), node))
        elif isinstance(value, _ast.AST):
            _thin_out(value, keep)


def _kept(item: object, keep: bool) -> list[Any]:
    """What a list holds in place of one of its items: the other branch of a condition that is never true."""
    if isinstance(item, _ast.If) and isinstance(item.test, _ast.Name) and item.test.id == "TYPE_CHECKING":
        return [kept for other in item.orelse for kept in _kept(other, keep)]
    if _is_future(item):
        return []
    if isinstance(item, _ast.AnnAssign) and not keep:
        return [] if item.value is None else [_placed(_ast.Assign([item.target], item.value), item)]
    return [item]


def _is_record(node: _ast.ClassDef) -> bool:
    return any(isinstance(base, _ast.Name) and base.id == "Record" for base in node.bases)


def _name_fields(node: _ast.ClassDef) -> None:
    """Put the names of a record's fields in the annotations' place: one constant instead of a step for each."""
    names = [item.target.id for item in node.body if isinstance(item, _ast.AnnAssign)]  # type: ignore[union-attr]
    fields = _placed(_ast.Tuple([_placed(_ast.Constant(name), node) for name in names], _ast.Load()), node)
    target = _placed(_ast.Name("__annotations__", _ast.Store()), node)
    node.body.insert(0, _placed(_ast.Assign([target], fields), node))


def _placed(made: Any, like: Any) -> Any:
    """A new node at another's place."""
    made.lineno, made.col_offset, made.end_lineno, made.end_col_offset = like.lineno, 0, like.lineno, 0
    return made


def code_of(source: str, path: str) -> CodeType:
    """A module compiled.  Raises SyntaxError."""
    flags = FLAGS if has_texts(ast_of(source, path)) else 0
    return compile(lean(source, path), path, "exec", flags, dont_inherit=True, optimize=2)  # type: ignore[no-any-return]


def modules(site: str) -> Iterator[tuple[str, CodeType, bool]]:
    """Name, code and "is it a package" of all that goes into a pack.  Raises OSError, SyntaxError, ImportError."""
    for folder, _, files in (found for top in OURS for found in os.walk(os.path.join(site, top))):
        for file in sorted(file for file in files if file.endswith(".py") and file != "__main__.py"):
            path = os.path.relpath(os.path.join(folder, file), site)
            with open(os.path.join(site, path), encoding="utf-8") as source:
                code = code_of(source.read(), path)
            name = path.removesuffix(".py").replace("/", ".")
            yield name.removesuffix(".__init__"), code, file == "__init__.py"


def marshalled(site: str) -> dict[str, tuple[bytes, bool]]:
    """Code and "is it a package" of all modules by name.  Raises as `modules` does."""
    return {name: (marshal.dumps(code), is_package) for name, code, is_package in modules(site)}


def indexed(codes: dict[str, tuple[bytes, bool]]) -> Index:
    """Where each stands in a file that holds them in this order."""
    index: Index = {}
    offset = 0
    for name, (code, is_package) in codes.items():
        index[name] = (offset, len(code), is_package)
        offset += len(code)
    return index


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
        sys.meta_path.insert(0, Witness(file.fileno(), start, (index, {}, b"", NONE_LATE), site))
        try:
            for chain in ((*SERVING, *_late()), *CHAINS):
                for name in [name for name in sys.modules if name in index]:
                    del sys.modules[name]
                found |= {entry: _completed_by(entry, complete) for entry in chain}
        finally:
            del sys.meta_path[0]
    return found


def _late() -> tuple[str, ...]:
    from initd.parts import late

    return late()


def _completed_by(entry: str, complete: list[str]) -> list[str]:
    before = len(complete)
    importlib.import_module(entry)
    return complete[before:-1]


def write(site: str) -> str:
    """Pack the modules below a site directory; returns the file.  Raises OSError, SyntaxError, ImportError."""
    codes = marshalled(site)
    reader = marshal.loads(codes["initd.packed"][0])
    target = os.path.join(site, "initd", f"packed.{sys.implementation.cache_tag}")
    start = _put(target, (reader, (indexed(codes), {}, b"", NONE_LATE)), codes, b"")
    found = companions(target, start, indexed(codes), site)
    order = dict.fromkeys(name for entry, names in found.items() for name in (*names, entry))
    codes = {name: codes[name] for name in (*order, *codes)}
    names = dict.fromkeys(name for entry in _late() for name in (*found[entry], entry))
    late = zlib.compress(marshal.dumps({name: codes[name][0] for name in names}), 9)
    place = (foreign(site, list(names)), sum(len(code) for code, _ in codes.values()), len(late))
    _put(target, (reader, _tables(indexed(codes), found, place)), codes, late)
    _compile_main(os.path.join(site, "initd"))
    return target


def _tables(index: Index, found: dict[str, list[str]], late: Late) -> Tables:
    """What the daemon needs apart from all else: reading the index of everything takes a fifth of a millisecond."""
    needed = {name: found[name] for name in SERVING}
    first = {name for entry, names in needed.items() for name in (entry, *names)}
    others = {name: place for name, place in index.items() if name not in first}
    rest = marshal.dumps((others, {entry: names for entry, names in found.items() if entry not in needed}))
    return {name: place for name, place in index.items() if name in first}, needed, rest, late


def foreign(site: str, names: list[str]) -> tuple[str, ...]:
    """What these modules import, when they are imported, of the standard library.  Raises OSError."""
    found = {"zlib"}
    for name in names:
        path = os.path.join(site, *name.split("."))
        with open(f"{path}/__init__.py" if os.path.isdir(path) else f"{path}.py", encoding="utf-8") as source:
            for node in lean(source.read(), name).body:
                if isinstance(node, _ast.Import):
                    found.update(alias.name for alias in node.names)
                elif isinstance(node, _ast.ImportFrom) and node.module:
                    found.add(node.module)
    return tuple(sorted(name for name in found if name.partition(".")[0] not in OURS))


def _put(target: str, head: Head, codes: dict[str, tuple[bytes, bool]], late: bytes) -> int:
    """Write the file whole or not at all; returns where the codes begin."""
    lead = marshal.dumps(head)
    lead = importlib.util.MAGIC_NUMBER + len(lead).to_bytes(4, "little") + lead
    _replace(target, [lead, *(code for code, _ in codes.values()), late])
    return len(lead)


def _compile_main(folder: str) -> None:
    """`__main__.py` as Python runs it when it is given the path of the result; unchecked (PEP 552)."""
    path = os.path.join(folder, "__main__.py")
    with open(path, encoding="utf-8") as source:
        code = code_of(source.read(), "initd/__main__.py")
    lead = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    _replace(f"{path[:-3]}.{sys.implementation.cache_tag}.pyc", [lead, marshal.dumps(code)])


def _replace(target: str, parts: list[bytes]) -> None:
    with open(target + ".new", "wb") as file:
        file.writelines(parts)
    os.replace(target + ".new", target)


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    print(write(sys.argv[1]))
