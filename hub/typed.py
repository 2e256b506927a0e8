"""What people type as values of a configuration: text -> value, or a ValueError that says what would be right."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from hub.store.redis.address import Address, read_address
from wire.keys import KeyFault, check_address

_SIZES = {"": 1, "b": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30}
_TIMES = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def text(value: str) -> str:
    """Anything that can be shown."""
    if not value or not value.isprintable():
        raise ValueError("must not be empty or unprintable")
    return value


def maybe(value: str) -> str:
    """The same, or nothing."""
    return value and text(value)


def hosts(value: str) -> tuple[str, ...]:
    """Host names, comma separated; without any, this host's."""
    names = tuple(name.strip() for name in value.split(",") if name.strip()) or (socket.gethostname(),)
    for name in names:
        try:
            check_address(f"{name}:1")
        except KeyFault:
            raise ValueError(f"{name!r} is no host name or address (IPv6 goes into brackets)") from None
    return names


def port(value: str) -> int:
    """A port."""
    port = int(value) if value.isdigit() and len(value) < 6 else 0
    if not 0 < port < 65536:
        raise ValueError("must be a port, 1 to 65535 (below 32768, where no outgoing connection takes it first)")
    return port


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A time within these bounds."""

    def parse(value: str) -> float:
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhd]?)", value)
        seconds = float(found[1]) * _TIMES[found[2]] if found else -1.0
        if not least <= seconds <= most:
            raise ValueError(f"must be a time from {least:g} s to {most:g} s, e.g. 5, 5s, 10m, 24h, 30d")
        return seconds

    return parse


def size(value: str) -> int:
    """Bytes, 1 MiB or more."""
    found = re.fullmatch(r"(\d{1,15})\s*([a-z]*)", value.lower())
    if not found or found[2] not in _SIZES or int(found[1]) * _SIZES[found[2]] < 1 << 20:
        raise ValueError("must be a size of at least 1MB, e.g. 512MB, 1GB")
    return int(found[1]) * _SIZES[found[2]]


def mode(value: str) -> str:
    """Where a container's figures come from."""
    if value not in ("auto", "poll", "stream", "agent"):
        raise ValueError("must be auto, poll, stream or agent")
    return value


def store(value: str) -> Address | None:
    """The store's address; None for the embedded one."""
    return None if value == "embedded" else read_address(value)


def sync(value: str) -> str:
    """Weakest appendfsync of Redis."""
    if value not in ("always", "everysec", "none"):
        raise ValueError("must be always, everysec or none")
    return value


def count(value: str) -> int:
    """A small number."""
    if not re.fullmatch(r"\d{1,2}", value):
        raise ValueError("must be a number, 0 to 99")
    return int(value)


def endpoint(value: str) -> tuple[str, int] | None:
    """`HOST:PORT`, `[ADDRESS]:PORT`, or nothing."""
    if not value:
        return None
    host, _, number = value.rpartition(":")
    try:
        check_address(value)
        return host.strip("[]"), port(number)
    except (KeyFault, ValueError):
        raise ValueError(f"{value!r} is no HOST:PORT, e.g. 127.0.0.1:9464 (IPv6 goes into brackets)") from None
