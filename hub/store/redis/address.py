"""Where the Redis is: the address a person writes, read into its parts.  Knows nothing of any client.

    redis://HOST[:PORT][/DATABASE]          one server
    redis+unix:///PATH                      one server, by its socket
    redis+sentinel://HOST:PORT,.../NAME     the primary that these Sentinels call NAME
    redis+cluster://HOST:PORT,...           a cluster; any of its nodes will do to begin with

`rediss` in place of `redis` is the same over TLS.
"""

from __future__ import annotations

import re

from wire._record import Record

__all__ = ["Access", "Address", "read_address"]

PORTS = {"": 6379, "sentinel": 26379, "cluster": 6379}
"""Where each kind listens unless the address says otherwise."""

_FORM = re.compile(r"(redis|rediss)(?:\+(sentinel|cluster|unix))?://(.*)")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Address(Record):
    """One Redis."""

    kind: str
    """`` (one server), `unix`, `sentinel` or `cluster`."""
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    name: str = ""
    """What the Sentinels call the primary; for `unix` the socket's path."""
    database: int = 0


class Access(Record):
    """How a hub gets in, and what it asks of the server before it acknowledges."""

    user: str = ""
    password: str = ""
    ca: str = ""
    """File of the authority that signed the server's certificate; the system's where empty."""
    cert: str = ""
    key: str = ""
    sync: str = "always"
    """The weakest `appendfsync` that will do: always, everysec, or none."""
    replicas: int = 0
    """How many replicas must have a write before it counts."""


def read_address(text: str) -> Address:
    """The parts of an address.  Raises ValueError that says what is wrong."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("must be embedded, or redis://HOST, redis+sentinel://HOST,.../NAME, redis+cluster://HOST,...")
    scheme, kind, rest = found[1], found[2] or "", found[3]
    if "@" in rest:
        raise ValueError("no name or password here, where everybody reads it: use redis_user, redis_password_file")
    if kind == "unix":
        return _socket(scheme, rest)
    places, slash, last = rest.partition("/")
    hosts = tuple(_host(place.strip(), PORTS[kind]) for place in places.split(","))
    if kind == "" and len(hosts) > 1:
        raise ValueError("several hosts are a cluster (redis+cluster://) or Sentinels (redis+sentinel://)")
    if kind == "sentinel" and not _NAME.fullmatch(last):
        raise ValueError("Sentinels need the primary's name behind them: redis+sentinel://HOST:PORT,.../NAME")
    if kind == "cluster" and last:
        raise ValueError("a cluster has no databases and no name: nothing may follow the hosts")
    if kind == "" and slash and not re.fullmatch(r"\d{0,3}", last):
        raise ValueError("behind the / stands the number of a database")
    return Address(kind, scheme == "rediss", hosts, *((last,) if kind == "sentinel" else ("", int(last or 0))))


def _socket(scheme: str, path: str) -> Address:
    if scheme == "rediss" or not path.startswith("/"):
        raise ValueError("a socket is named as redis+unix:///PATH")
    return Address("unix", False, (), path)


def _host(text: str, port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if not found or not 0 < int(found[2] or port) < 65536:
        raise ValueError(f"{text[:80]!r} is no HOST or HOST:PORT (IPv6 goes into brackets)")
    return found[1].strip("[]"), int(found[2] or port)
