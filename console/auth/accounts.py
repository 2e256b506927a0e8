"""The people: who they are, what they may, and the code by which the first of them comes in.

Theory.  An account is one row under its name, changed only by comparing with what was read (`swap`), so that two
consoles never undo each other's changes.  Each change of password, role, scope or state gives it a new *seal*, and a
session is good only while it carries the seal of its account: nothing has to be searched for and ended.
There is always an admin: who would be the last one cannot be taken away.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from console.auth import limits
from console.auth.passwords import Passwords, check_password
from console.auth.records import Account, digest, packed, unpacked
from console.auth.store import Store
from console.errors import Problem
from console.who import ROLES

__all__ = ["Accounts"]

BOOK, CODE = "account", "code"


class Accounts:
    """Accounts in a store.  Calls block."""

    def __init__(self, store: Store, passwords: Passwords, clock: Callable[[], float] = time.time) -> None:
        self._store, self._passwords, self._clock = store, passwords, clock

    def find(self, name: str) -> Account | None:
        """The account of this name."""
        return unpacked(self._store.get(BOOK, name), Account)

    def all(self) -> list[Account]:
        """All of them, by name."""
        return [account for text in self._store.all(BOOK).values() if (account := unpacked(text, Account))]

    def proved(self, name: str, password: str) -> Account | None:
        """The account, if this is its password and it may come in."""
        account = self.find(name)
        kept = account.password if account is not None and not account.disabled else ""
        return account if self._passwords.fits(kept, password[: limits.PASSWORD_CHARS + 1]) else None

    def create(self, name: str, password: str, role: str, scope: Mapping[str, str]) -> Account:
        """A new account; raises Problem."""
        account = Account(
            name=check_name(name), id=secrets.token_hex(8), seal=secrets.token_hex(8), role=check_role(role),
            scope=check_scope(scope), password=self._passwords.hashed(check_password(password, name)), subject="",
            created_at=self._clock(),
        )  # fmt: skip
        if len(self._store.all(BOOK)) >= limits.ACCOUNTS:
            raise Problem(409, "full", f"there are {limits.ACCOUNTS} accounts")
        if not self._store.add(BOOK, name, packed(account)):
            raise Problem(409, "exists", f"there is an account {name} already")
        return account

    def change(self, name: str, **fields: Any) -> Account:
        """Another password, role, scope or state; ends the account's sessions.  Raises Problem."""
        checked = {key: CHECKS[key](value) for key, value in fields.items() if key in CHECKS}
        if "password" in fields:
            checked["password"] = self._passwords.hashed(check_password(fields["password"], name))
        before = self._known(name)
        after = msgspec.structs.replace(before, **checked, seal=secrets.token_hex(8))
        self._keep_an_admin(before, after)
        if not self._store.swap(BOOK, name, packed(before), packed(after)):
            raise Problem(409, "changed", f"somebody else has just changed {name}", "look again")
        return after

    def remove(self, name: str) -> None:
        """Ends an account; raises Problem."""
        self._keep_an_admin(self._known(name), None)
        self._store.drop(BOOK, name)

    def _known(self, name: str) -> Account:
        account = self.find(name)
        if account is None:
            raise Problem(404, "unknown-user", f"there is no account {name[: limits.NAME_CHARS]}")
        return account

    def _keep_an_admin(self, before: Account, after: Account | None) -> None:
        if after is not None and _rules(after):
            return
        if _rules(before) and not any(_rules(one) for one in self.all() if one.name != before.name):
            raise Problem(409, "last-admin", f"{before.name} is the last admin", "make another one first")

    # -- the first one -----------------------------------------------------------------------------------------------

    def new_code(self) -> str:
        """A code for whoever starts the console, by which the first admin comes in; "" where there are accounts."""
        if self._store.all(BOOK):
            return ""
        code = "-".join(secrets.token_hex(2) for _ in range(5))
        self._store.note("setup", CODE, digest(code).encode(), limits.SETUP_SECONDS)
        return code

    @property
    def unset(self) -> bool:
        """Whether nobody has an account yet."""
        return not self._store.all(BOOK)

    def begin(self, code: str, name: str, password: str) -> Account:
        """The first admin; the code is good once.  Raises Problem."""
        check_name(name)
        check_password(password, name)  # first: a slip shall not use up the code
        kept = self._store.noted("setup", CODE) or b""
        if not self.unset or not secrets.compare_digest(kept.decode(), digest(code.strip().lower())):
            raise Problem(
                403, "setup-code", "this is not the code", "consoled prints one when it starts without accounts"
            )
        if self._store.take("setup", CODE) is None:
            raise Problem(409, "setup-code", "the code has just been used")
        return self.create(name, password, "admin", {})


def check_name(name: object) -> str:
    """A name that can be shown, compared and kept; raises Problem."""
    good = isinstance(name, str) and 0 < len(name) <= limits.NAME_CHARS and name.isprintable() and " " not in name
    if not good:
        raise Problem(422, "name", f"a name has 1 to {limits.NAME_CHARS} printable characters and no spaces")
    return str(name)


def check_role(role: object) -> str:
    """One of the roles; raises Problem."""
    if role not in ROLES:
        raise Problem(422, "role", f"a role is one of {', '.join(ROLES)}")
    return str(role)


def check_scope(scope: object) -> dict[str, str]:
    """Labels that a thing must carry; raises Problem."""
    texts = [text for pair in scope.items() for text in pair] if isinstance(scope, Mapping) else [None]
    if len(texts) > 2 * limits.SCOPE_LABELS or not all(
        isinstance(text, str) and len(text) <= limits.LABEL_CHARS and text.isprintable() for text in texts
    ):
        raise Problem(422, "scope", f"a scope is a map of at most {limits.SCOPE_LABELS} labels")
    assert isinstance(scope, Mapping)
    return dict(scope)


CHECKS: dict[str, Callable[[Any], Any]] = {"role": check_role, "scope": check_scope, "disabled": bool}
"""Field -> what makes it fit to be kept."""


def _rules(account: Account) -> bool:
    return account.role == "admin" and not account.scope and not account.disabled
