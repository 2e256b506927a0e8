"""Which files a pattern means, against the standard library, and what a look costs."""

from __future__ import annotations

import glob
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initd.renewal.files import Survey

names = st.sampled_from(["a", "b", "ab", "a.py", "b.py"])
parts = st.sampled_from(["a", "b", "ab", "*", "?", "a*", "*.py", "**"])


def make(folder: Path, paths: list[list[str]]) -> None:
    for path in paths:
        target = folder.joinpath(*path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        except OSError:
            pass  # a name that is a file here was to be a directory


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(names, min_size=1, max_size=3), max_size=8), st.lists(parts, min_size=1, max_size=3))
def test_patterns_mean_what_glob_says(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]], pattern: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    make(folder, paths)
    text = "/".join([str(folder), *pattern])
    expected = {path for path in glob.glob(text, recursive=True) if os.path.isfile(path)}
    assert set(Survey([text]).marks) == expected


def test_a_change_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    pattern = [f"{tmp_path}/*"]
    seen = [Survey(pattern).marks]
    for act in (lambda: path.write_text("a"), lambda: path.write_text("bb"), lambda: path.chmod(0o600), path.unlink):
        act()
        seen.append(Survey(pattern).marks)
    assert seen[0] == seen[-1] == {}
    assert all(one != other for one, other in pairwise(seen))


def test_it_is_bounded(tmp_path: Path) -> None:
    for i in range(20):
        (tmp_path / str(i)).touch()
    survey = Survey([f"{tmp_path}/**"], most=5)
    assert survey.cut
    assert len(survey.marks) == 5


def test_circles_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    assert list(Survey([f"{tmp_path}/**"]).marks) == [str(tmp_path / "file")]


def test_what_is_not_there_is_no_error() -> None:
    assert Survey(["/nowhere/*", "/proc/1/root/../nowhere", "/etc/passwd/*"]).marks == {}
