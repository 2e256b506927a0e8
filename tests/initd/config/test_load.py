"""`load` and `find` as the rest of initd uses them, and what they cost a start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from initd.config import find, load
from initd.config.records import Loaded, Problem

ROOT = Path(__file__).parents[3]
SLOW = {
    "re",
    "json",
    "configparser",
    "shlex",
    "typing",
    "dataclasses",
    "logging",
    "glob",
    "fnmatch",
    "subprocess",
    "pwd",
}

EVERYTHING = """[supervisord]
environment=A="1"
[include]
files=*.ini
[unix_http_server]
file=/tmp/x
[program:x]
command=sh -c 'a "b"'
process_name=%(program_name)s_%(process_num)02d
numprocs=2
stopsignal=9
[eventlistener:e]
command=x
events=TICK
"""


def imported(code: str) -> set[str]:
    """The modules that a bare interpreter has loaded after some code."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-IS", "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_reading_a_file_imports_nothing_slow(tmp_path: Path) -> None:
    (tmp_path / "f.conf").write_text(EVERYTHING)
    code = f"import initd.config as c; l = c.load({str(tmp_path / 'f.conf')!r}, {{}}, advise=False); assert l.config"
    assert imported(code) & SLOW == set()


def test_a_plain_file_imports_only_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "f.conf").write_text("[supervisord]\n[program:x]\ncommand=x\n")
    loaded = imported(f"import initd.config as c; c.load({str(tmp_path / 'f.conf')!r}, {{}}, advise=False)")
    parts = {name.rpartition(".")[2] for name in loaded if name.startswith("initd.config.")}
    assert parts == {
        "daemon",
        "expand",
        "fields",
        "groups",
        "ini",
        "programs",
        "reading",
        "records",
        "topics",
        "values",
        "words",
    }


def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    assert load("/no/such", {}) == Loaded(
        None, (Problem("/no/such", 0, "cannot be read: No such file or directory"),), ()
    )
    assert "Is a directory" in str(load(str(tmp_path), {}).errors[0])


def test_a_problem_names_file_line_and_message() -> None:
    assert str(Problem("f", 3, "m")) == "f:3: m"
    assert str(Problem("f", 0, "m")) == "f: m"
    assert str(Problem("f", 1, "a\nb\x1b")) == "f:1: a\\nb\\x1b"


def test_errors_and_config_exclude_each_other(read: Callable[..., Loaded]) -> None:
    assert read("[supervisord]\n").config is not None
    assert read("[supervisord]\nminfds=x\n").config is None


def test_the_host_may_be_named_by_the_caller(read: Callable[..., Loaded]) -> None:
    loaded = read("[supervisord]\n[program:x]\ncommand=%(host_node_name)s\n", here_host="box")
    assert loaded.config is not None
    assert loaded.config.programs[0].command == "box"


PLACES = ("up/etc/supervisord.conf", "up/supervisord.conf", "cwd/supervisord.conf", "cwd/etc/supervisord.conf")


@pytest.mark.parametrize("number", range(len(PLACES)))
def test_files_are_searched_in_supervisords_order(tmp_path: Path, number: int) -> None:
    for place in PLACES[number:]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("")
    assert find(str(tmp_path / "up/bin"), str(tmp_path / "cwd")) == str(tmp_path / PLACES[number])


def test_the_place_beside_an_original_of_pips_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "/usr/local/etc/supervisord.conf"
    monkeypatch.setattr("os.path.exists", lambda path: path == theirs)
    assert find("/opt/initd/bin", "/") == theirs
    monkeypatch.setattr("os.path.exists", lambda path: path in (theirs, "/etc/supervisord.conf"))
    assert find("/opt/initd/bin", "/") == "/etc/supervisord.conf"
