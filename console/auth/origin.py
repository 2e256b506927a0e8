"""Where a request comes from, and whether a page of somebody else sent it; pure.

X-Forwarded-For grows from the left, and what is left may be invented, so the sender is the rightmost address that is
not a proxy of ours (MDN, "X-Forwarded-For", "Selecting an IP address").  A browser sends Sec-Fetch-Site and, with each
unsafe request, Origin; scripts send neither and have no cookie either (OWASP, CSRF prevention, "Fetch metadata").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from console.auth import limits

__all__ = ["is_ours", "knows_host", "sender"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def knows_host(host: str, allowed: Sequence[str]) -> bool:
    """Whether this is a name of ours: else a page elsewhere may have had a name point to us (DNS rebinding)."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return False
    return any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in allowed)


def sender(peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """Address of who sent the request: the peer, or what trusted proxies say."""
    networks = [ipaddress.ip_network(text, strict=False) for text in proxies]
    found = peer
    for hop in reversed(forwarded[-limits.FORWARDED_CHARS :].split(",") if forwarded else []):
        if not _inside(found, networks):
            break
        found = hop.strip() or found
    return found if _is_address(found) else peer


def is_ours(headers: Mapping[str, str], host: str) -> bool:
    """Whether an unsafe request with a cookie was sent by a page of ours."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _inside(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks if network.version == found.version)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False
