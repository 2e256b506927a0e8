"""What a Redis must promise before facts are entrusted to it; looked at once, when the store is opened.

Theory.  "Durable" means that a row survives a crash of the machine.  For a Redis that is: an append-only file, written
to the disk before the reply (`appendfsync always`), or copies on replicas (`redis_replicas`, by WAIT), or both.  With
`appendfsync everysec` a crash of the machine takes the last second; whoever accepts that says so with
`redis_sync = everysec`: the agents then send their facts again, the last second of audit and commands is lost.  A
server that keeps nothing on a disk, or that throws keys away when its memory is full, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from hub.store.errors import StoreError
from hub.store.redis.link import Link, one_of

__all__ = ["check_terms"]

STRENGTH = {"none": 0, "no": 0, "everysec": 1, "always": 2}
LEAST_VERSION = 7


def check_terms(link: Link) -> tuple[str, ...]:
    """Lines a person should see; raises StoreError with the cure where a server cannot be trusted with facts."""
    notes: list[str] = []
    for name, ask in link.servers().items():
        try:
            notes += _check(name, ask, link.access.sync)
        except (RedisError, OSError) as error:
            raise StoreError(f"{name}: {' '.join(str(error).split())[:200]}") from None
    return tuple(notes)


def _check(name: str, ask: Callable[..., Any], sync: str) -> list[str]:
    info = one_of(ask("INFO"))
    if int(str(info.get("redis_version", "0")).split(".")[0]) < LEAST_VERSION:
        raise StoreError(f"{name}: version {info.get('redis_version')} is too old, {LEAST_VERSION} or newer is needed")
    if int(info.get("maxmemory", 0)) and info.get("maxmemory_policy") != "noeviction":
        raise StoreError(
            f"{name} throws keys away when it is full (maxmemory-policy {info.get('maxmemory_policy')}), facts too; "
            "set maxmemory-policy noeviction"
        )
    if sync == "none":
        return [f"{name}: redis_sync = none: a restart of that server may lose facts, audit, tokens and keys"]
    if not int(info.get("aof_enabled", 0)):
        raise StoreError(
            f"{name} keeps no append-only file and would lose facts at a restart; set appendonly yes and "
            f"appendfsync {sync} there (or redis_sync = none here)"
        )
    return _fsync(name, ask, sync)


def _fsync(name: str, ask: Callable[..., Any], sync: str) -> list[str]:
    try:
        found = one_of(ask("CONFIG", "GET", "appendfsync"))
    except RedisError:
        return [f"{name}: does not tell its appendfsync (CONFIG GET is refused); it should be {sync}"]
    have = str(found.get("appendfsync", "no"))
    if STRENGTH.get(have, 0) < STRENGTH[sync]:
        raise StoreError(
            f"{name} has appendfsync {have}, so a crash of that machine would lose acknowledged facts; "
            f"set appendfsync {sync} there, or redis_sync = {'none' if have == 'no' else have} here"
        )
    return []
