"""All our modules in one file, so that a start searches for none: initd.packing makes it, initd.__main__ opens it.

Theory.  Python's import looks at three or four paths for each module, compares times, and reads byte code with its
docstrings and columns; then importlib itself, locks and specs, costs as much again as what the module does.  For the
sixty modules of stage 1 that was 15 ms of 33 to the first program, out of the pack it is 8 (Python 3.11; `bench/init.py
--other` compares).  The file is

    4 bytes   the interpreter's magic number of byte code (importlib.util.MAGIC_NUMBER)
    4 bytes   little-endian: size of the head
    head      marshalled pair: the code of this module, and the tables: the index (name to offset, size, "is it a
              package"); for each entry the modules that it imports, in the order in which they are complete; both
              for the daemon alone, and marshalled by themselves for all else; and of the late modules the standard
              ones that they import, and the place of the last part
    ...       marshalled code of each module, without docstrings and columns
    ...       the late modules once more: a marshalled dict of their marshalled codes, compressed

so that whoever has imported nothing yet finds the reader in it.  When an entry is imported, what it needs is made
before it, without importlib; any other module is found and loaded as by any finder.  What an entry needs stands
together and is read a few modules at a time, except where most of it is there already.

*Late modules* are those of PID 1 that most containers never use: parts and topics that no program has, readers of rare
sections.  They must be at hand without a file system, which may be gone by then.  As modules they take a megabyte, as
bytes a ninth of it; so `keep` reads these, and they are unpacked when one is imported.  (Functions were tried, too:
each that a start does not run as bytes, with a stub in its place; but small codes and stubs take what that saves.)

A file of another Python is not used, and where there is none (an editable tree) modules are found as ever.  The sources
beside it are not looked at: after editing them in an installed copy, remove the file or write it anew.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any

    Index = dict[str, tuple[int, int, bool]]
    Late = tuple[tuple[str, ...], int, int]
    """What they import, offset, size."""
    Tables = tuple[Index, dict[str, list[str]], bytes, Late]


TOGETHER = 8
"""Modules read at once: fewer calls than one by one, and not the hundred page faults of all in memory."""


class Finder:
    """The pack as an entry of sys.meta_path; finder and loader in one (importlib.abc).

    `start` is where the modules' code begins in the file; see the module's docstring for the tables.
    """

    def __init__(self, fd: int, start: int, tables: Tables, site: str) -> None:
        self._fd = fd
        self._start = start
        self._index, self._companions, self._others, self._late = tables
        self._kept = b""
        """The late modules, compressed; nothing is read from the file once they are."""
        self._site = site
        self._blanks: set[str] = set()
        """Modules that are there, without their code having run."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where a module of ours is, None for all others; before an entry, make what it needs."""
        if name not in self._index and not self._has_other(name):
            return None
        missing = [one for one in self._companions.get(name, ()) if one not in sys.modules or one in self._blanks]
        if missing:
            self._load_all(missing)
        place, is_package = self._place(name), self._index[name][2]
        file = _file(place, is_package)
        spec = ModuleSpec(name, self, origin=file, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(place)
        return spec

    def _has_other(self, name: str) -> bool:
        """Whether it is one that the daemon does without; from then on the index is whole."""
        if not self._others or name.partition(".")[0] not in self._index:
            return False
        index, companions = marshal.loads(self._others)
        self._others = b""
        self._index |= index
        self._companions |= companions
        return name in self._index

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code.  Raises OSError, EOFError, ValueError where the file is damaged."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """For runpy, too."""
        code: CodeType = marshal.loads(self._codes([name])[name])
        return code

    def keep(self) -> None:
        """Have the late modules in memory.  Raises OSError, ImportError."""
        imports, offset, size = self._late
        for name in imports:
            __import__(name)
        self._kept = os.pread(self._fd, size, self._start + offset)

    def _load_all(self, names: list[str]) -> None:
        step = len(names) if self._kept else TOGETHER
        for start in range(0, len(names), step):
            some = names[start : start + step]
            codes = self._codes(some)
            for name in some:
                self._load(name, marshal.loads(codes[name]))

    def _codes(self, names: list[str]) -> dict[str, Any]:
        """Marshalled code of each."""
        if self._kept:
            kept: dict[str, bytes] = marshal.loads(sys.modules["zlib"].decompress(self._kept))
            if all(name in kept for name in names):
                return kept
        index = self._index
        first = min([index[name][0] for name in names])
        end = max([index[name][0] + index[name][1] for name in names])
        if end - first > 2 * sum([index[name][1] for name in names]):
            return {name: os.pread(self._fd, index[name][1], self._start + index[name][0]) for name in names}
        held = memoryview(os.pread(self._fd, end - first, self._start + first))
        return {name: held[index[name][0] - first : index[name][0] - first + index[name][1]] for name in names}

    def _place(self, name: str) -> str:
        return f"{self._site}/{name.replace('.', '/')}"

    def _load(self, name: str, code: CodeType) -> None:
        """What importlib does for a module whose own imports are all there."""
        module = self._blank(name)
        self._blanks.discard(name)
        try:
            exec(code, module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise

    def _blank(self, name: str) -> ModuleType:
        """The module before its code runs; a package is made when the first of its modules is."""
        if name in sys.modules:
            return sys.modules[name]
        module = sys.modules[name] = type(sys)(name)
        self._blanks.add(name)
        package, _, own = name.rpartition(".")
        place, is_package = self._place(name), self._index[name][2]
        module.__file__, module.__package__ = _file(place, is_package), name if is_package else package
        if is_package:
            module.__path__ = [place]
        if package:
            setattr(self._blank(package), own, module)
        return module


def _file(place: str, is_package: bool) -> str:
    return f"{place}/__init__.py" if is_package else f"{place}.py"
