"""Rows in the order of their keeping: facts and audit, read by position, by time, by index.

ledger keys of a series NAME: `NAME` position -> row, `NAME:all` and further indexes (sorted sets) of positions,
`NAME:at` positions by the time of the row, `NAME:hours` hour of keeping -> its first position.

Theory.  A position is taken under the pen, so it rises in the order in which rows become visible, over all hubs: who
has read up to a position has missed nothing.  `since` asks for the rows' own time, which is not that order, since an
agent may send a fact late.  But no row is kept before it happened; so the search ends at the first position of the
hour before `since` (clocks may differ by as much) and looks at each row's time on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hub.store.errors import BadRow
from hub.store.redis.books import META, Page, key
from hub.store.redis.link import Link

__all__ = ["Series"]

CHUNK = 1000
"""Rows fetched at a time: half a megabyte of facts."""

HOUR = 3600.0


class Series:
    """One series of rows."""

    def __init__(self, name: str, link: Link) -> None:
        self.rows, self.by_time, self._hours = key(name), key(name, "at"), key(name, "hours")
        self._name, self._link = name, link
        self._counter = name.encode()

    def index(self, *parts: str) -> str:
        """The key of an index."""
        return key(self._name, *(parts or ("all",)))

    def append(self, page: Page, at: float, row: bytes, indexes: Sequence[str] = ()) -> int:
        """Add a row; returns its position."""
        position = int(page.get(META, self._counter) or 0) + 1
        name = str(position).encode()
        page.put(META, self._counter, name)
        page.change("HSET", self.rows, name, row)
        page.change("ZADD", self.by_time, at, name)
        page.change("HSETNX", self._hours, str(int(time.time() // HOUR)), name)
        for index in (self.index(), *indexes):
            page.change("ZADD", index, name, name)
        return position

    def find(
        self, index: str, after: int | None, since: float | None, limit: int, wanted: Callable[[bytes, bytes], Any]
    ) -> list[Any]:
        """Rows behind `after`, or the newest, oldest first; `wanted` makes it of name and row, or says None."""
        if limit < 1:
            raise BadRow(f"limit {limit} is below 1")
        floor = max(self._first(since), 0 if after is None else after + 1)
        found: list[Any] = []
        for names in self._chunks(index, floor, after is None, min(limit, CHUNK)):
            rows = self._link.call("HMGET", self.rows, *names)
            made = (wanted(name, data) for name, data in zip(names, rows, strict=True) if data is not None)
            found += [row for row in made if row is not None]
            if len(found) >= limit:
                break
        return found[:limit] if after is not None else found[:limit][::-1]

    def _chunks(self, index: str, floor: int, newest: bool, size: int) -> Iterator[list[bytes]]:
        low, high = str(floor), "+inf"
        while True:
            how = ("ZREVRANGEBYSCORE", index, high, low) if newest else ("ZRANGEBYSCORE", index, low, high)
            names = self._link.call(*how, "LIMIT", 0, size)
            if names:
                yield names
            if len(names) < size:
                return
            low, high = (low, f"({names[-1].decode()}") if newest else (f"({names[-1].decode()}", high)
            size = CHUNK

    def _first(self, since: float | None) -> int:
        """A position before which nothing is of that time or later."""
        if since is None:
            return 0
        hours = self._link.call("HGETALL", self._hours)
        return max((int(first) for hour, first in hours.items() if int(hour) * HOUR <= since - HOUR), default=0)

    def old(self, before: float, most: int) -> list[bytes]:
        """Positions of rows older than that."""
        names: list[bytes] = self._link.call("ZRANGEBYSCORE", self.by_time, "-inf", f"({before!r}", "LIMIT", 0, most)
        return names

    def oldest(self, most: int, goes: Callable[[bytes], bool]) -> list[bytes]:
        """Positions from the beginning on, up to the first row that does not go."""
        names = self._link.call("ZRANGE", self.index(), 0, most - 1)
        rows = self._link.call("HMGET", self.rows, *names) if names else []
        kept = (n for n, data in enumerate(rows) if data is not None and not goes(data))
        return list(names[: next(kept, len(names))])

    def newest(self) -> bytes | None:
        """The last position."""
        found = self._link.call("ZRANGE", self.index(), -1, -1)
        return found[0] if found else None

    def drop(self, page: Page, names: Sequence[bytes], before: float) -> None:
        """Forget rows; the caller takes them out of its own indexes."""
        page.change("HDEL", self.rows, *names)
        page.change("ZREM", self.by_time, *names)
        page.change("ZREM", self.index(), *names)
        hours = self._link.call("HKEYS", self._hours)
        gone = [hour for hour in hours if (int(hour) + 2) * HOUR < before]
        if gone:
            page.change("HDEL", self._hours, *gone)

    def __len__(self) -> int:
        return int(self._link.call("HLEN", self.rows))
