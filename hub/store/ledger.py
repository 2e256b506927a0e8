"""What may not be lost, in SQLite: agents, facts, commands, audit, tokens, keys and the epoch.

Theory of the durable number.  An agent numbers the facts of one boot without gaps, so one number a boot says all: every
fact up to it is kept.  It is stored in `boots` and moves in the same transaction as the facts; a fact behind a gap is
kept but does not move it, until the gap is filled or the agent says that it has lost what was in it (`skip_facts`).
Numbers at or below it are replays and ignored, even where retention has since taken the fact itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from sqlite3 import Connection
from typing import Any

from hub.store.base import HUB_BOOT, Store
from hub.store.errors import BadRow, Damaged
from hub.store.packing import fact_fields, fact_number, pack, row_fields, unpack, unpack_body
from hub.store.rows import AgentRow, FactRow, Retention
from hub.store.sqlite import CURE, Database
from hub.trust.chain import cut
from wire.model import Exit, Fact, FactKind, StateChange

__all__ = ["Ledger"]

PRUNE_ROWS = 2000
"""Rows that one slice of upkeep forgets at most: some 20 ms."""

_FACT = "SELECT position, agent, boot, seq, at, agent_at, mono, kind, body FROM facts"


class Ledger(Store):
    """The half of the embedded store that lies in SQLite (abstract: samples are missing)."""

    _database: Database

    def batch(self) -> AbstractContextManager[None]:
        return self._database.batch()

    # -- facts -------------------------------------------------------------------------------------------------------

    def append_facts(self, agent: str, boot: str, facts: Sequence[Fact], offset: float = 0.0) -> int:
        with self._database.write() as connection:
            durable = _durable(connection, agent, boot)
            fresh = [fact for fact in facts if fact_number(fact.seq) > durable]
            connection.executemany(_INSERT, [fact_fields(agent, boot, fact, offset) for fact in fresh])
            return _advance(connection, agent, boot, durable, max((fact.at + offset for fact in facts), default=0.0))

    def restore_facts(self, agent: str, boot: str, rows: Sequence[FactRow]) -> int:
        with self._database.write() as connection:
            durable = _durable(connection, agent, boot)
            connection.executemany(_INSERT, [row_fields(row) for row in rows])
            return _advance(connection, agent, boot, durable, max((row.at for row in rows), default=0.0))

    def skip_facts(self, agent: str, boot: str, first: int) -> int:
        with self._database.write() as connection:
            durable = max(_durable(connection, agent, boot), fact_number(first) - 1)
            return _advance(connection, agent, boot, durable, 0.0)

    def record_fact(self, agent: str, at: float, kind: FactKind, body: StateChange | Exit | dict[str, object]) -> int:
        with self._database.write() as connection:
            seq = _durable(connection, agent, HUB_BOOT) + 1
            connection.execute(_INSERT, fact_fields(agent, HUB_BOOT, Fact(seq, at, 0.0, kind, body), 0.0))
            return _advance(connection, agent, HUB_BOOT, seq - 1, at)

    def durable(self, agent: str, boot: str) -> int:
        found = self._database.read(_DURABLE, agent, boot)
        return int(found[0][0]) if found else 0

    def facts(
        self, after: int | None = None, agent: str | None = None, since: float | None = None, limit: int = 100
    ) -> tuple[FactRow, ...]:
        return self._facts([("agent = ?", agent), ("at >= ?", since)], after, limit)

    def exits(
        self,
        after: int | None = None,
        agent: str | None = None,
        program: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> tuple[FactRow, ...]:
        only = "kind = 'exit' AND ? IN (name, program)" if program is not None else "kind = ?"
        which = (only, program if program is not None else str(FactKind.EXIT))
        return self._facts([which, ("agent = ?", agent), ("at >= ?", since)], after, limit)

    def _facts(self, where: list[tuple[str, Any]], after: int | None, limit: int) -> tuple[FactRow, ...]:
        return tuple(self._fact(row) for row in select(self._database, _FACT, where, after, limit))

    def _fact(self, row: tuple[Any, ...]) -> FactRow:
        position, agent, boot, seq, at, agent_at, mono, kind, body = row
        try:
            return FactRow(
                position, agent, boot, seq, at, agent_at, mono, FactKind(kind), unpack_body(FactKind(kind), body)
            )
        except ValueError as error:
            raise Damaged(self._database.path, f"holds an unreadable fact ({error})", CURE) from None

    # -- agents ------------------------------------------------------------------------------------------------------

    def put_agent(self, row: AgentRow) -> None:
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO agents VALUES (?, ?)", (row.agent, pack(row)))

    def drop_agent(self, agent: str) -> bool:
        with self._database.write() as connection:
            return connection.execute("DELETE FROM agents WHERE agent = ?", (agent,)).rowcount > 0

    def agents(self, ids: Sequence[str] | None = None) -> tuple[AgentRow, ...]:
        if ids is None:
            return rows(self._database, AgentRow, "SELECT body FROM agents ORDER BY agent")
        one = "SELECT body FROM agents WHERE agent = ?"
        return tuple(row for agent in sorted(set(ids)) for row in rows(self._database, AgentRow, one, agent))

    # -- upkeep ------------------------------------------------------------------------------------------------------

    def _prune(self, now: float, retention: Retention) -> bool:
        """Forget a slice of what is older than retention; True if there may be more."""
        oldest = now - retention.facts
        with self._database.write() as connection:
            taken = [
                connection.execute(_prune("facts", "at"), (oldest,)).rowcount,
                connection.execute(_prune("commands", "accepted_at"), (oldest,)).rowcount,
                connection.execute(_PRUNE_AUDIT, (cut(now, retention.audit),)).rowcount,
            ]
            connection.execute("DELETE FROM boots WHERE touched < ? AND touched > 0", (oldest,))
        return max(taken) >= PRUNE_ROWS


_DURABLE = "SELECT durable FROM boots WHERE agent = ? AND boot = ?"

_INSERT = """INSERT INTO facts(agent, boot, seq, at, agent_at, mono, kind, name, program, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(agent, boot, seq) DO NOTHING"""


def _prune(table: str, column: str) -> str:
    return f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {column} < ? LIMIT {PRUNE_ROWS})"


_PRUNE_AUDIT = f"""DELETE FROM audit WHERE position IN (SELECT position FROM audit WHERE position <
    ifnull((SELECT position FROM audit WHERE at >= ? ORDER BY position LIMIT 1), 1 << 62)
    ORDER BY position LIMIT {PRUNE_ROWS})"""
"""Oldest first and without a gap: the rest must stay a chain."""


def select(
    database: Database, sql: str, where: list[tuple[str, Any]], after: int | None, limit: int
) -> list[tuple[Any, ...]]:
    """Rows by position: behind `after`, or the newest `limit`; conditions whose value is None do not count."""
    if limit < 1:
        raise BadRow(f"limit {limit} is below 1")
    wanted = [(term, value) for term, value in [*where, ("position > ?", after)] if value is not None]
    clause = " WHERE " + " AND ".join(term for term, _ in wanted) if wanted else ""
    order = "ASC" if after is not None else "DESC"
    found = database.read(f"{sql}{clause} ORDER BY position {order} LIMIT ?", *(value for _, value in wanted), limit)
    return found if after is not None else found[::-1]


def rows(database: Database, kind: type[Any], sql: str, *args: Any) -> tuple[Any, ...]:
    """Records of one kind from a SELECT of bodies."""
    try:
        return tuple(unpack(kind, body) for (body,) in database.read(sql, *args))
    except ValueError as error:
        raise Damaged(database.path, f"holds an unreadable {kind.__name__} ({error})", CURE) from None


def _durable(connection: Connection, agent: str, boot: str) -> int:
    found = connection.execute(_DURABLE, (agent, boot)).fetchone()
    return int(found[0]) if found else 0


def _advance(connection: Connection, agent: str, boot: str, durable: int, touched: float) -> int:
    """Move the durable number over everything that now follows it without a gap."""
    behind = "SELECT seq FROM facts WHERE agent = ? AND boot = ? AND seq > ? ORDER BY seq"
    for (seq,) in connection.execute(behind, (agent, boot, durable)):
        if seq != durable + 1:
            break
        durable = seq
    connection.execute(
        "INSERT INTO boots VALUES (?, ?, ?, ?) ON CONFLICT(agent, boot) DO UPDATE SET durable = excluded.durable, "
        "touched = max(touched, excluded.touched)",
        (agent, boot, durable, touched),
    )
    return durable
