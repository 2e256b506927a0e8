"""What an operator decides about who may enter; console.config fills it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["AuthSettings", "OidcRule"]


class OidcRule(NamedTuple):
    """What a value of the identity provider's claim means here; the first rule that fits counts."""

    value: str
    """Group or role as the provider names it; `*` fits everybody who has an account there."""
    role: str
    """One of console.who.ROLES."""
    scope: tuple[tuple[str, str], ...] = ()
    """Labels that things must carry to exist for these people; none = the whole fleet."""


class AuthSettings(NamedTuple):
    """Checked by console.config; nothing here is a secret but what the named files hold."""

    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    """Names this console is asked by, without port; `*.example.org` fits what is below. Any other name is refused."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) whose X-Forwarded-For counts; from anybody else it is ignored."""
    session_seconds: float = 12 * 3600.0
    """Longest life of a login."""
    idle_seconds: float = 2 * 3600.0
    """A login that nobody used for so long is over; an open page uses it."""
    store: str = "sqlite:/var/lib/pidone-console/access.db"
    """sqlite:PATH; or redis://HOST:PORT, redis+sentinel://HOST:PORT,.../NAME, redis+cluster://HOST:PORT,... where
    several consoles share accounts, sessions and audit."""
    redis_user: str = ""
    redis_password_file: str = ""
    redis_tls_ca: str = ""
    oidc_issuer: str = ""
    """https address of an identity provider; empty = none."""
    oidc_client: str = ""
    """Name of this console there."""
    oidc_secret_file: str = ""
    oidc_scopes: str = "openid profile email"
    oidc_name_claim: str = "preferred_username"
    """Claim that becomes the name of the account."""
    oidc_role_claim: str = "groups"
    """Claim that the rules look at: a text or a list of texts."""
    oidc_rules: tuple[OidcRule, ...] = ()
    oidc_ca: str = ""
    """File of the authority of the provider's certificate; the system's where empty."""
    public_url: str = ""
    """How browsers reach the console, with the path where it lies below one: https://ops.example.org/pidone."""
    secure_cookie: bool = True
    """Send the cookie over https only; false only where a console on loopback is tried without TLS."""

    @property
    def path(self) -> str:
        """Where the console lies: "" or `/pidone`."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie.  Browsers take a cookie with these prefixes over https only (RFC 6265bis)."""
        if not self.secure_cookie:
            return "pidone"
        return "__Secure-pidone" if self.path else "__Host-pidone"
