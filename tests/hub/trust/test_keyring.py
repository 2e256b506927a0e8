"""The hub's keys on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import StartError
from hub.trust import keyring


def load(folder: Path, command: str = "127.0.0.1:7404") -> keyring.Keyring:
    return keyring.load(str(folder / "state"), command, "127.0.0.1:7405")


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    first = load(tmp_path)
    assert load(tmp_path) == first and first.own != first.fleet
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) == 5 and all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_a_moved_port_reaches_the_admins_key_file_and_its_key_stays(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path, "127.0.0.1:9404")
    assert second.admin.command == "127.0.0.1:9404" and second.admin.public == first.admin.public


@pytest.mark.parametrize("name", ["keys/hub.json", "keys/fleet.json", "client/admin.json"])
def test_a_damaged_file_ends_the_start_with_its_name_and_is_left_alone(tmp_path: Path, name: str) -> None:
    load(tmp_path)
    path = tmp_path / "state" / name
    path.write_text("{")
    with pytest.raises(StartError, match=name):
        load(tmp_path)
    assert path.read_text() == "{"


def test_a_state_dir_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StartError, match="state"):
        load(tmp_path)
