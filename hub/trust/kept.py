"""What a hub puts back where its store lost it: tokens, live keys, commands in flight.  Pure.

Theory.  A Redis that fails over, or is restored from an older copy, lacks what it acknowledged last; one that was
emptied lacks everything.  Agents send their facts again.  What nobody can send again the hub still has in memory:
the keys that may come in, the tokens it read or made, the commands it carries out.  When the store may have lost
something it is read, and what is *missing* there is put, never what differs: another hub may know better.  The
exception are revocations of this run: what was revoked here and lives there is revoked again.  Hubs do so each for
itself; a row that two put back is the same row.  All of it goes out in portions, so that the store's queue stays short.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hub.clock import Instant
from hub.fleet import Fleet
from hub.store.rows import CommandRow, KeyRow, TokenRow
from hub.words import Effects, Say, Store, Then
from wire import limits

__all__ = ["FLEET", "PORTION", "Kept"]

PORTION = 500
"""Rows put back at a time; the next portion follows when these are written."""
FLEET = "fleet"
"""Kind and subject of the row that holds the public half of the fleet key."""


class Kept:
    """See the module's docstring; `flying` gives the commands that this hub has in flight."""

    def __init__(self, fleet: Fleet, flying: Callable[[], Iterable[CommandRow]]) -> None:
        self.fleet, self.flying = fleet, flying
        self.tokens: dict[str, TokenRow] = {}
        self.revoked: dict[str, float] = {}
        """Public keys that were revoked here in this run."""
        self._waiting: deque[Store] = deque()
        self._put: Counter[str] = Counter()
        self._learn: dict[str, Callable[..., None]] = {
            "put_token": lambda row: self.know([row]),
            "use_token": self._used,
            "revoke_token": self._token_revoked,
            "revoke_key": self._key_revoked,
        }

    # -- what is known -----------------------------------------------------------------------------------------------

    def know(self, rows: Iterable[TokenRow]) -> None:
        """Tokens as the store has them; what is not among them is not forgotten."""
        for row in rows:
            self.tokens.pop(row.id, None)
            self.tokens[row.id] = row
        _bound(self.tokens)

    def refresh(self, rows: Sequence[TokenRow] | None, error: str, now: Instant) -> Effects:
        """Another hub may have made, used or revoked some."""
        self.know(rows or () if not error else ())
        return []

    def hear(self, effects: Effects) -> Effects:
        """The same effects; those that change tokens or keys are noted once the store has them."""
        if not any(isinstance(one, Store) and one.method in self._learn for one in effects):
            return effects
        return [self._noting(one) if isinstance(one, Store) and one.method in self._learn else one for one in effects]

    def _noting(self, effect: Store) -> Store:
        learn, then = self._learn[effect.method], effect.then
        if then is None:  # it waits for a store that is away, and is made in any case
            learn(*effect.args)
            return effect

        def arrived(value: Any, error: str, now: Instant) -> Effects:
            if not error and value is not False:
                learn(*effect.args)
            return then(value, error, now)

        return effect._replace(then=arrived)

    def _used(self, token: str, at: float) -> None:
        row = self.tokens.get(token)
        if row is not None:
            left = None if row.uses_left is None else row.uses_left - 1
            self.tokens[token] = row._replace(uses=row.uses + 1, uses_left=left, used_at=at)

    def _token_revoked(self, token: str, at: float) -> None:
        if token in self.tokens:
            self.tokens[token] = self.tokens[token]._replace(revoked_at=at)

    def _key_revoked(self, public: str, at: float) -> None:
        self.revoked[public] = at
        _bound(self.revoked)

    # -- what is put back --------------------------------------------------------------------------------------------

    def look(self) -> Effects:
        """The store may have lost something: read what it has."""
        if self._waiting:
            return []
        claims = [Store("claim_command", (row,), self._done("command")) for row in self.flying()]
        return [Store("keys", (), self._keys), Store("tokens", (), self._tokens), *claims[:PORTION]]

    def _keys(self, rows: Sequence[KeyRow], error: str, now: Instant) -> Effects:
        if error:
            return []
        found = {row.public: row for row in rows}
        mine = dict(self.fleet.keys)
        if self.fleet.settings.shared:
            fleet = self.fleet.settings.fleet_key
            if any(row.kind == FLEET and row.public != fleet for row in rows):
                return [Say("store: it belongs to another fleet now; nothing is put back")]
            mine[fleet] = KeyRow(fleet, FLEET, FLEET, now.wall)
        missing = [row for public, row in mine.items() if public not in found and public not in self.revoked]
        again = [p for p in self.revoked if p in found and found[p].revoked_at is None and p not in mine]
        revocations = [Store("revoke_key", (p, self.revoked[p]), self._done("revocation")) for p in again]
        return self._queue([*revocations, *(Store("put_key", (row,), self._done("key")) for row in missing)])

    def _tokens(self, rows: Sequence[TokenRow], error: str, now: Instant) -> Effects:
        if error:
            return []
        found = {row.id: row for row in rows}
        missing = [row for row in self.tokens.values() if row.id not in found]
        lives = {row.id for row in rows if row.revoked_at is None}
        again = [(row.id, row.revoked_at) for row in self.tokens.values() if row.revoked_at and row.id in lives]
        revocations = [Store("revoke_token", call, self._done("revocation")) for call in again]
        return self._queue([*revocations, *(Store("put_token", (row,), self._done("token")) for row in missing)])

    def _queue(self, calls: Iterable[Store]) -> Effects:
        idle = not self._waiting
        self._waiting.extend(calls)
        return self._next() if idle else []

    def _next(self) -> Effects:
        portion = [self._waiting.popleft() for _ in range(min(PORTION, len(self._waiting)))]
        if portion and self._waiting:
            portion[-1] = portion[-1]._replace(then=self._on(portion[-1]))
        return list(portion)

    def _on(self, last: Store) -> Then:
        def arrived(value: Any, error: str, now: Instant) -> Effects:
            told = last.then(value, error, now) if last.then is not None else []
            return [*told, *self._next()]

        return arrived

    def _done(self, what: str) -> Then:
        def arrived(value: Any, error: str, now: Instant) -> Effects:
            self._put[what] += not error and value is not False
            return []

        return arrived

    def tell(self) -> Effects:
        """Says what was put back, once all is."""
        if self._waiting:
            return []
        found, self._put = self._put, Counter()
        words = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in sorted(found.items()) if count]
        return [Say(f"store: it had lost what this hub still knew and put back: {', '.join(words)}")] if words else []


def _bound(known: dict[str, Any]) -> None:
    """Forgets the oldest beyond the bound."""
    while len(known) > limits.KEPT_ROWS:
        del known[next(iter(known))]
