"""Basic authentication as supervisord has it: one name and password a server, the password plain or {SHA} of it."""

from __future__ import annotations

from binascii import Error, a2b_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SHA = "{SHA}"
CHALLENGE = 'WWW-Authenticate: Basic realm="default"\r\n'


def credentials(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header, None where it holds none."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = a2b_base64(coded.strip().encode("ascii")).decode()
    except (Error, ValueError):
        return None
    name, colon, password = decoded.partition(":")
    return (name, password) if colon else None


def allows(username: str | None, stored: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request may pass; how long it takes does not tell which part was wrong."""
    if not username:
        return True
    given = credentials(headers.get("authorization", ""))
    name, password = given if given is not None else ("", "")
    from hmac import compare_digest  # only where there are passwords: it brings OpenSSL where that is installed

    named = compare_digest(name.encode(), username.encode())
    known = compare_digest(_like(stored or "", password).encode(), (stored or "").encode())
    return bool(named & known & (given is not None))


def _like(stored: str, password: str) -> str:
    """The password in the form in which the right one is stored."""
    if not stored.startswith(SHA):
        return password
    from hashlib import sha1

    return SHA + sha1(password.encode()).hexdigest()
