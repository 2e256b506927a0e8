"""The pack: an installed copy starts out of one file, and without it, or with a foreign one, starts all the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from initd import packing

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-IS"]
WHENCE = """
import sys
here = sys.argv.pop(1)
space = {"__name__": "initd", "__file__": here + "/initd/__main__.py"}
exec(compile(open(space["__file__"]).read(), space["__file__"], "exec"), space)
status = space["start"]()
import initd.daemon, initd.serve, initd.prefix, wire.model
records = [one for m in sorted(sys.modules) if m.startswith(("initd", "wire"))
           for _, one in sorted(vars(sys.modules[m]).items()) if getattr(one, "__module__", "") == m]
fields = [(one.__name__, one._fields, one._field_defaults)
          for one in records if isinstance(one, type) and hasattr(one, "_fields")]
packed = [one for one in sys.meta_path if type(one).__name__ == "Finder"]
print(status, len(packed), *sorted(n for n in sys.modules if n.split(".")[0] in ("initd", "wire")))
print(len(fields), fields)
print(initd.daemon.__file__, initd.config.__path__[0], initd.config.__package__, initd.daemon.__package__)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """An installed copy, without a pack."""
    for package in ("initd", "wire"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "packed.c*"))
    return tmp_path


def pack(copy: Path) -> Path:
    command = [*PYTHON, "-X", "no_debug_ranges", str(copy / "initd/packing.py"), str(copy)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return Path(made.stdout.strip())


def run(copy: Path) -> list[str]:
    found = subprocess.run([*PYTHON, "-c", WHENCE, str(copy), "--version"], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


def test_the_same_modules_come_out_of_the_pack(copy: Path) -> None:
    without = run(copy)
    assert without[1].startswith("0 0 initd ")
    file = pack(copy)
    assert file.name == f"packed.{sys.implementation.cache_tag}"
    with_pack = run(copy)
    assert with_pack[1] == without[1].replace("0 0 ", "0 1 ", 1)
    assert with_pack[3] == without[3]


def test_records_are_the_same_without_their_annotations(copy: Path) -> None:
    without = run(copy)[2]
    pack(copy)
    assert run(copy)[2] == without
    assert int(without.split()[0]) > 60


def test_the_compiled_command_is_the_same(copy: Path) -> None:
    pack(copy)
    compiled = copy / "initd" / f"__main__.{sys.implementation.cache_tag}.pyc"
    (copy / "initd" / "__main__.py").unlink()
    done = subprocess.run([*PYTHON, str(compiled), "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: initd")


ANNOTATED = """
from __future__ import annotations
from typing import NamedTuple
TYPE_CHECKING = False
if TYPE_CHECKING:
    from wire import limits
class Kept(NamedTuple):
    x: int = 1
class Plain:
    y: int
table: dict[str, int] = {}
def act(one: int) -> int:
    two: int
    two: int = one
    return two
"""


def test_only_annotations_that_something_is_made_of_stay() -> None:
    space: dict[str, Any] = {"__name__": "annotated"}
    code = packing.code_of(ANNOTATED, "annotated.py")
    exec(code, space)
    assert space["Kept"]._fields == ("x",)
    assert "__annotations__" not in vars(space["Plain"]) and "__annotations__" not in space
    assert space["act"].__annotations__ == {} and space["act"](3) == 3
    assert "__future__" not in code.co_names and "limits" not in code.co_names


def test_nothing_is_read_beside_the_pack(copy: Path) -> None:
    pack(copy)
    for source in [*copy.glob("initd/**/*.py"), *copy.glob("wire/**/*.py")]:
        if source.name != "__main__.py":
            source.write_text("raise SystemError('read')\n")
    assert run(copy)[1].startswith("0 1 ")


def test_the_pack_of_another_python_is_left_alone(copy: Path) -> None:
    file = pack(copy)
    file.write_bytes(b"\0\0\0\0" + file.read_bytes()[4:])
    assert run(copy)[1].startswith("0 0 ")


def test_a_damaged_pack_is_said_to_be(copy: Path) -> None:
    file = pack(copy)
    file.write_bytes(file.read_bytes()[:-1_000_000])
    failed = subprocess.run([*PYTHON, str(copy / "initd/__main__.py"), "check"], capture_output=True, text=True)
    assert failed.returncode != 0
    assert "EOFError" in failed.stderr or "ValueError" in failed.stderr
