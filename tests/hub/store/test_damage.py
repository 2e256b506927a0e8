"""Damaged files: one clear message that names the file and the cure, and nothing deleted or changed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from hub.store.embedded import Embedded
from hub.store.errors import Damaged, StoreError
from tests.contract.samples_contract import feed, settle
from tests.support import rows
from tests.support.rows import T0


def filled(path: Path) -> Path:
    """A closed store with facts and three sealed windows; returns its file of facts."""
    store = Embedded(str(path))
    feed(store, T0, 360)
    store.append_facts("a", "b", rows.facts(1, 500))
    settle(store, T0 + 1900)
    store.close(T0 + 1900)
    return path / "facts.sqlite"


def contents(path: Path) -> dict[str, bytes]:
    """Every file below `path` but the lock."""
    return {str(file): file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "lock"}


def flip(path: Path, offset: int, count: int = 1) -> None:
    data = bytearray(path.read_bytes())
    for position in range(offset % len(data), min(offset % len(data) + count, len(data))):
        data[position] ^= 0xFF
    path.write_bytes(data)


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda file: flip(file, 0, 16),
        lambda file: flip(file, 4096, 4096),
        lambda file: cut(file, 5000),
        lambda file: cut(file, 0),
        lambda file: file.write_bytes(os.urandom(20000)),
    ],
    ids=["header", "schema page", "cut", "empty", "garbage"],
)
def test_a_damaged_file_of_facts_stops_the_store(tmp_path: Path, break_it: object) -> None:
    file = filled(tmp_path)
    break_it(file)  # type: ignore[operator]
    before = contents(tmp_path)
    with pytest.raises(Damaged) as caught:
        Embedded(str(tmp_path))
    said = str(caught.value)
    assert str(file) in said and "nothing was changed" in said and "aside" in said and "\n" not in said
    assert before.items() <= contents(tmp_path).items()


def test_the_cure_works(tmp_path: Path) -> None:
    file = filled(tmp_path)
    flip(file, 0, 16)
    file.rename(tmp_path / "aside")
    store = Embedded(str(tmp_path))
    assert store.facts() == () and store.process_history("a", T0, T0 + 1800, program="web").times
    store.close(T0)


def test_another_kind_of_database_is_not_ours(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "facts.sqlite")
    connection.execute("CREATE TABLE other(x)")
    connection.close()
    with pytest.raises(Damaged):
        Embedded(str(tmp_path))


def test_a_newer_format_is_not_touched(tmp_path: Path) -> None:
    file = filled(tmp_path)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer pidone"):
        Embedded(str(tmp_path))


def test_two_hubs_do_not_share_a_directory(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path))
    with pytest.raises(StoreError, match=f"in use by another hub \\(pid {os.getpid()}\\)"):
        Embedded(str(tmp_path))
    store.close(T0)
    Embedded(str(tmp_path)).close(T0)


def raw(path: Path) -> list[Path]:
    return sorted((path / "samples/raw").glob("*.segment"))


@pytest.mark.parametrize("break_it", [lambda f: flip(f, -12), lambda f: cut(f, 900), lambda f: cut(f, 0)])
def test_a_damaged_segment_is_said_at_the_start_and_left_out(tmp_path: Path, break_it: object) -> None:
    filled(tmp_path)
    first = raw(tmp_path)[0]
    break_it(first)  # type: ignore[operator]
    before = contents(tmp_path)
    store = Embedded(str(tmp_path))
    notes = settle(store, T0 + 1900)
    assert [str(first) in note and "move it away" in note for note in notes] == [True]
    assert store.process_history("a", T0, T0 + 1800, program="web").times
    assert settle(store, T0 + 1910) == [], "said once"
    assert store.stats().problems == tuple(notes)
    store.close(T0 + 1900)
    assert before.items() <= contents(tmp_path).items()


def test_a_damaged_block_is_found_when_it_is_read(tmp_path: Path) -> None:
    filled(tmp_path)
    flip(raw(tmp_path)[1], 200)
    store = Embedded(str(tmp_path))
    times = store.process_history("a", T0, T0 + 1800, program="web").times
    assert [len([t for t in times if w <= t < w + 600]) for w in (T0, T0 + 600, T0 + 1200)] == [120, 0, 120]
    assert "checksum" in settle(store, T0 + 1900)[0]
    store.close(T0 + 1900)


@pytest.mark.parametrize("offset", range(16, 4000, 97))
def test_no_flipped_byte_makes_a_wrong_number(tmp_path: Path, offset: int) -> None:
    filled(tmp_path)
    file = raw(tmp_path)[0]
    flip(file, offset % file.stat().st_size)
    store = Embedded(str(tmp_path))
    history = store.process_history("a", T0, T0 + 600, program="web")
    assert set(history.columns["cpu"]) <= {0.5}
    assert len(history.times) in (0, 10, 120)
    store.close(T0 + 1900)


def journal(path: Path) -> Path:
    """A store that stopped with its samples in one journal."""
    store = Embedded(str(path))
    feed(store, T0, 20)
    store.flush(T0 + 60)
    feed(store, T0 + 100, 20)
    store.close(T0 + 200)
    (found,) = (path / "samples/raw").glob("*.journal")
    return found


def test_a_cut_journal_gives_what_is_before_the_cut(tmp_path: Path) -> None:
    file = journal(tmp_path)
    cut(file, file.stat().st_size - 7)
    store = Embedded(str(tmp_path))
    assert len(store.process_history("a", T0, T0 + 600, program="web").times) == 20
    (note,) = settle(store, T0 + 200)
    assert str(file) in note and "cut off" in note and file.with_name(file.name + ".damaged").exists()
    store.close(T0 + 200)
    again = Embedded(str(tmp_path))
    assert len(again.process_history("a", T0, T0 + 600, program="web").times) == 20
    again.close(T0 + 200)


def test_a_journal_whose_segment_is_sealed_counts_once(tmp_path: Path) -> None:
    file = journal(tmp_path)
    kept = file.read_bytes()
    store = Embedded(str(tmp_path))
    settle(store, T0 + 900)
    store.close(T0 + 900)
    file.write_bytes(kept)
    again = Embedded(str(tmp_path))
    assert (len(again.process_history("a", T0, T0 + 600, program="web").times), file.exists()) == (40, False)
    again.close(T0 + 900)
