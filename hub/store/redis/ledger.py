"""Agents and facts in Redis.

Keys, all in the slot of `{pidone}`: `agents` id -> row; `boots` agent NUL boot -> how far that boot's facts are kept,
`boots:at` the same by time; the series `facts` with indexes `facts:of:AGENT`, `facts:exits`, `facts:exits:of:AGENT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgpack

from hub.store.base import HUB_BOOT, Store
from hub.store.errors import BadRow, Damaged
from hub.store.packing import fact_fields, fact_number, pack, row_fields, unpack, unpack_body
from hub.store.redis.books import Books, Page, field, key
from hub.store.redis.link import Link
from hub.store.redis.series import Series
from hub.store.rows import AgentRow, FactRow
from wire.model import Exit, Fact, FactKind, StateChange

__all__ = ["CURE", "Ledger"]

CURE = "nothing was changed: restore Redis from a backup, or remove the key and what belongs to it"

AGENTS, BOOTS, BOOTS_AT = key("agents"), key("boots"), key("boots", "at")

MOST_GAPS = 1000
"""Gaps in one boot's numbers: an agent replays in order, so one that has more is broken or hostile."""

PRUNE_ROWS = 1000
"""Rows that one slice of upkeep forgets at most."""


class Standing:
    """Which facts of one boot are kept: all up to `durable`, and ranges beyond it."""

    def __init__(self, data: bytes | None) -> None:
        found: Any = msgpack.unpackb(data) if data else (0, 0.0, [])
        self.durable: int = found[0]
        self.touched: float = found[1]
        self.ranges: list[list[int]] = found[2]

    def take(self, seq: int) -> bool:
        """Note a fact; False if it is kept already."""
        if seq <= self.durable or any(first <= seq <= last for first, last in self.ranges):
            return False
        self.ranges = _joined(sorted([*self.ranges, [seq, seq]]))
        self.skip(self.durable)
        if len(self.ranges) > MOST_GAPS:
            raise BadRow(f"the numbers of these facts have more than {MOST_GAPS} gaps")
        return True

    def skip(self, durable: int) -> None:
        """The durable number is this or more."""
        self.durable = max(self.durable, durable)
        while self.ranges and self.ranges[0][0] <= self.durable + 1:
            self.durable = max(self.durable, self.ranges.pop(0)[1])

    def packed(self) -> bytes:
        """As it is stored."""
        return bytes(msgpack.packb([self.durable, self.touched, self.ranges]))


