"""Join tokens: what they are made of, how they are compared, and whether one may be used now.

Theory.  A token is an id and a random 256-bit secret; the hub keeps the SHA-256 of the secret only (a random secret of
that size needs no slow hash).  *Invite* tokens serve one agent (or as many as said) within an hour; *service* tokens
serve every copy of a deployment until they are revoked, within a cap on agents that live at the same time.  A token
also carries the labels that its agents get, and these labels decide scopes.  *Relay* tokens are like
service tokens, but admit relays and no agents, one unless a cap says more: who holds one may speak for an engine.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from enum import StrEnum

from hub.errors import Refusal
from hub.store.rows import TokenRow

INVITE_SECONDS = 3600.0
"""Life of an invite: long enough to try it, too short to be found in a shell history next week."""
LIVE_AGENTS = 1000
"""Default cap on live agents of one service token."""
ID_BYTES = 6
SECRET_BYTES = 32


class TokenKind(StrEnum):
    """What a token is for."""

    INVITE = "invite"
    SERVICE = "service"
    RELAY = "relay"


def create(
    kind: TokenKind,
    labels: Mapping[str, str],
    cap: int,
    by: str,
    at: float,
    seconds: float | None = None,
    uses: int | None = None,
) -> tuple[TokenRow, bytes]:
    """A new token and its secret, which exists only here; `seconds` bounds its life, `uses` its enrolments."""
    secret = secrets.token_bytes(SECRET_BYTES)
    invite = kind is TokenKind.INVITE
    life = INVITE_SECONDS if invite and seconds is None else seconds
    return TokenRow(
        id=secrets.token_hex(ID_BYTES),
        kind=kind,
        digest=digest(secret),
        created_at=at,
        created_by=by,
        expires_at=None if life is None else at + life,
        uses_left=uses or (1 if invite else None),
        labels=dict(labels),
        live_cap=(uses or 1) if invite else cap,
    ), secret


def digest(secret: bytes) -> str:
    """What is stored in place of a secret."""
    return hashlib.sha256(secret).hexdigest()


def prove(token: TokenRow | None, secret: bytes) -> TokenRow:
    """The token if the secret is its own, compared in constant time; raises `Refusal`."""
    known = hmac.compare_digest(token.digest if token else digest(b""), digest(secret))
    if token is None or not known:
        raise Refusal("bad-token", "the join token is not known here", "make a new one: hubctl token create")
    return token


def check(token: TokenRow | None, secret: bytes, live: int, at: float) -> TokenRow:
    """The token if it may enrol one more agent now; raises `Refusal`.

    An unknown id and a wrong secret get the same answer, so that ids cannot be probed.
    """
    token = prove(token, secret)
    if token.revoked_at is not None:
        raise Refusal("token-revoked", f"token {token.id} was revoked", "make a new one: hubctl token create")
    if token.expires_at is not None and at >= token.expires_at:
        raise Refusal("token-expired", f"token {token.id} has expired", "make a new one: hubctl token create")
    if token.uses_left is not None and token.uses_left <= 0:
        raise Refusal(
            "token-used", f"token {token.id} was used already", "an invite serves one agent; --service serves many"
        )
    if token.live_cap is not None and live >= token.live_cap:
        raise Refusal(
            "token-full", f"token {token.id} has {live} live agents, its cap is {token.live_cap}", "raise --cap"
        )
    return token
