"""The store in Redis, for consoles that share it: any of them may go, and nobody has to log in again.

Theory.  Books are hashes, notes keys with an expiry of Redis' own, the log a stream; each call touches one key, so that
a Cluster serves as well as one server or Sentinels.  Accounts are as safe as that Redis is: give it `appendonly yes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from console.auth.settings import AuthSettings
from console.auth.store import StoreAway, When

__all__ = ["RedisStore", "open_redis"]

PREFIX = "pidone:console:"
"""Before each key: hubs may live in the same Redis."""
ANSWER_SECONDS = 2.0
"""Longest wait for an answer, twice at most: a person waits for it, and Redis on a LAN answers within 1 ms."""
SWAP = (
    "if redis.call('HGET',KEYS[1],ARGV[1])~=ARGV[2] then return 0 end "
    "redis.call('HSET',KEYS[1],ARGV[1],ARGV[3]) return 1"
)
COUNT = "local n=redis.call('INCR',KEYS[1]) redis.call('PEXPIRE',KEYS[1],ARGV[1]) return n"

Found = TypeVar("Found")


class RedisStore:
    """See console.auth.store.Store; a pool of connections, for threads."""

    def __init__(self, client: Any, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client, clock
        self._ask(client.ping)

    def get(self, book: str, key: str) -> bytes | None:
        found: bytes | None = self._ask(self._client.hget, PREFIX + book, key)
        return found

    def add(self, book: str, key: str, value: bytes) -> bool:
        return bool(self._ask(self._client.hsetnx, PREFIX + book, key, value))

    def swap(self, book: str, key: str, old: bytes, new: bytes) -> bool:
        return bool(self._ask(self._client.eval, SWAP, 1, PREFIX + book, key, old, new))

    def drop(self, book: str, key: str) -> bool:
        return bool(self._ask(self._client.hdel, PREFIX + book, key))

    def all(self, book: str) -> dict[str, bytes]:
        found: dict[bytes, bytes] = self._ask(self._client.hgetall, PREFIX + book)
        return {key.decode(): found[key] for key in sorted(found)}

    def note(self, book: str, key: str, value: bytes, seconds: float, when: When = When.ALWAYS) -> bool:
        only = {When.ALWAYS: {}, When.ABSENT: {"nx": True}, When.PRESENT: {"xx": True}}[when]
        return bool(self._ask(self._client.set, _note(book, key), value, px=_milliseconds(seconds), **only))

    def noted(self, book: str, key: str) -> bytes | None:
        found: bytes | None = self._ask(self._client.get, _note(book, key))
        return found

    def take(self, book: str, key: str) -> bytes | None:
        found: bytes | None = self._ask(self._client.getdel, _note(book, key))
        return found

    def count(self, book: str, key: str, seconds: float) -> int:
        return int(self._ask(self._client.eval, COUNT, 1, _note(book, key), _milliseconds(seconds)))

    def forget(self, book: str, key: str) -> None:
        self._ask(self._client.delete, _note(book, key))

    def append(self, row: bytes, keep: float) -> None:
        oldest = int((self._clock() - keep) * 1000)
        self._ask(self._client.xadd, f"{PREFIX}log", {"row": row}, minid=max(0, oldest), approximate=True)

    def log(self, before: str, limit: int) -> list[tuple[str, bytes]]:
        last = f"({before}" if _is_position(before) else "+"
        found = self._ask(self._client.xrevrange, f"{PREFIX}log", last, "-", limit)
        return [(position.decode(), fields[b"row"]) for position, fields in found]

    def close(self) -> None:
        self._client.close()

    def _ask(self, call: Callable[..., Found], *values: Any, **named: Any) -> Found:
        with _translated():
            return call(*values, **named)


def open_redis(settings: AuthSettings) -> RedisStore:
    """The store at this address.  Raises ValueError that says what is wrong with it, StoreAway."""
    scheme, colon, rest = settings.store.partition("://")
    base, _, kind = scheme.partition("+")
    if base not in ("redis", "rediss") or not colon or "@" in rest:
        raise ValueError(
            "must be sqlite:PATH, redis://HOST, redis+sentinel://HOST,.../NAME or redis+cluster://HOST,..."
        )
    options = _options(settings, base == "rediss")
    places, _, last = rest.partition("/")
    hosts = [_host(text, 26379 if kind == "sentinel" else 6379) for text in places.split(",")]
    with _translated():
        return RedisStore(_client(kind, hosts, last, options))


def _client(kind: str, hosts: list[tuple[str, int]], last: str, options: dict[str, Any]) -> Any:
    made: Any = redis  # its constructors are untyped
    if kind == "cluster":
        return made.RedisCluster(startup_nodes=[made.cluster.ClusterNode(*host) for host in hosts], **options)
    if kind == "sentinel":
        own = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
        return made.Sentinel(hosts, sentinel_kwargs=own, **options).master_for(last, retry=_again())
    if kind or len(hosts) > 1:
        raise ValueError("several hosts are a cluster (redis+cluster://) or Sentinels (redis+sentinel://)")
    return redis.Redis(hosts[0][0], hosts[0][1], db=int(last or 0), retry=_again(), **options)


def _again() -> Retry:
    """Once more: a connection that lay idle may have been closed by a firewall, or by Redis' own restart."""
    return Retry(NoBackoff(), 1)


def _options(settings: AuthSettings, tls: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    if settings.redis_password_file:
        with open(settings.redis_password_file, encoding="utf-8") as file:
            found["password"] = file.readline(4096).strip()
        found["username"] = settings.redis_user or None
    if tls:
        found |= {"ssl": True, "ssl_ca_certs": settings.redis_tls_ca or None}
    return found


def _host(text: str, port: int) -> tuple[str, int]:
    name, colon, number = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host = (name if colon else text).strip("[]")
    if not host or (colon and not number.isdecimal()):
        raise ValueError(f"{text[:80]!r} is no HOST or HOST:PORT (IPv6 goes into brackets)")
    return host, int(number or port)


def _note(book: str, key: str) -> str:
    return f"{PREFIX}{book}:{key}"


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _is_position(text: str) -> bool:
    """Whether this is a stream's id as Redis writes it."""
    head, dash, tail = text.partition("-")
    return bool(dash) and len(text) < 40 and head.isdecimal() and tail.isdecimal()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise StoreAway(f"Redis: {error}") from None
