"""From the configuration to an open store on Redis."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from hub.store.errors import StoreError
from hub.store.redis.address import Access, Address
from hub.store.redis.books import Books
from hub.store.redis.formats import go_back
from hub.store.redis.link import Link
from hub.store.redis.members import LEASES
from hub.store.redis.store import RedisStore
from hub.store.rows import Retention

if TYPE_CHECKING:
    from hub.config import Config

__all__ = ["access_of", "downgrade", "open_redis"]

PASSWORD_BYTES = 4096


def open_redis(address: Address, config: Config, retention: Retention) -> RedisStore:
    """The store at this address.  Raises StoreError."""
    return RedisStore(address, access_of(config), config.sample_budget, retention)


def access_of(config: Config) -> Access:
    """How to reach it.  Raises StoreError."""
    return Access(
        config.redis_user,
        _password(config.redis_password_file),
        config.redis_tls_ca,
        config.redis_tls_cert,
        config.redis_tls_key,
        config.redis_sync,
        config.redis_replicas,
    )


def downgrade(address: Address, access: Access, seconds: float) -> str:
    """Go back to this release's format (hub.store.redis.formats), where no hub renews its lease for so many seconds.

    Returns where the newer one's keys lie now.  Raises StoreError; then nothing has changed.
    """
    link = Link(address, access)
    try:
        before = link.call("HGETALL", LEASES)
        time.sleep(seconds if before else 0.0)
        if before and link.call("HGETALL", LEASES) != before:
            raise StoreError(f"{link} is in use by hubs; stop them first")
        return go_back(link, Books(link, secrets.token_hex(6)))
    finally:
        link.close()


def _password(path: str) -> str:
    """The first line of the file."""
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            found = file.read(PASSWORD_BYTES).split("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"redis_password_file {path} cannot be read: {error}") from None
    if not found:
        raise StoreError(f"redis_password_file {path} is empty")
    return found
