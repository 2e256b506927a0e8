"""Logins: a random cookie, of which only the digest is kept, and API tokens for programs.

A session ends by itself when nobody used it for `idle_seconds` (the note's own expiry), after `session_seconds`, at a
logout, and with the seal of its account.  A token has the lesser of its own and its account's role, and both scopes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from console.auth import limits
from console.auth.accounts import Accounts, check_role, check_scope
from console.auth.records import Account, Session, Token, digest, packed, unpacked
from console.auth.settings import AuthSettings
from console.auth.store import Store, When
from console.errors import Problem
from console.who import ROLES

__all__ = ["Sessions", "Tokens"]

MARK = "pidone"
"""How a token begins, so that scanners of repositories find one that was left there."""


class Sessions:
    """Sessions in a store.  Calls block."""

    def __init__(
        self, store: Store, accounts: Accounts, settings: AuthSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._accounts, self._settings, self._clock = store, accounts, settings, clock

    def begin(self, account: Account, address: str) -> tuple[str, Session]:
        """A login; what the cookie is to hold, and the session."""
        cookie, now = secrets.token_urlsafe(32), self._clock()
        session = Session(account.name, account.seal, secrets.token_urlsafe(24), now, now, address)
        self._store.note("session", digest(cookie), packed(session), self._left(session, now))
        return cookie, session

    def find(self, cookie: str) -> tuple[Session, Account] | None:
        """The session of a cookie, and whose it is; None where it is over."""
        key, now = digest(cookie), self._clock()
        session = unpacked(self._store.noted("session", key), Session)
        account = self._accounts.find(session.user) if session is not None else None
        if session is None or account is None or account.seal != session.seal or account.disabled:
            return None
        if now >= session.made_at + self._settings.session_seconds:
            return None
        if now >= session.seen_at + limits.SEEN_SECONDS:
            session = msgspec.structs.replace(session, seen_at=now)
            self._store.note("session", key, packed(session), self._left(session, now), When.PRESENT)
        return session, account

    def end(self, cookie: str) -> None:
        """A logout."""
        self._store.forget("session", digest(cookie))

    def _left(self, session: Session, now: float) -> float:
        return max(0.001, min(self._settings.idle_seconds, session.made_at + self._settings.session_seconds - now))


class Tokens:
    """API tokens in a store.  Calls block."""

    def __init__(self, store: Store, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._store, self._accounts, self._clock = store, accounts, clock

    def create(
        self, account: Account, role: str, scope: Mapping[str, str], seconds: float, note: str
    ) -> tuple[str, Token]:
        """A new token, told only now, and its row.  Raises Problem."""
        if not 0 < seconds <= limits.TOKEN_SECONDS:
            raise Problem(422, "seconds", f"a token lives for at most {limits.TOKEN_SECONDS / 86400:.0f} days")
        if sum(one.account == account.id for one in self.all()) >= limits.TOKENS_OF_ACCOUNT:
            raise Problem(409, "full", f"{account.name} has {limits.TOKENS_OF_ACCOUNT} tokens", "revoke some first")
        secret, now = secrets.token_urlsafe(32), self._clock()
        token = Token(
            id=secrets.token_hex(8), digest=digest(secret), user=account.name, account=account.id,
            role=check_role(role), scope=check_scope(scope), created_at=now, expires_at=now + seconds,
            note=note[: limits.NOTE_CHARS],
        )  # fmt: skip
        self._store.add("token", token.id, packed(token))
        return f"{MARK}_{token.id}_{secret}", token

    def all(self) -> list[Token]:
        """All tokens."""
        return [token for text in self._store.all("token").values() if (token := unpacked(text, Token))]

    def revoke(self, token: str) -> bool:
        """Ends one; whether there was such."""
        return self._store.drop("token", token)

    def find(self, text: str) -> tuple[Token, str, dict[str, str]] | None:
        """The token, with the role and the scope that it has now; None where it is none, or is over."""
        mark, _, rest = text.partition("_")
        name, _, secret = rest.partition("_")
        token = unpacked(self._store.get("token", name), Token) if mark == MARK and name else None
        if token is None or not secrets.compare_digest(token.digest, digest(secret)):
            return None
        account = self._accounts.find(token.user)
        if account is None or account.id != token.account or account.disabled or self._clock() >= token.expires_at:
            return None
        if any(account.scope.get(key, value) != value for key, value in token.scope.items()):
            return None
        role = min(token.role, account.role, key=ROLES.index)
        return token, role, {**account.scope, **token.scope}
