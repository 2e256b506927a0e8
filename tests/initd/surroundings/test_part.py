"""What a program finds in its environment, and that values of files stay out of everything that is said."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.surroundings import Surroundings
from initd.errors import StartFailed
from initd.launch import child_environment
from initd.surroundings.part import contents, environment, home, matches
from tests.support.programs import program

BASE = {"PATH": "/bin", "LANG": "C", "LC_ALL": "C", "TOKEN": "t", "SUPERVISOR_SERVER_URL": "unix://x"}


def env(own: dict[str, str] | None = None, user: str | None = None, more: Any = None, **wanted: Any) -> dict[str, str]:
    config = program("web", environment=tuple((own or {}).items()), user=user)
    present = child_environment(BASE, config) | (more or {})
    return environment(Surroundings(**wanted), config, BASE, present)


def failure(**wanted: Any) -> StartFailed:
    with pytest.raises(StartFailed) as caught:
        env(**wanted)
    assert caught.value.step == "environment"
    return caught.value


def test_nothing_asked_for_changes_nothing() -> None:
    assert env({"A": "1"}) == child_environment(BASE, program("web", environment=(("A", "1"),)))


def test_only_listed_variables_are_inherited() -> None:
    found = env({"A": "1"}, env_allow=("PATH", "LC_*"), more={"NOTIFY_SOCKET": "/n"})
    assert {name for name in found if not name.startswith("SUPERVISOR_")} == {"PATH", "LC_ALL", "A", "NOTIFY_SOCKET"}
    assert found["SUPERVISOR_PROCESS_NAME"] == "web"


def test_an_empty_list_lets_nothing_pass_but_ours() -> None:
    assert {name.partition("_")[0] for name in env(env_allow=())} == {"SUPERVISOR"}


def test_own_environment_comes_along_even_with_an_inherited_value() -> None:
    assert env({"TOKEN": "t"}, env_allow=())["TOKEN"] == "t"


def test_files_between_inherited_and_own(tmp_path: Path) -> None:
    for name, text in {"a": "LANG=a\nX=a\nY=a\nSUPERVISOR_ENABLED=0", "b": "Y=b"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "b").write_text("Y=b\nSUPERVISOR_SERVER_URL=elsewhere")
    found = env({"X": "own"}, env_file=(f"{tmp_path}/a", f"{tmp_path}/b"))
    assert found["SUPERVISOR_SERVER_URL"] == "unix://x"
    assert {name: found[name] for name in ("LANG", "X", "Y", "SUPERVISOR_ENABLED")} == {
        "LANG": "a", "X": "own", "Y": "b", "SUPERVISOR_ENABLED": "1",
    }  # fmt: skip


def test_a_secret_wins_and_loses_one_line_end(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("hunter2\n\n")
    assert env({"PW": "own"}, secrets=(("PW", f"{tmp_path}/s"),))["PW"] == "hunter2\n"


def test_a_missing_file_is_an_error_unless_it_may_be_missing() -> None:
    assert "/nowhere/x: No such file" in str(failure(env_file=("/nowhere/x",)))
    assert "/nowhere/x: No such file" in str(failure(secrets=(("PW", "/nowhere/x"),)))
    assert "PW" not in env(env_file=("-/nowhere/x",), secrets=(("PW", "-/nowhere/x"),))


def test_a_file_that_is_none_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "no regular file" in str(failure(env_file=(f"{tmp_path}/fifo",)))
    assert "no regular file" in str(failure(env_file=("/dev/zero",)))
    assert "no regular file" in str(failure(env_file=(str(tmp_path),)))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"x" * 2_000_000)
    assert "larger than" in str(failure(secrets=(("PW", f"{tmp_path}/huge"),)))


def test_errors_never_hold_values(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("A=1\nhunter2\n")
    (tmp_path / "nul").write_bytes(b"hunter2\0")
    said = [str(failure(env_file=(f"{tmp_path}/bad",))), str(failure(secrets=(("PW", f"{tmp_path}/nul"),)))]
    assert "bad: line 2" in said[0]
    assert "hunter2" not in "".join(said)


def test_bytes_that_are_no_text_arrive_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"\xff\xfe")
    assert os.fsencode(env(secrets=(("PW", f"{tmp_path}/s"),))["PW"]) == b"\xff\xfe"
    assert contents(f"{tmp_path}/s", 2) == "\udcff\udcfe"


def test_home_only_when_asked_and_below_own() -> None:
    assert "HOME" not in env(user="nobody")
    found = env({"USER": "me"}, user="daemon", set_home=True)
    assert (found["HOME"], found["USER"], found["LOGNAME"]) == ("/usr/sbin", "me", "daemon")


def test_a_number_without_an_entry_has_a_home() -> None:
    assert home("4242424") == {"HOME": "/", "USER": "4242424", "LOGNAME": "4242424", "SHELL": "/bin/sh"}


@given(st.text("abA_"), st.text("abA_*?"))
def test_patterns_mean_what_they_mean_in_a_shell(name: str, pattern: str) -> None:
    assert matches(name, pattern) == fnmatch.fnmatchcase(name, pattern)
