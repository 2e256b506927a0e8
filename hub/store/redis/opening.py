"""From the configuration to an open store on Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.store.errors import StoreError
from hub.store.redis.address import Access, Address
from hub.store.redis.store import RedisStore
from hub.store.rows import Retention

if TYPE_CHECKING:
    from hub.config import Config

__all__ = ["open_redis"]

PASSWORD_BYTES = 4096


def open_redis(address: Address, config: Config, retention: Retention) -> RedisStore:
    """The store at this address.  Raises StoreError."""
    access = Access(
        config.redis_user,
        _password(config.redis_password_file),
        config.redis_tls_ca,
        config.redis_tls_cert,
        config.redis_tls_key,
        config.redis_sync,
        config.redis_replicas,
    )
    return RedisStore(address, access, config.sample_budget, retention)


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
