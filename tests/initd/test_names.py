"""The names of other inits: linked without hurting an installed original, and understood."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from initd.ctl.names import NAMES, launcher, main_install_names
from tests.support.pid1 import INITD


def test_all_names_become_this_initd(tmp_path: Path) -> None:
    assert main_install_names([str(tmp_path)]) == 0
    assert {name: os.path.realpath(tmp_path / name) for name in os.listdir(tmp_path)} == dict.fromkeys(NAMES, INITD)


def test_an_original_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tini").write_text("the real one")
    assert main_install_names([str(tmp_path)]) == 1
    assert os.listdir(tmp_path) == ["tini"]
    assert "tini is there already; --force replaces it" in capsys.readouterr().err


def test_force_replaces_it_and_again_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "tini").write_text("the real one")
    assert main_install_names([str(tmp_path), "tini", "--force"]) == 0
    assert main_install_names([str(tmp_path), "tini"]) == 0
    assert os.listdir(tmp_path) == ["tini"] and os.path.realpath(tmp_path / "tini") == INITD


@pytest.mark.parametrize("argv", [["sysvinit"], ["--frobnicate"], []])
def test_bad_words_are_status_2(tmp_path: Path, argv: list[str]) -> None:
    assert main_install_names([str(tmp_path), *argv] if argv else []) == 2
    assert os.listdir(tmp_path) == []


def test_a_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_install_names([str(tmp_path / "none")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_the_launcher_is_found() -> None:
    assert launcher() == INITD


def test_the_command_itself(tmp_path: Path) -> None:
    done = subprocess.run([INITD, "install-names", tmp_path, "dumb-init"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/dumb-init -> {INITD}\n")
    assert subprocess.run([tmp_path / "dumb-init", "sh", "-c", "exit 7"]).returncode == 7
