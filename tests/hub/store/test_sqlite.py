"""The SQLite file: its promises about fsync, transactions within transactions, and whose fault an error is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.embedded import Embedded
from hub.store.errors import BadRow, Damaged, Unwritable
from hub.store.packing import pack, unpack
from hub.store.rows import AgentRow, TokenRow
from hub.store.sqlite import Database
from tests.support import rows


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(str(tmp_path / "x.sqlite"))
    yield found
    found.close()


def epochs(database: Database) -> list[int]:
    return [value for (value,) in database.read("SELECT value FROM meta ORDER BY key")]


def put(database: Database, key: str, value: object) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))


def test_a_commit_is_an_fsync_of_the_log(database: Database) -> None:
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    assert database.read("PRAGMA synchronous") == [(2,)], "2 is FULL"


def test_no_file_is_left_half_made(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite.new").write_bytes(b"left by a crash")
    database = Database(str(tmp_path / "x.sqlite"))
    put(database, "a", 1)
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.sqlite"]


def test_a_write_inside_a_write_is_undone_with_it(database: Database) -> None:
    with pytest.raises(KeyError), database.write():
        put(database, "a", 1)
        raise KeyError
    assert epochs(database) == []


def test_a_write_that_fails_inside_leaves_the_outer_one(database: Database) -> None:
    with database.write():
        put(database, "a", 1)
        with pytest.raises(BadRow):
            put(database, "a", 2)
        put(database, "b", 3)
    assert epochs(database) == [1, 3]


@pytest.mark.parametrize("value", [2**70, object(), "\udc80", None])
def test_values_sqlite_cannot_hold_are_the_rows_fault(database: Database, value: object) -> None:
    with pytest.raises(BadRow):
        put(database, "a", value)
    put(database, "a", 1)


def test_a_read_only_file_is_the_disks_fault(database: Database) -> None:
    with database.write() as connection:
        connection.execute("PRAGMA query_only = 1")
    with pytest.raises(Unwritable):
        put(database, "a", 1)


def test_after_an_error_of_the_disk_nothing_more_of_the_batch_is_written(database: Database) -> None:
    def fail() -> None:
        with database.write():
            raise Unwritable("no space")

    with pytest.raises(Unwritable), database.batch():
        put(database, "a", 1)
        with pytest.raises(Unwritable):
            fail()
        with pytest.raises(Unwritable):
            put(database, "b", 2)
    put(database, "c", 3)
    assert epochs(database) == [3]


def test_an_unreadable_row_names_the_file(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path))
    with store._database.write() as connection:
        connection.execute("INSERT INTO agents VALUES ('a', x'c1')")
    with pytest.raises(Damaged, match=r"facts\.sqlite: holds an unreadable AgentRow"):
        store.agents()
    store.close(0.0)


def test_rows_outlive_added_and_removed_fields() -> None:
    stored = pack(rows.agent()._asdict() | {"gone_field": 1})
    assert unpack(AgentRow, stored) == rows.agent()
    shorter = {key: value for key, value in rows.token()._asdict().items() if key != "labels"}
    assert unpack(TokenRow, pack(shorter)).labels == {}
    with pytest.raises(ValueError):
        unpack(TokenRow, pack({"id": "t"}))
