"""All our modules in one file, so that a start searches for none: initd.packing makes it, initd.__main__ opens it.

Theory.  Python's import looks at three or four paths for each module, compares times, and reads byte code with its
docstrings and columns; then importlib itself, locks and specs, costs as much again as what the module does.  For the
sixty modules of stage 1 that was 15 ms of 33 to the first program, out of the pack it is 8 (Python 3.11; `bench/init.py
--other` compares).  The file is

    4 bytes   the interpreter's magic number of byte code (importlib.util.MAGIC_NUMBER)
    4 bytes   little-endian: size of the head
    head      marshalled triple: the code of this module; the index (name to offset, size, "is it a package");
              and for each entry the modules that it imports, in the order in which they are complete
    ...       marshalled code of each module, without docstrings and columns

so that whoever has imported nothing yet finds the reader in it.  When an entry is imported, what it needs is made
before it, without importlib; any other module is found and loaded as by any finder.  What an entry needs stands
together and is read by one pread, except where most of it is there already.

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

    Index = dict[str, tuple[int, int, bool]]


class Finder:
    """The pack as an entry of sys.meta_path; finder and loader in one (importlib.abc).

    `start` is where the modules' code begins in the file; `companions` is what each entry needs, in order.
    """

    def __init__(self, fd: int, start: int, index: Index, companions: dict[str, list[str]], site: str) -> None:
        self._fd = fd
        self._start = start
        self._index = index
        self._companions = companions
        self._site = site
        self._blanks: set[str] = set()
        """Modules that are there, without their code having run."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where a module of ours is, None for all others; before an entry, make what it needs."""
        if name not in self._index:
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

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code.  Raises OSError, EOFError, ValueError where the file is damaged."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """For runpy, too."""
        offset, size, _ = self._index[name]
        code: CodeType = marshal.loads(os.pread(self._fd, size, self._start + offset))
        return code

    def _load_all(self, names: list[str]) -> None:
        index = self._index
        first = min([index[name][0] for name in names])
        end = max([index[name][0] + index[name][1] for name in names])
        if end - first > 2 * sum([index[name][1] for name in names]):
            for name in names:
                self._load(name, self.get_code(name))
            return
        held = memoryview(os.pread(self._fd, end - first, self._start + first))
        for name in names:
            offset, size, _ = index[name]
            self._load(name, marshal.loads(held[offset - first : offset - first + size]))

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
