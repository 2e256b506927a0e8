"""A store whose audit is a hash chain (hub.trust.chain), above whatever back end keeps the rows.

Theory.  The chain needs one thing of a back end: to append a row only if the newest one is still the one it follows
(`append_audit` with `after`).  Several hubs may then write to one audit; who was overtaken reads the head again.  The
head is remembered; where a batch was lost it is wrong, the back end refuses, and it is read anew.

A command and the row that says who asked for it are one write: what is carried out is in the audit, durably, before it
is carried out, and that costs no second wait for the disk (`claim_audited`, `end_audited`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from hub.store.base import Store
from hub.store.errors import BadRow, StoreError
from hub.store.rows import AuditRow, CommandRow, Tended
from hub.trust import chain
from wire.model import CommandState

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
        self._joined = False
        """A batch is under way."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    # -- commands and their rows -------------------------------------------------------------------------------------

    def foresee(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """As the store's, which does not know of the two methods below."""
        known = {"claim_audited": "claim_command", "end_audited": "update_command"}
        self._store.foresee([(known.get(method, method), args[: -(method in known) or None]) for method, args in calls])

    @contextmanager
    def batch(self) -> Iterator[None]:
        """As the store's."""
        self._joined = True
        try:
            with self._store.batch():
                yield
        except StoreError:
            self._head = None  # what it says may not have been written
            raise
        finally:
            self._joined = False

    def _together(self) -> AbstractContextManager[None]:
        return nullcontext() if self._joined else self.batch()

    def claim_audited(self, row: CommandRow, audit: AuditRow) -> bool:
        """Take the id for this command and keep who asked for it, in one write; False, and neither, if it is taken."""
        with self._together():
            return self._store.claim_command(row) and bool(self.append_audit(audit))

    def end_audited(
        self, id: str, state: CommandState, at: float, result: object, error: str, audit: AuditRow
    ) -> CommandRow | None:
        """Note how a command ended and keep that in the audit, in one write."""
        with self._together():
            row = self._store.update_command(id, state, at, result, error)
            self.append_audit(audit)
            return row

    # -- the chain ---------------------------------------------------------------------------------------------------

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
