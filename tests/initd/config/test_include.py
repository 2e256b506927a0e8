"""[include]: patterns as Python's glob, order, merging, %(here)s by file."""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from initd.config.include import like, matches
from initd.config.records import Config, Loaded


@given(st.text(alphabet="ab-]c", max_size=6), st.text(alphabet="ab*?[]!-c", max_size=8))
@example("-", "[a-]")
@example("]", "[]]")
@example("b", "[!]a]")
@example("a[b", "a[b")
@example("b", "[c-a]")
def test_a_pattern_fits_what_fnmatch_says(name: str, pattern: str) -> None:
    assert like(name, pattern) == fnmatch.fnmatchcase(name, pattern)


def test_many_stars_do_not_take_for_ever() -> None:
    assert not like("a" * 200 + "b", "*a" * 40 + "c")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in ("a.conf", "b.conf", ".hidden.conf", "d/x.conf", "d/y.ini", "e/x.conf", "[odd].conf", "d/.h/z.conf"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return root


@pytest.mark.parametrize(
    "pattern",
    [
        "*.conf",
        "?.conf",
        ".*.conf",
        "*/x.conf",
        "*/*",
        "d/*",
        "[de]/*.conf",
        "a.conf",
        "none",
        "none/*",
        "d/",
        "*/",
        "[[]odd].conf",
    ]
    + ["**/x.conf", "./a.*", "d/../*.conf", "*/.h/*", "", "d/none", "[odd].conf"],
)
def test_matches_are_those_of_glob(tree: Path, pattern: str) -> None:
    whole = f"{tree}/{pattern}"
    assert sorted(matches(whole)) == sorted(glob.glob(whole))


def test_relative_patterns_start_in_the_current_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert sorted(matches("*.conf")) == sorted(glob.glob("*.conf"))
    assert sorted(matches("*/x.conf")) == sorted(glob.glob("*/x.conf"))


def test_files_merge_in_order_and_the_last_value_counts(good: Callable[..., Config]) -> None:
    files = {
        "c/b.conf": "[program:x]\nstartsecs=2\n",
        "c/a.conf": "[program:x]\ncommand=%(here)s/x\nstartsecs=1\n[program:y]\ncommand=y\n",
    }
    config = good("[include]\nfiles=c/*.conf\n[program:x]\ndirectory=%(here)s\n", **files)
    x, y = config.programs
    assert (x.startsecs, y.command) == (2, "y")
    assert x.command == f"{x.directory}/c/x", "here is the directory of each file"
    assert [Path(file).name for file in config.files] == ["supervisord.conf", "a.conf", "b.conf"]


def test_problems_name_the_included_file(read: Callable[..., Loaded]) -> None:
    loaded = read("[supervisord]\n[include]\nfiles=*.ini\n", **{"x.ini": "[program:x]\ncommand=x\nuser\nstartsecs=z\n"})
    assert [(Path(problem.file).name, problem.line) for problem in loaded.errors] == [("x.ini", 3), ("x.ini", 4)]


def test_an_included_file_that_is_no_text_is_an_error(read: Callable[..., Loaded], tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(b"\xff")
    loaded = read("[supervisord]\n[include]\nfiles=x.ini\n")
    assert "not UTF-8" in str(loaded.errors[0])


@pytest.mark.parametrize(
    ("files", "cure"), [("", "[include] has no files"), ("files=%(nosuch)s", "no such name"), ("files=50%", "write %%")]
)
def test_what_is_refused(errors: Callable[..., list[str]], files: str, cure: str) -> None:
    assert cure in errors(f"[include]\n{files}\n")[0]


def test_what_is_not_found_or_not_readable_or_nested_gives_a_warning(warnings: Callable[..., list[str]]) -> None:
    nested = {"d.ini/x": "", "x.conf": "[include]\nfiles=/y\n"}
    found = warnings("[include]\nfiles=none/*.conf d.ini x.conf\n", **nested)
    assert "no file matches 'none/*.conf'" in found[0] + found[1] + found[2]
    assert any("is skipped: Is a directory" in one for one in found)
    assert any("[include] in an included file is ignored" in one for one in found)
