"""A store whose audit is a hash chain (hub.trust.chain), above whatever back end keeps the rows.

Theory.  The chain needs one thing of a back end: to append a row only if the newest one is still the one it follows
(`append_audit` with `after`).  Several hubs may then write to one audit; who was overtaken reads the head again.  The
head is remembered; where a batch was lost it is wrong, the back end refuses, and it is read anew.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

from hub.store.base import Store
from hub.store.errors import BadRow, StoreError
from hub.store.rows import AuditRow, Tended
from hub.trust import chain

TRIES = 50
"""Other hubs that may be quicker, one after the other, before a row fails."""
PAGE = 1000


def chained(store: Store, keep_audit: float) -> Store:
    """The same store with a chained audit; `keep_audit` is its retention in seconds."""
    return cast(Store, Chained(store, keep_audit))


class Chained:
    """See the module's docstring; everything else is the store's own."""

    def __init__(self, store: Store, keep_audit: float) -> None:
        self._store, self._keep = store, keep_audit
        self._head: str | None = None
        self._named = ""
        """What the last anchor named."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_audit(self, row: AuditRow) -> int:
        """Keep the row as the next of the chain; returns its position."""
        for _ in range(TRIES):
            head = self._head or self._begin(row.at)
            position = self._append(row, head)
            if position:
                return position
        raise StoreError("the audit is written by too many hubs at once")

    def _append(self, row: AuditRow, head: str) -> int:
        try:
            row = chain.linked(row, head)
        except (ValueError, TypeError, OverflowError) as error:
            raise BadRow(f"AuditRow cannot be stored: {error}") from None
        position = self._store.append_audit(row, head)
        self._head = row.digest if position else None
        return position

    def _begin(self, at: float) -> str:
        """The digest of the newest row; where no row has one, the chain begins here."""
        newest = self._store.audit(limit=1)
        if newest and newest[-1].digest:
            return newest[-1].digest
        first = chain.root(at, secrets.token_hex(32))
        return first.digest if self._store.append_audit(first, "") else self._begin(at)

    def tend(self, now: float) -> Tended:
        """Upkeep; an anchor goes before the rows that retention takes."""
        try:
            self._anchor(now)
        except StoreError as error:
            tended = self._store.tend(now)
            return tended._replace(notes=(*tended.notes, f"audit: {error}"))
        return self._store.tend(now)

    def _anchor(self, now: float) -> None:
        boundary = self._boundary(chain.cut(now, self._keep))
        if boundary:
            self.append_audit(chain.anchor(now, boundary))

    def _boundary(self, cut: float) -> str:
        """The digest of the newest row that may go, unless an anchor names it already."""
        boundary, after = "", 0
        while rows := self._store.audit(after=after, limit=PAGE if boundary else 1):
            for row in rows:
                if row.at >= cut:
                    return self._unnamed(boundary)
                boundary, after = row.digest, row.position
        return self._unnamed(boundary)

    def _unnamed(self, boundary: str) -> str:
        named, self._named = self._named, boundary
        return "" if boundary == named else boundary
