"""From a configuration, or from what a person calls a store, to the open store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.config import Config, load
from hub.store.errors import StoreError
from hub.store.redis.address import Access, read_address
from hub.store.rows import Retention

if TYPE_CHECKING:
    from hub.store.embedded import Embedded
    from hub.store.redis.store import RedisStore

__all__ = ["directory_of", "downgrade_redis", "open_place", "open_store"]


def open_store(config: Config) -> Embedded | RedisStore:
    """The store that the configuration describes; raises StoreError."""
    samples = (config.keep_raw, config.keep_1min, config.keep_10min, config.keep_1h)
    retention = Retention(*samples, config.keep_facts, config.keep_audit)
    if config.store is None:
        from hub.store.embedded import Embedded  # with numpy, which hubctl need not wait for

        return Embedded(str(Path(config.state_dir) / "store"), config.sample_budget, retention)
    from hub.store.redis.opening import open_redis  # 17 MiB that a hub without Redis does not pay

    return open_redis(config.store, config, retention)


def open_place(text: str, make: bool = False) -> Embedded | RedisStore:
    """A store by the name of a hubd.ini, a state_dir or store's directory, or an address of Redis.

    A directory without a store is an error unless `make`.  Raises StoreError, ConfigError, ValueError.
    """
    if "://" in text:
        from hub.store.redis.store import RedisStore

        return RedisStore(read_address(text), Access())
    path = Path(text)
    if path.is_file():
        config = load(text)
        _check(Path(config.state_dir) / "store", make or config.store is not None)
        return open_store(config)
    directory = _below(path)
    _check(directory, make)
    from hub.store.embedded import Embedded

    return Embedded(str(directory))


def directory_of(text: str) -> Path | None:
    """Where the embedded store lies that `open_place` would open; None for one on Redis.  Raises StoreError."""
    if "://" in text:
        return None
    path = Path(text)
    if path.is_file():
        config = load(text)
        if config.store is not None:
            return None
    directory = Path(config.state_dir) / "store" if path.is_file() else _below(path)
    _check(directory, False)
    return directory


def downgrade_redis(text: str, seconds: float) -> str:
    """Takes a store on Redis back to this release's format; returns where the newer one's keys lie.

    Raises StoreError.
    """
    from hub.store.redis.opening import access_of, downgrade

    if "://" in text:
        return downgrade(read_address(text), Access(), seconds)
    config = load(text)
    assert config.store is not None
    return downgrade(config.store, access_of(config), seconds)


def _below(path: Path) -> Path:
    return path / "store" if (path / "store").is_dir() or (path / "keys").is_dir() else path


def _check(directory: Path, make: bool) -> None:
    """A mistyped name must not become an empty store."""
    if not make and not (directory / "facts.sqlite").exists():
        raise StoreError(f"{directory}: holds no store; name a hubd.ini, a state_dir, or redis://...")
