"""The audit's hash chain: each row carries the digest of the row before, so that no row can be changed or taken out.

Theory.  A row's digest is SHA-256 over the canonical msgpack of [previous digest, fields]; `previous` of the next is
this digest.  The chain begins with a *root*: a row of random text.  Whoever changes, inserts or deletes a row has to
write all later rows anew, and then the head (the last digest), which `hubctl audit verify` prints, is another one: note
it now and then outside of the hub.  Rows that retention takes leave from the old end only, and before they go an
*anchor* row names the digest of the newest that may: a chain whose beginning is missing without an anchor is broken.
Positions are not part of the digest, so that rows may move to another store.
"""

from __future__ import annotations

import hashlib

import msgpack

from hub.store.rows import AuditRow
from wire._record import Record

ROOT = "audit begins"
"""Action of the first row."""
ANCHOR = "audit anchor"
"""Action of a row whose detail is the digest of the newest row that retention may take."""
ACTOR = "hub"
CUT_SECONDS = 3600.0
"""Rows leave by whole hours: one anchor an hour at most."""
_FIELDS = ("at", "actor", "action", "target", "outcome", "detail", "command", "peer")


def digest_of(row: AuditRow) -> str:
    """SHA-256 of the row and of what it follows, hex; raises ValueError for what msgpack cannot hold."""
    values = [row.previous, float(row.at), *(getattr(row, name) for name in _FIELDS[1:])]
    return hashlib.sha256(msgpack.packb(values, use_bin_type=True)).hexdigest()


def linked(row: AuditRow, previous: str) -> AuditRow:
    """The row as it follows the one with this digest."""
    row = row._replace(previous=previous, digest="")
    return row._replace(digest=digest_of(row))


def root(at: float, text: str) -> AuditRow:
    """The first row; `text` is random."""
    return linked(AuditRow(at, ACTOR, ROOT, "", "done", text), "")


def anchor(at: float, boundary: str) -> AuditRow:
    """Says that rows up to the one with this digest may be gone; not linked yet."""
    return AuditRow(at, ACTOR, ANCHOR, "", "done", boundary)


def cut(now: float, keep: float) -> float:
    """Rows before this time are taken by retention of `keep` seconds."""
    return (now - keep) // CUT_SECONDS * CUT_SECONDS


class Verdict(Record):
    """What a look at the whole chain found."""

    rows: int
    """Rows of the chain that were checked."""
    unchained: int
    """Older rows without a digest, written before there was a chain."""
    head: str
    """Digest of the newest row."""
    broken: int | None
    """Position of the first row that does not fit; None where all do."""
    reason: str


class Check:
    """Takes the rows in their order, oldest first; `verdict` says what came of it."""

    def __init__(self) -> None:
        self.rows = self.unchained = 0
        self.head = ""
        self.broken: int | None = None
        self.reason = ""
        self._first: AuditRow | None = None
        self._anchored: set[str] = set()
        self._seen: set[str] = set()

    def take(self, row: AuditRow) -> None:
        """The next row."""
        if self.broken is not None:
            return
        if not row.digest and self._first is None:
            self.unchained += 1
            return
        self.reason = self._fault(row)
        if self.reason:
            self.broken = row.position
            return
        self._first = self._first or row
        self.rows, self.head = self.rows + 1, row.digest
        self._seen.add(row.digest[:16])
        if row.action == ANCHOR and row.actor == ACTOR:
            self._anchored.add(row.detail)

    def _fault(self, row: AuditRow) -> str:
        if not row.digest:
            return "it carries no digest, but follows rows that do"
        try:
            fits = digest_of(row) == row.digest
        except (ValueError, TypeError, OverflowError):
            fits = False
        if not fits:
            return "it was changed: its digest is another one"
        if self._first is not None and row.previous != self.head:
            return "a row before it was taken out, put in or moved: it follows another digest"
        if self._first is None and self.unchained and row.action != ROOT:
            return "the chain does not begin with a root"
        return ""

    def verdict(self) -> Verdict:
        """The finding over all rows taken."""
        if self.broken is None and self._first is not None and not self._begins(self._first):
            self.broken = self._first.position
            self.reason = "the rows before it are missing, and no anchor says that retention took them"
        return Verdict(self.rows, self.unchained, self.head, self.broken, self.reason)

    def _begins(self, first: AuditRow) -> bool:
        if first.action == ROOT and first.actor == ACTOR and not first.previous:
            return True
        return first.previous in self._anchored or any(one[:16] in self._seen for one in self._anchored)
