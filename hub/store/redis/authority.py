"""Commands, epochs, audit, tokens and keys in Redis: each decision is made under the pen, so over all hubs only once.

Keys, all in the slot of `{pidone}`: `commands` id -> row and `commands:at` ids by acceptance; `meta` epoch -> number,
audit head -> digest; the series `audit`; `tokens` id -> row; `keys` public key -> row.
"""

from __future__ import annotations

from typing import Any

from hub.store.authority import FINAL, usable
from hub.store.errors import BadRow
from hub.store.packing import pack
from hub.store.redis.books import COMMANDS, EPOCH, HEAD, META, Page, field, key
from hub.store.redis.ledger import PRUNE_ROWS, Ledger
from hub.store.redis.series import Series
from hub.store.rows import AuditRow, CommandRow, KeyRow, TokenRow
from wire.model import CommandState

__all__ = ["Authority"]

COMMANDS_AT, TOKENS, KEYS = key("commands", "at"), key("tokens"), key("keys")


class Authority(Ledger):
    """The part of the store about commands and trust (abstract: samples are missing)."""

    _audit: Series

    # -- commands, epoch, audit --------------------------------------------------------------------------------------

    def claim_command(self, row: CommandRow) -> bool:
        if not row.id:
            raise BadRow("a command needs an id")
        with self._books.write() as page:
            if page.get(COMMANDS, field(row.id)) is not None:
                return False
            page.put(COMMANDS, field(row.id), pack(row))
            page.change("ZADD", COMMANDS_AT, row.accepted_at, field(row.id))
            return True

    def update_command(
        self, id: str, state: CommandState, at: float, result: object = None, error: str = ""
    ) -> CommandRow | None:
        with self._books.write() as page:
            row: CommandRow | None = self._row(COMMANDS, CommandRow, page.get(COMMANDS, field(id)))
            if row is None or row.state in FINAL:
                return row
            row = row._replace(state=CommandState(state), updated_at=at, result=result, error=error)
            page.put(COMMANDS, field(id), pack(row))
            return row

    def command(self, id: str) -> CommandRow | None:
        return self._one(COMMANDS, CommandRow, id)  # type: ignore[no-any-return]

    def commands(self, since: float | None = None, limit: int = 100) -> tuple[CommandRow, ...]:
        low = "-inf" if since is None else repr(since)
        names = self._link.call("ZREVRANGEBYSCORE", COMMANDS_AT, "+inf", low, "LIMIT", 0, limit)
        found = self._link.call("HMGET", COMMANDS, *names) if names else []
        return tuple(self._row(COMMANDS, CommandRow, data) for data in reversed(found) if data is not None)

    def next_epoch(self, above: int = 0) -> int:
        with self._books.write() as page:
            return self._next_epoch(page, above)

    def _next_epoch(self, page: Page, above: int) -> int:
        epoch = max(int(page.get(META, EPOCH) or 0), above) + 1
        page.put(META, EPOCH, str(epoch).encode())
        return epoch

    def epoch(self) -> int:
        return int(self._link.call("HGET", META, EPOCH) or 0)

    def append_audit(self, row: AuditRow, after: str | None = None) -> int:
        with self._books.write() as page:
            if after is not None and after != (page.get(META, HEAD) or b"").decode():
                return 0
            page.put(META, HEAD, field(row.digest))
            return self._audit.append(page, row.at, pack(row))

    def audit(self, after: int | None = None, since: float | None = None, limit: int = 100) -> tuple[AuditRow, ...]:
        def wanted(name: bytes, data: bytes) -> AuditRow | None:
            row: AuditRow = self._row(self._audit.rows, AuditRow, data)
            return row._replace(position=int(name)) if since is None or row.at >= since else None

        return tuple(self._audit.find(self._audit.index(), after, since, limit, wanted))

    # -- trust -------------------------------------------------------------------------------------------------------

    def put_token(self, row: TokenRow) -> None:
        self._put(TOKENS, row.id, row)

    def token(self, id: str) -> TokenRow | None:
        return self._one(TOKENS, TokenRow, id)  # type: ignore[no-any-return]

    def tokens(self) -> tuple[TokenRow, ...]:
        return tuple(sorted(self._all(TOKENS, TokenRow), key=lambda row: (row.created_at, row.id)))

    def use_token(self, id: str, at: float) -> bool:
        with self._books.write() as page:
            row: TokenRow | None = self._row(TOKENS, TokenRow, page.get(TOKENS, field(id)))
            if row is None or not usable(row, at):
                return False
            left = None if row.uses_left is None else row.uses_left - 1
            page.put(TOKENS, field(id), pack(row._replace(uses_left=left, uses=row.uses + 1, used_at=at)))
            return True

    def revoke_token(self, id: str, at: float) -> bool:
        return self._revoked(TOKENS, TokenRow, id, at)

    def put_key(self, row: KeyRow) -> None:
        self._put(KEYS, row.public, row)

    def key(self, public: str) -> KeyRow | None:
        return self._one(KEYS, KeyRow, public)  # type: ignore[no-any-return]

    def keys(self, kind: str | None = None) -> tuple[KeyRow, ...]:
        found = [row for row in self._all(KEYS, KeyRow, kind or "") if kind is None or row.kind == kind]
        return tuple(sorted(found, key=lambda row: (row.created_at, row.public)))

    def revoke_key(self, public: str, at: float) -> bool:
        return self._revoked(KEYS, KeyRow, public, at)

    def drop_key(self, public: str) -> bool:
        return self._dropped(KEYS, public)

    def _one(self, table: str, kind: type[Any], name: str) -> Any:
        return self._row(table, kind, self._link.call("HGET", table, field(name)))

    def _put(self, table: str, name: str, row: object) -> None:
        with self._books.write() as page:
            page.put(table, field(name), pack(row))

    def _revoked(self, table: str, kind: type[Any], name: str, at: float) -> bool:
        with self._books.write() as page:
            row = self._row(table, kind, page.get(table, field(name)))
            if row is None or row.revoked_at is not None:
                return False
            page.put(table, field(name), pack(row._replace(revoked_at=at)))
            return True

    # -- upkeep ------------------------------------------------------------------------------------------------------

    def _prune_authority(self, commands: float, audit: float) -> bool:
        """Forget a slice of what is older; True if there may be more."""
        ids = self._link.call("ZRANGEBYSCORE", COMMANDS_AT, "-inf", f"({commands!r}", "LIMIT", 0, PRUNE_ROWS)
        rows = self._audit.oldest(PRUNE_ROWS, lambda data: self._row(self._audit.rows, AuditRow, data).at < audit)
        if ids or rows:
            with self._books.write() as page:
                if ids:
                    page.change("HDEL", COMMANDS, *ids)
                    page.change("ZREM", COMMANDS_AT, *ids)
                if rows:
                    self._audit.drop(page, rows, audit)
                    if self._audit.newest() in rows:
                        page.put(META, HEAD, None)
        return PRUNE_ROWS in (len(ids), len(rows))
