"""Whether the store is away, and the writes that nobody waits for and that are kept meanwhile.

They are kept in order and bounded, of each agent's rows only the last.
"""

from __future__ import annotations

from itertools import count, islice
from typing import Any

from hub.store.base import READS
from hub.store.errors import Unwritable
from wire._record import Record

__all__ = ["IN_MEMORY", "Absence", "Call", "Waiting"]

IN_MEMORY = frozenset({"put_samples", "take_samples", "put_container", "put_roster"})
"""Writes into memory: they need no transaction, and there is nothing to make up for where one failed."""


UNTOUCHED = IN_MEMORY | {"latest"}
"""Methods that may succeed while the store is away."""


class Call(Record):
    """One call of a store's method."""

    method: str
    args: tuple[Any, ...]
    tag: object
    """Who waits for the outcome; None where nobody does."""


class Absence:
    """Since when the store is away: what failed last, reading or writing, must succeed before it counts as back.

    A full disk can still be read; a Redis that is gone can do neither.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self._failing: set[str] = set()

    def note(self, method: str, error: Exception | None, now: float) -> bool:
        """Take one outcome in; True if the store just went away or came back."""
        kind = "read" if method in READS else "write"
        if isinstance(error, Unwritable):
            self._failing.add(kind)
        elif error is None and method not in UNTOUCHED:
            self._failing -= {"read", kind}
        else:
            return False
        changed = bool(self._failing) != (self.since is not None)
        if changed:
            self.since = now if self._failing else None
        return changed


class Waiting:
    """Calls to be made later."""

    def __init__(self, limit: int) -> None:
        self._limit, self._number = limit, count()
        self._calls: dict[object, Call] = {}
        self.dropped = 0
        """Calls for which there was no room since the store went away."""

    def keep(self, call: Call) -> bool:
        """Keep a call; False, and it is counted, where there is no room."""
        key: object = (
            ("put_agent", getattr(call.args[0], "agent", "")) if call.method == "put_agent" else next(self._number)
        )
        self._calls.pop(key, None)
        if len(self._calls) >= self._limit:
            self.dropped += 1
            return False
        self._calls[key] = call
        return True

    def first(self, most: int) -> list[Call]:
        """The oldest."""
        return list(islice(self._calls.values(), most))

    def made(self, number: int) -> None:
        """So many of the oldest are done."""
        for key in list(islice(self._calls, number)):
            del self._calls[key]

    def __len__(self) -> int:
        return len(self._calls)
