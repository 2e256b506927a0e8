"""What is kept about who may enter: accounts, sessions, tokens.  No secret is kept as it is, only its digest."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

__all__ = ["Account", "Session", "Token", "digest", "packed", "unpacked"]


class Account(msgspec.Struct, frozen=True):
    """A person; kept under the name."""

    name: str
    id: str
    """Random and for ever: who gets the name of somebody deleted does not get the tokens."""
    seal: str
    """Random; a new one ends every session of the account."""
    role: str
    scope: dict[str, str]
    password: str
    """Argon2id; empty where an identity provider vouches."""
    subject: str
    """`ISSUER SUBJECT` of the identity provider; empty for those with a password."""
    created_at: float
    """Wall seconds."""
    disabled: bool = False


class Session(msgspec.Struct, frozen=True):
    """A login; kept under the digest of what the cookie holds."""

    user: str
    seal: str
    csrf: str
    made_at: float
    seen_at: float
    address: str


class Token(msgspec.Struct, frozen=True):
    """An API token; kept under its id."""

    id: str
    digest: str
    user: str
    account: str
    """Id of the account; the role and scope that it has count as well."""
    role: str
    scope: dict[str, str]
    created_at: float
    expires_at: float
    note: str = ""


Kept = TypeVar("Kept", bound=msgspec.Struct)


def packed(record: msgspec.Struct) -> bytes:
    """For the store."""
    return msgspec.json.encode(record)


def unpacked(text: bytes | None, kind: type[Kept]) -> Kept | None:
    """From the store; None where there is nothing."""
    return None if text is None else msgspec.json.decode(text, type=kind)


def digest(secret: str) -> str:
    """What is kept of a random secret of 256 bits, which needs no slow hash: SHA-256, hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def shown(account: Account) -> dict[str, Any]:
    """What others may see of an account."""
    return {
        "name": account.name,
        "role": account.role,
        "scope": account.scope,
        "disabled": account.disabled,
        "created_at": account.created_at,
        "by": "oidc" if account.subject else "password",
    }
