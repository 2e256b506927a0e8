"""images/bundle and images/needed.py: what is left out, per processor, and refused; without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from images import needed

ROOT = Path(__file__).parents[2]
PAGES = ("docs/containers.md", "docs/from-tini-and-dumb-init.md", "docs/from-s6-overlay.md")


def bundle(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "images" / "bundle", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arch", "words"),
    [("aarch64", "is for x86_64, not for aarch64"), ("riscv64", "no recipe for riscv64: aarch64, x86_64")],
)
def test_another_processors_bundle_is_refused_with_a_reason(tmp_path: Path, arch: str, words: str) -> None:
    done = bundle("initd", str(tmp_path / "new"), "--arch", arch)
    assert done.returncode == 1 and words in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_foreign_interpreter_is_known_by_its_elf_header(tmp_path: Path) -> None:
    """e_machine 183 is aarch64: on x86_64 it is refused as what it is, for its own it goes on to run it."""
    python = tmp_path / "python3"
    python.write_bytes(b"\x7fELF" + bytes(14) + bytes([183, 0]) + bytes(44))
    python.chmod(0o755)
    done = bundle("initd", str(tmp_path / "new"), "--python", str(python), "--arch", "x86_64")
    assert "is for aarch64, not for x86_64" in done.stderr
    assert "is for" not in bundle("initd", str(tmp_path / "new"), "--python", str(python), "--arch", "aarch64").stderr


def test_the_hub_has_link() -> None:
    done = bundle("hub", "/nowhere/x", "--without-link")
    assert done.returncode == 1 and "for initd only" in done.stderr


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d\nif TYPE_CHECKING:\n    import e\nfrom . import g\n"
    source += "from ..h import i\nif __name__ == '__main__':\n    import j\n"
    assert needed.imports(source, "p.q") == {"a.b", "c", "c.d", "p.q", "p.q.g", "p.h", "p.h.i"}


def test_what_is_reached_is_followed_until_what_is_left_out(tmp_path: Path) -> None:
    texts = {"a.py": "import b", "b.py": "import c, x", "c.py": "", "x.py": "import y", "y.py": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert set(needed.reach(tmp_path, ["a"], frozenset({"x"}))) == {"a", "b", "c"}


def test_without_link_nothing_of_it_and_of_wire_is_taken() -> None:
    files, foreign = needed.ours(ROOT, ("initd",), ("wire",), ("initd/link",))
    names = {str(file.relative_to(ROOT)) for file in files}
    assert {"wire/model.py", "wire/limits.py", "initd/daemon.py"} <= names
    assert not [name for name in names if name.startswith("initd/link/") or name == "wire/codec.py"]
    assert not foreign & {"zmq", "msgpack", "psutil"}


@pytest.mark.parametrize("page", PAGES)
def test_tests_named_in_the_documents_exist(page: str) -> None:
    """`tests/x.py::name`, or `::name` of the file named before or, first of all, of test_containers.py."""
    file = "tests/e2e/test_containers.py"
    for path, name in re.findall(r"`(tests/\S+?\.py)?::(\w+)`", (ROOT / page).read_text()):
        file = path if path and not name else file
        assert f"def {name}(" in (ROOT / (path or file)).read_text(), f"{path or file}::{name}"
