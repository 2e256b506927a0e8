"""Reading an embedded store's files without opening the store: beside a running hub, or where there is none any more.

SQLite's readers never hinder its writer, so this is safe at any time; nothing is locked, mended or written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from hub.store.errors import StoreError
from hub.store.packing import unpack
from hub.store.rows import AuditRow, KeyRow, TokenRow

FACTS = "facts.sqlite"
Row = TypeVar("Row")


def audit_rows(directory: Path) -> Iterator[AuditRow]:
    """All audit rows of the store in this directory (or in its `store`), oldest first; raises StoreError."""
    with _reading(directory) as connection:
        for position, body in connection.execute("SELECT position, body FROM audit ORDER BY position"):
            yield unpack(AuditRow, body)._replace(position=position)


def trust_rows(directory: Path) -> tuple[tuple[TokenRow, ...], tuple[KeyRow, ...], int]:
    """All tokens, all keys and the epoch of one moment; raises StoreError."""
    with _reading(directory) as connection:
        connection.execute("BEGIN")
        tokens = _rows(connection, TokenRow, "SELECT body FROM tokens ORDER BY created_at, id")
        keys = _rows(connection, KeyRow, "SELECT body FROM keys ORDER BY created_at, public")
        epoch = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        return tokens, keys, int(epoch[0]) if epoch else 0


def facts_file(directory: Path) -> Path:
    """Where the store's facts lie: `directory` is the store, or the state_dir around it."""
    inside = directory / "store" / FACTS
    return inside if inside.exists() else directory / FACTS


@contextmanager
def _reading(directory: Path) -> Iterator[sqlite3.Connection]:
    path = facts_file(directory)
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"{path}: {error}; is it the directory of an embedded store?") from None


def _rows(connection: sqlite3.Connection, kind: type[Row], sql: str) -> tuple[Row, ...]:
    found: list[Any] = [unpack(kind, body) for (body,) in connection.execute(sql)]
    return tuple(found)
