"""The console's own audit: logins, refusals, changes of accounts and tokens.  Rows are only ever added.

What commands do to the fleet is in the hubs' audit, under the user's name.  Here is what hubs never see.  Rows about
those who proved to be nobody come from anybody, so only so many a minute are written, and the rest is counted in one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from console.auth import limits
from console.auth.store import Store

__all__ = ["Diary", "Row"]


class Row(msgspec.Struct, frozen=True):
    """One row."""

    at: float
    user: str
    address: str
    what: str
    about: str
    outcome: str
    detail: str = ""


class Diary:
    """Rows in a store.  Calls block."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock, self._lock = store, clock, threading.Lock()
        self._minute, self._anonymous = 0, 0

    def tell(self, user: str, address: str, what: str, about: str, outcome: str, detail: str = "") -> None:
        """Adds a row; `user` is "" for nobody."""
        now = self._clock()
        dropped = 0 if user else self._crowd(now)
        if dropped < 0:
            return
        if dropped:
            self._add(Row(now, "", "", "refusals", "", "refused", f"{dropped} more in the minute before"))
        texts = (text[: limits.AUDIT_TEXT_CHARS] for text in (user, address, what, about, outcome, detail))
        self._add(Row(now, *texts))

    def rows(self, before: str, limit: int) -> list[dict[str, Any]]:
        """Rows with their `position`, newest first, before one (or from the newest)."""
        found = self._store.log(before, min(max(limit, 1), limits.AUDIT_ROWS))
        return [{"position": position, **msgspec.json.decode(text)} for position, text in found]

    def _add(self, row: Row) -> None:
        self._store.append(msgspec.json.encode(row), limits.AUDIT_SECONDS)

    def _crowd(self, now: float) -> int:
        """Whether there is room for a row about nobody: -1 = no, else how many were left out in the minute before."""
        with self._lock:
            left_out = 0
            if int(now // 60) != self._minute:
                left_out = max(0, self._anonymous - limits.AUDIT_ANONYMOUS)
                self._minute, self._anonymous = int(now // 60), 0
            self._anonymous += 1
            return left_out if self._anonymous <= limits.AUDIT_ANONYMOUS else -1
