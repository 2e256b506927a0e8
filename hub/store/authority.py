"""Who may and who did, in SQLite: commands, epochs, audit, tokens and keys.

Every method that decides (claim, use, revoke, next) reads and writes inside one transaction, and all calls come from
one thread, so two claims of one id or two uses of the last use cannot both succeed.
"""

from __future__ import annotations

from hub.store.errors import BadRow
from hub.store.ledger import Ledger, rows, select
from hub.store.packing import pack, unpack
from hub.store.rows import AuditRow, CommandRow, KeyRow, TokenRow
from wire.model import CommandState

__all__ = ["FINAL", "Authority", "usable"]

FINAL = frozenset({CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED})


class Authority(Ledger):
    """The part of the embedded store about commands and trust (abstract: samples are missing)."""

    # -- commands, epoch, audit --------------------------------------------------------------------------------------

    def claim_command(self, row: CommandRow) -> bool:
        if not row.id:
            raise BadRow("a command needs an id")
        with self._database.write() as connection:
            taken = connection.execute(
                "INSERT INTO commands VALUES (?, ?, ?) ON CONFLICT(id) DO NOTHING", (row.id, row.accepted_at, pack(row))
            )
            return taken.rowcount > 0

    def update_command(
        self, id: str, state: CommandState, at: float, result: object = None, error: str = ""
    ) -> CommandRow | None:
        with self._database.write() as connection:
            row = self.command(id)
            if row is None or row.state in FINAL:
                return row
            row = row._replace(state=CommandState(state), updated_at=at, result=result, error=error)
            connection.execute("UPDATE commands SET body = ? WHERE id = ?", (pack(row), id))
            return row

    def command(self, id: str) -> CommandRow | None:
        found = rows(self._database, CommandRow, "SELECT body FROM commands WHERE id = ?", id)
        return found[0] if found else None

    def commands(self, since: float | None = None, limit: int = 100) -> tuple[CommandRow, ...]:
        newest = "SELECT body FROM commands WHERE accepted_at >= ? ORDER BY accepted_at DESC, rowid DESC LIMIT ?"
        return rows(self._database, CommandRow, newest, since if since is not None else float("-inf"), limit)[::-1]

    def next_epoch(self, above: int = 0) -> int:
        with self._database.write() as connection:
            epoch = max(self.epoch(), above) + 1
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (epoch,))
            return epoch

    def epoch(self) -> int:
        found = self._database.read("SELECT value FROM meta WHERE key = 'epoch'")
        return int(found[0][0]) if found else 0

    def append_audit(self, row: AuditRow, after: str | None = None) -> int:
        with self._database.write() as connection:
            newest = self.audit(limit=1) if after is not None else ()
            if after is not None and after != (newest[-1].digest if newest else ""):
                return 0
            done = connection.execute("INSERT INTO audit(at, body) VALUES (?, ?)", (row.at, pack(row)))
            return int(done.lastrowid or 0)

    def audit(self, after: int | None = None, since: float | None = None, limit: int = 100) -> tuple[AuditRow, ...]:
        found = select(self._database, "SELECT position, body FROM audit", [("at >= ?", since)], after, limit)
        return tuple(unpack(AuditRow, body)._replace(position=position) for position, body in found)

    # -- trust -------------------------------------------------------------------------------------------------------

    def put_token(self, row: TokenRow) -> None:
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (row.id, row.created_at, pack(row)))

    def token(self, id: str) -> TokenRow | None:
        found = rows(self._database, TokenRow, "SELECT body FROM tokens WHERE id = ?", id)
        return found[0] if found else None

    def tokens(self) -> tuple[TokenRow, ...]:
        return rows(self._database, TokenRow, "SELECT body FROM tokens ORDER BY created_at, id")

    def use_token(self, id: str, at: float) -> bool:
        with self._database.write():
            row = self.token(id)
            if row is None or not usable(row, at):
                return False
            left = None if row.uses_left is None else row.uses_left - 1
            self.put_token(row._replace(uses_left=left, uses=row.uses + 1, used_at=at))
            return True

    def revoke_token(self, id: str, at: float) -> bool:
        with self._database.write():
            row = self.token(id)
            if row is None or row.revoked_at is not None:
                return False
            self.put_token(row._replace(revoked_at=at))
            return True

    def put_key(self, row: KeyRow) -> None:
        with self._database.write() as connection:
            values = (row.public, row.kind, row.created_at, pack(row))
            connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", values)

    def key(self, public: str) -> KeyRow | None:
        found = rows(self._database, KeyRow, "SELECT body FROM keys WHERE public = ?", public)
        return found[0] if found else None

    def keys(self, kind: str | None = None) -> tuple[KeyRow, ...]:
        sql = "SELECT body FROM keys WHERE ?1 IS NULL OR kind = ?1 ORDER BY created_at, public"
        return rows(self._database, KeyRow, sql, kind)

    def revoke_key(self, public: str, at: float) -> bool:
        with self._database.write():
            row = self.key(public)
            if row is None or row.revoked_at is not None:
                return False
            self.put_key(row._replace(revoked_at=at))
            return True

    def drop_key(self, public: str) -> bool:
        with self._database.write() as connection:
            return connection.execute("DELETE FROM keys WHERE public = ?", (public,)).rowcount > 0


def usable(row: TokenRow, at: float) -> bool:
    """Whether a use of the token at this time succeeds."""
    live = row.revoked_at is None and (row.expires_at is None or at < row.expires_at)
    return live and (row.uses_left is None or row.uses_left > 0)
