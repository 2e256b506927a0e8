"""One SQLite file: opened with care, written in transactions whose end means durable.

Theory.  WAL with synchronous=FULL: COMMIT returns after the fsync of the log, so what is committed survives a crash of
the machine.  `batch()` is one transaction; each `write()` inside it is a savepoint, so a bad row undoes itself and
nothing else.  An error of the disk is another matter: SQLite may have rolled back the whole transaction by itself
(lang_transaction.html, "Response To Errors Within A Transaction"), and a savepoint begun after that would commit alone.
Therefore the first such error spoils the batch: every later write in it and its end raise the same error.

The file is made under another name and renamed when complete; so an empty or cut file is damage, never "new".
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from hub.store import releases
from hub.store.errors import BadRow, Damaged, StoreError, Unwritable

__all__ = ["Database", "lock"]

VERSION = 1
"""user_version of the file; raised with each change of SCHEMA that old code could not read, with a step in
hub.store.releases, and with files of the format before in tests/hub/store/formats."""

CURE = (
    "nothing was changed: restore it from a backup, try `sqlite3 FILE .recover`, or move it (with its -wal and -shm "
    "files) aside to start with an empty one"
)

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE agents(agent TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE boots(agent TEXT NOT NULL, boot TEXT NOT NULL, durable INTEGER NOT NULL, touched REAL NOT NULL,
    PRIMARY KEY(agent, boot)) WITHOUT ROWID;
CREATE TABLE facts(position INTEGER PRIMARY KEY AUTOINCREMENT, agent TEXT NOT NULL, boot TEXT NOT NULL,
    seq INTEGER NOT NULL, at REAL NOT NULL, agent_at REAL NOT NULL, mono REAL NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, program TEXT NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX facts_seq ON facts(agent, boot, seq);
CREATE INDEX facts_at ON facts(at);
CREATE INDEX facts_agent ON facts(agent);
CREATE INDEX exits ON facts(agent) WHERE kind = 'exit';
CREATE TABLE commands(id TEXT PRIMARY KEY, accepted_at REAL NOT NULL, body BLOB NOT NULL);
CREATE INDEX commands_at ON commands(accepted_at);
CREATE TABLE audit(position INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE tokens(id TEXT PRIMARY KEY, created_at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE keys(public TEXT PRIMARY KEY, kind TEXT NOT NULL, created_at REAL NOT NULL, body BLOB NOT NULL);
"""

ADDED = (
    "CREATE TABLE IF NOT EXISTS leases(hub TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS seen(agent TEXT PRIMARY KEY, hub TEXT NOT NULL, at REAL NOT NULL"
    ", mark INTEGER NOT NULL, presence TEXT NOT NULL) WITHOUT ROWID",
)
"""Tables that came later, made where a file lacks them: old code never looks at them, so VERSION stays."""

_CORRUPT = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_NOMEM")


def lock(directory: str) -> int:
    """Take the directory for this process; the lock ends with the returned descriptor.  Raises StoreError if taken."""
    path = os.path.join(directory, "lock")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        said = f"{directory} is in use by another hub (pid {owner}); stop it or give this one another state_dir"
        raise StoreError(said) from None
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return fd


class Database:
    """A connection used by one thread; see the module's docstring."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._batch = False
        self._spoiled: StoreError | None = None
        with self._translated():
            if not os.path.exists(path):
                _create(path)
            self._connection = _open(path)

    def close(self) -> None:
        """Checkpoint the log into the file and close it."""
        with self._translated():
            self._connection.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One transaction around the writes inside; raises what spoiled it, and then nothing was written."""
        with self._transaction():
            self._batch = True
            try:
                yield
            finally:
                self._batch = False
                spoiled, self._spoiled = self._spoiled, None
            if spoiled:
                raise spoiled

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write that happens whole or not at all: a savepoint inside another, else a transaction of its own."""
        if self._spoiled:
            raise self._spoiled
        if not self._connection.in_transaction:
            with self._transaction() as connection:
                yield connection
            return
        try:
            with self._translated(), self._savepoint():
                yield self._connection
        except (Unwritable, Damaged) as error:
            self._spoiled = error if self._batch else None
            raise

    def read(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with self._translated():
            return self._connection.execute(sql, args).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT call")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO call")
                self._connection.execute("RELEASE call")
            raise
        self._connection.execute("RELEASE call")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as ours: the file's fault, the disk's, or the row's."""
        try:
            yield
        except (OverflowError, UnicodeError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            raise BadRow(f"a value cannot be stored: {error}") from None
        except sqlite3.DatabaseError as error:
            raise _fault(self.path, error) from None


def _fault(path: str, error: sqlite3.DatabaseError) -> StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(_CORRUPT):
        return Damaged(path, f"is not a sound SQLite file ({error})", CURE)
    if name.startswith(_DISK):
        return Unwritable(f"{path} cannot be written ({error}); agents keep their facts and send them again")
    if isinstance(error, (sqlite3.DataError, sqlite3.IntegrityError)):
        return BadRow(f"a value cannot be stored: {error}")
    return StoreError(f"{path}: {error}")


def _create(path: str) -> None:
    new = path + ".new"
    if os.path.exists(new):
        os.unlink(new)
    connection = sqlite3.connect(new, isolation_level=None)
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
    connection.close()
    os.chmod(new, 0o600)
    os.rename(new, path)
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def _open(path: str) -> sqlite3.Connection:
    if os.path.getsize(path) == 0:
        raise Damaged(path, "is empty, which no store file ever is", CURE)
    releases.take_over(path, _check(path), VERSION)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "journal_size_limit = 67108864"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for table in ADDED:
            connection.execute(table)
        connection.execute("SELECT count(*) FROM meta").fetchall()  # makes the -shm file while there is room
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: str) -> int:
    """Its format, after a look at the whole file through a connection that cannot write: closing another would copy
    the log into it."""
    connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        connection.close()
    if version > VERSION:
        raise releases.newer(path, version, VERSION)
    if found != "ok" or version < 1:
        found = "format 0" if found == "ok" else " ".join(found.replace("*", "").split())
        raise Damaged(path, f"is not a sound store file ({found})", CURE)
    return int(version)
