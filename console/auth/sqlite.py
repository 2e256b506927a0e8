"""The store in one SQLite file, for a console that is alone; the file is its owner's only (0600)."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from console.auth.store import StoreAway, When

__all__ = ["SqliteStore"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS books(book TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY(book, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes(book TEXT, key TEXT, value BLOB NOT NULL, until REAL NOT NULL,
    PRIMARY KEY(book, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notes_until ON notes(until);
CREATE TABLE IF NOT EXISTS log(position INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, row BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS log_at ON log(at);
CREATE TRIGGER IF NOT EXISTS log_is_written_once BEFORE UPDATE ON log
    BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
CREATE TRIGGER IF NOT EXISTS log_is_kept BEFORE DELETE ON log WHEN old.at > unixepoch() - 31536000
    BEGIN SELECT RAISE(ABORT, 'the audit is kept for a year'); END;
"""
"""The triggers hold against a slip of ours or of a person with sqlite3(1); who can write the file can drop them."""

NOTE = "INSERT INTO notes VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, until = excluded.until"
SWEPT = 100
"""Ended notes that one new note removes: more than arrive, and a millisecond at most."""


class SqliteStore:
    """One connection behind a lock: a call takes microseconds, a write waits for the disk."""

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock, self._lock = path, clock, threading.Lock()
        _make(path)
        with self._translated():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            for pragma in ("journal_mode = WAL", "synchronous = FULL"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            self._connection.executescript(SCHEMA)

    def get(self, book: str, key: str) -> bytes | None:
        return self._one("SELECT value FROM books WHERE book = ? AND key = ?", book, key)

    def add(self, book: str, key: str, value: bytes) -> bool:
        return self._changed("INSERT INTO books VALUES(?, ?, ?) ON CONFLICT DO NOTHING", book, key, value)

    def swap(self, book: str, key: str, old: bytes, new: bytes) -> bool:
        text = "UPDATE books SET value = ? WHERE book = ? AND key = ? AND value = ?"
        return self._changed(text, new, book, key, old)

    def drop(self, book: str, key: str) -> bool:
        return self._changed("DELETE FROM books WHERE book = ? AND key = ?", book, key)

    def all(self, book: str) -> dict[str, bytes]:
        with self._used() as connection:
            return dict(connection.execute("SELECT key, value FROM books WHERE book = ? ORDER BY key", (book,)))

    def note(self, book: str, key: str, value: bytes, seconds: float, when: When = When.ALWAYS) -> bool:
        now = self._clock()
        with self._used() as connection:
            self._sweep(connection, now)
            found = self._alive(connection, book, key, now) is not None
            if when is not When.ALWAYS and found is not (when is When.PRESENT):
                return False
            connection.execute(NOTE, (book, key, value, now + seconds))
        return True

    def noted(self, book: str, key: str) -> bytes | None:
        with self._used() as connection:
            return self._alive(connection, book, key, self._clock())

    def take(self, book: str, key: str) -> bytes | None:
        with self._used() as connection:
            found = self._alive(connection, book, key, self._clock())
            connection.execute("DELETE FROM notes WHERE book = ? AND key = ?", (book, key))
        return found

    def count(self, book: str, key: str, seconds: float) -> int:
        now = self._clock()
        with self._used() as connection:
            self._sweep(connection, now)
            found = int(self._alive(connection, book, key, now) or 0) + 1
            connection.execute(NOTE, (book, key, b"%d" % found, now + seconds))
        return found

    def forget(self, book: str, key: str) -> None:
        self.take(book, key)

    def append(self, row: bytes, keep: float) -> None:
        now = self._clock()
        with self._used() as connection:
            connection.execute("INSERT INTO log(at, row) VALUES(?, ?)", (now, row))
            old = "SELECT position FROM log WHERE at < ? ORDER BY at LIMIT ?"
            connection.execute(f"DELETE FROM log WHERE position IN ({old})", (now - keep, SWEPT))

    def log(self, before: str, limit: int) -> list[tuple[str, bytes]]:
        last = int(before) if before.isdecimal() and len(before) < 19 else 1 << 62
        text = "SELECT position, row FROM log WHERE position < ? ORDER BY position DESC LIMIT ?"
        with self._used() as connection:
            return [(str(position), row) for position, row in connection.execute(text, (last, limit))]

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        ended = "SELECT book, key FROM notes WHERE until <= ? LIMIT ?"
        connection.execute(f"DELETE FROM notes WHERE (book, key) IN ({ended})", (now, SWEPT))

    def _alive(self, connection: sqlite3.Connection, book: str, key: str, now: float) -> bytes | None:
        text = "SELECT value FROM notes WHERE book = ? AND key = ? AND until > ?"
        found = connection.execute(text, (book, key, now)).fetchone()
        return found[0] if found else None

    def _one(self, text: str, *values: object) -> bytes | None:
        with self._used() as connection:
            found = connection.execute(text, values).fetchone()
        return found[0] if found else None

    def _changed(self, text: str, *values: object) -> bool:
        with self._used() as connection:
            return connection.execute(text, values).rowcount > 0

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone; what is written inside is written whole or not at all."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreAway(f"{self.path}: {error}") from None


def _make(path: str) -> None:
    """The file with its folder, readable for nobody else from the first moment on; its journals follow its mode."""
    try:
        os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError as error:
        raise StoreAway(f"{path}: {error.strerror}") from None