class Ledger(Store):
    """The part of the store about agents and facts (abstract)."""

    _link: Link
    _books: Books
    _facts: Series

    def batch(self) -> AbstractContextManager[None]:
        return self._books.batch()

    # -- facts -------------------------------------------------------------------------------------------------------

    def append_facts(self, agent: str, boot: str, facts: Sequence[Fact], offset: float = 0.0) -> int:
        with self._books.write() as page:
            standing = Standing(page.get(BOOTS, boot_field(agent, boot)))
            for fact in facts:
                if standing.take(fact_number(fact.seq)):
                    self._keep(page, fact_fields(agent, boot, fact, offset))
            return _stand(page, agent, boot, standing, max((fact.at + offset for fact in facts), default=0.0))

    def restore_facts(self, agent: str, boot: str, rows: Sequence[FactRow]) -> int:
        with self._books.write() as page:
            standing = Standing(page.get(BOOTS, boot_field(agent, boot)))
            for row in rows:
                if standing.take(fact_number(row.seq)):
                    self._keep(page, row_fields(row))
            return _stand(page, agent, boot, standing, max((row.at for row in rows), default=0.0))

    def skip_facts(self, agent: str, boot: str, first: int) -> int:
        with self._books.write() as page:
            standing = Standing(page.get(BOOTS, boot_field(agent, boot)))
            standing.skip(fact_number(first) - 1)
            return _stand(page, agent, boot, standing, 0.0)

    def record_fact(self, agent: str, at: float, kind: FactKind, body: StateChange | Exit | dict[str, object]) -> int:
        with self._books.write() as page:
            standing = Standing(page.get(BOOTS, boot_field(agent, HUB_BOOT)))
            standing.skip(standing.durable + 1)
            self._keep(page, fact_fields(agent, HUB_BOOT, Fact(standing.durable, at, 0.0, kind, body), 0.0))
            return _stand(page, agent, HUB_BOOT, standing, at)

    def _keep(self, page: Page, fields: tuple[Any, ...]) -> None:
        """Keep a fact, as hub.store.packing.fact_fields gives it."""
        agent, at, kind = fields[0], fields[3], fields[6]
        index = self._facts.index
        indexes = [index("of", agent)]
        if kind == FactKind.EXIT:
            indexes += [index("exits"), index("exits", "of", agent)]
        self._facts.append(page, at, pack(list(fields)), indexes)

    def durable(self, agent: str, boot: str) -> int:
        return self.durables(((agent, boot),))[0]

    def durables(self, boots: Sequence[tuple[str, str]]) -> tuple[int, ...]:
        names = [boot_field(agent, boot) for agent, boot in boots]
        found = self._link.call("HMGET", BOOTS, *names) if names else ()
        return tuple(int(Standing(data).durable) for data in found)

    def facts(
        self, after: int | None = None, agent: str | None = None, since: float | None = None, limit: int = 100
    ) -> tuple[FactRow, ...]:
        return self._found(("of", agent) if agent is not None else (), after, since, limit, None)

    def exits(
        self,
        after: int | None = None,
        agent: str | None = None,
        program: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> tuple[FactRow, ...]:
        index = ("exits", "of", agent) if agent is not None else ("exits",)
        return self._found(index, after, since, limit, program)

    def _found(
        self, index: tuple[str, ...], after: int | None, since: float | None, limit: int, program: str | None
    ) -> tuple[FactRow, ...]:
        def wanted(name: bytes, data: bytes) -> FactRow | None:
            row = self._unpacked(data)
            if (since is not None and row[3] < since) or (program is not None and program not in row[7:9]):
                return None
            kind = FactKind(row[6])
            return FactRow._make((int(name), *row[:6], kind, unpack_body(kind, row[9])))

        try:
            return tuple(self._facts.find(self._facts.index(*index), after, since, limit, wanted))
        except ValueError as error:
            if isinstance(error, BadRow):
                raise
            raise Damaged(self._facts.rows, f"holds an unreadable fact ({error})", CURE) from None

    def _unpacked(self, data: bytes) -> list[Any]:
        found: list[Any] = msgpack.unpackb(data)
        return found

    # -- agents ------------------------------------------------------------------------------------------------------

    def put_agent(self, row: AgentRow) -> None:
        with self._books.write() as page:
            page.put(AGENTS, field(row.agent), pack(row))

    def drop_agent(self, agent: str) -> bool:
        return self._dropped(AGENTS, agent)

    def agents(self, ids: Sequence[str] | None = None) -> tuple[AgentRow, ...]:
        if ids is None:
            return tuple(sorted(self._all(AGENTS, AgentRow), key=lambda row: row.agent))
        names = [field(agent) for agent in sorted(set(ids))]
        found = self._link.call("HMGET", AGENTS, *names) if names else []
        return tuple(self._row(AGENTS, AgentRow, data) for data in found if data is not None)

    # -- for all tables ----------------------------------------------------------------------------------------------

    def _dropped(self, table: str, name: str) -> bool:
        with self._books.write() as page:
            there = page.get(table, field(name)) is not None
            if there:
                page.put(table, field(name), None)
            return there

    def _all(self, table: str, kind: type[Any], holding: str = "") -> list[Any]:
        """The rows, without most of those that do not hold this text: looking for it costs far less than unpacking."""
        sought = holding.encode()
        return [self._row(table, kind, data) for data in self._link.call("HVALS", table) if sought in data]

    def _row(self, table: str, kind: type[Any], data: bytes | None) -> Any:
        try:
            return None if data is None else unpack(kind, data)
        except ValueError as error:
            raise Damaged(table, f"holds an unreadable {kind.__name__} ({error})", CURE) from None

    # -- upkeep ------------------------------------------------------------------------------------------------------

    def _prune_facts(self, before: float) -> bool:
        """Forget a slice of what is older; True if there may be more."""
        names = self._facts.old(before, PRUNE_ROWS)
        boots = self._link.call("ZRANGEBYSCORE", BOOTS_AT, "(0", f"({before!r}", "LIMIT", 0, PRUNE_ROWS)
        if names:
            rows = [self._unpacked(data) for data in self._link.call("HMGET", self._facts.rows, *names) if data]
            with self._books.write() as page:
                self._facts.drop(page, names, before)
                index = self._facts.index
                for agent in {str(row[0]) for row in rows}:
                    page.change("ZREM", index("of", agent), *names)
                    page.change("ZREM", index("exits", "of", agent), *names)
                page.change("ZREM", index("exits"), *names)
        if boots:
            with self._books.write() as page:
                page.change("HDEL", BOOTS, *boots)
                page.change("ZREM", BOOTS_AT, *boots)
        return len(names) == PRUNE_ROWS or len(boots) == PRUNE_ROWS


def boot_field(agent: str, boot: str) -> bytes:
    """The name of one boot's field."""
    return field(agent) + b"\0" + field(boot)


def _stand(page: Page, agent: str, boot: str, standing: Standing, touched: float) -> int:
    standing.touched = max(standing.touched, touched)
    page.put(BOOTS, boot_field(agent, boot), standing.packed())
    page.change("ZADD", BOOTS_AT, standing.touched, boot_field(agent, boot))
    return int(standing.durable)


def _joined(ranges: list[list[int]]) -> list[list[int]]:
    """Neighbouring ranges as one."""
    found = ranges[:1]
    for first, last in ranges[1:]:
        if first == found[-1][1] + 1:
            found[-1] = [found[-1][0], last]
        else:
            found.append([first, last])
    return found
