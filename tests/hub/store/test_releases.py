"""A store's files across releases: every format there was opens, one can go back, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from hub.ctl.verbs import main
from hub.store import releases, sqlite
from hub.store.embedded import Embedded
from hub.store.errors import StoreError, Unwritable
from tests.support import formats, rows

FORMATS = sorted(formats.HERE.glob("format-*"))


def step(connection: sqlite3.Connection) -> None:
    """What a later release might do: a column that old code does not fill."""
    connection.execute("ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT ''")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    formats.fill(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The release after this one; `update.undo()` is the downgrade."""
    monkeypatch.setattr(sqlite, "VERSION", sqlite.VERSION + 1)
    monkeypatch.setitem(releases.STEPS, sqlite.VERSION - 1, step)
    return monkeypatch


def told(directory: Path) -> tuple[object, ...]:
    """What a store says of itself."""
    found = Embedded(str(directory))
    try:
        facts = found.facts()
        trust = found.tokens(), found.keys(None)
        return facts, trust, found.epoch(), found.audit(), found.commands(), found.agents()
    finally:
        found.close(rows.T0)


def version(file: Path) -> int:
    connection = sqlite3.connect(file)
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return found


def test_the_present_format_is_kept_for_later_releases() -> None:
    assert formats.HERE / f"format-{sqlite.VERSION}" in FORMATS


@pytest.mark.parametrize("kept", FORMATS, ids=lambda path: path.name)
def test_every_format_that_was_opens_with_all_that_is_in_it(kept: Path, tmp_path: Path, store: Path) -> None:
    shutil.copytree(kept, tmp_path / "old")
    assert told(tmp_path / "old") == told(store)


def test_nothing_is_copied_where_the_format_is_the_same(store: Path) -> None:
    told(store)
    assert list(store.glob("*.format-*")) == []


def test_an_update_copies_the_file_first(store: Path, update: pytest.MonkeyPatch) -> None:
    before = sqlite.VERSION - 1
    assert len(told(store)[0]) == 5
    copy = store / f"facts.sqlite.format-{before}"
    assert (version(store / "facts.sqlite"), version(copy)) == (before + 1, before)
    assert copy.stat().st_mode & 0o777 == 0o600


def test_what_only_the_log_held_is_copied_too(store: Path, update: pytest.MonkeyPatch) -> None:
    writer = sqlite3.connect(store / "facts.sqlite")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("UPDATE meta SET value = 77 WHERE key = 'epoch'")
    writer.commit()
    told(store)
    writer.close()
    copy = sqlite3.connect(store / f"facts.sqlite.format-{sqlite.VERSION - 1}")
    assert copy.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone() == (77,)
    copy.close()


def test_a_downgrade_is_told_how_and_finds_all_as_it_was(store: Path, update: pytest.MonkeyPatch) -> None:
    update.undo()
    before = told(store)
    update.setattr(sqlite, "VERSION", sqlite.VERSION + 1)
    update.setitem(releases.STEPS, sqlite.VERSION - 1, step)
    told(store)
    update.undo()
    with pytest.raises(StoreError, match=r"newer pidone.*hubctl store downgrade.*revoked again"):
        Embedded(str(store))
    aside = releases.go_back(str(store / "facts.sqlite"), sqlite.VERSION)
    assert told(store) == before and version(Path(aside)) == sqlite.VERSION + 1


def test_there_is_no_way_back_where_nothing_was_updated(store: Path) -> None:
    with pytest.raises(StoreError, match="nothing to go back from"):
        releases.go_back(str(store / "facts.sqlite"), sqlite.VERSION)


def test_without_a_copy_there_is_no_way_back_and_nothing_changes(store: Path, update: pytest.MonkeyPatch) -> None:
    told(store)
    (store / f"facts.sqlite.format-{sqlite.VERSION - 1}").unlink()
    before = (store / "facts.sqlite").read_bytes()
    with pytest.raises(StoreError, match="is missing"):
        releases.go_back(str(store / "facts.sqlite"), sqlite.VERSION - 1)
    assert (store / "facts.sqlite").read_bytes() == before


def test_hubctl_goes_back(store: Path, update: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told(store)
    update.undo()
    assert main(["store", "downgrade", str(store)]) == 0
    assert "revoke again" in capsys.readouterr().out
    assert len(told(store)[0]) == 5
    assert main(["store", "downgrade", str(store)]) != 0
    assert "nothing to go back from" in capsys.readouterr().err


def test_going_forth_again_finds_what_came_since(store: Path, update: pytest.MonkeyPatch) -> None:
    newer = told(store)
    update.undo()
    aside = Path(releases.go_back(str(store / "facts.sqlite"), sqlite.VERSION))
    update.setattr(sqlite, "VERSION", sqlite.VERSION + 1)
    update.setitem(releases.STEPS, sqlite.VERSION - 1, step)
    shutil.copy(aside, store / "facts.sqlite")
    assert told(store) == newer


def test_a_step_that_fails_changes_nothing(store: Path, update: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        step(connection)
        raise sqlite3.OperationalError("no space")

    update.setitem(releases.STEPS, sqlite.VERSION - 1, fail)
    with pytest.raises(StoreError):
        Embedded(str(store))
    update.setitem(releases.STEPS, sqlite.VERSION - 1, step)
    assert len(told(store)[0]) == 5


def test_without_a_copy_nothing_is_changed(store: Path, update: pytest.MonkeyPatch) -> None:
    (store / f"facts.sqlite.format-{sqlite.VERSION - 1}.new").mkdir()
    with pytest.raises(Unwritable, match="nothing was changed"):
        Embedded(str(store))
    assert version(store / "facts.sqlite") == sqlite.VERSION - 1


def test_a_format_that_no_step_leads_from_is_said(store: Path, update: pytest.MonkeyPatch) -> None:
    update.delitem(releases.STEPS, sqlite.VERSION - 1)
    with pytest.raises(StoreError, match="no step from format"):
        Embedded(str(store))
    assert os.listdir(store).count("facts.sqlite") == 1
