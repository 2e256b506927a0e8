"""JSON of an engine -> values we dare to keep: every text bounded and printable, every number finite, or nothing.

An engine passes on what images, users and containers wrote: names, labels, states.  Nothing here raises for odd input,
so one hostile container can spoil its own row only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address

from wire.limits import ADDRESSES, ENGINE_LABELS, LABEL_CHARS, LABEL_KEY_CHARS, TEXT_CHARS

CONTAINER_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
ORDER_ID = re.compile(r"[0-9a-f]{12,64}", re.ASCII)
NAN = math.nan
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LARGEST = 2.0**64
_FIRST_YEAR = 86400.0
"""Go's zero time is in year 1; whatever lies before 2 January 1970 means `never`."""


def parsed(data: bytes) -> object:
    """The JSON value in `data`; None where it is none (broken, nested beyond reason)."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value


def mapping(value: object) -> Mapping[str, object]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def within(value: object, *path: str) -> object:
    """The value under nested keys, None where one of them is missing."""
    for key in path:
        value = mapping(value).get(key)
    return value


def text(value: object, limit: int = TEXT_CHARS) -> str:
    """A printable text of at most `limit` characters: what is unprintable becomes `?`; "" for anything but a text."""
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else "?" for char in value[:limit])


def number(value: object) -> float:
    """A finite number from 0 to 2**64, else NaN: an engine's -1 and its absent fields mean unknown or none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LARGEST:
        return NAN
    return float(value)


def whole(value: object) -> int | None:
    """A whole number from 0 to 2**63, else None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if fits else None  # type: ignore[return-value]


def flag(value: object) -> bool | None:
    """A truth value, None for anything else."""
    return value if isinstance(value, bool) else None


def moment(value: object) -> float | None:
    """Seconds since the epoch of an RFC 3339 time with nanoseconds as Go writes it; None for Go's zero time."""
    match = _TIME.fullmatch(value) if isinstance(value, str) and len(value) < 64 else None
    if match is None:
        return None
    stamp, fraction, zone = match.groups()
    try:
        seconds = datetime.fromisoformat(stamp + zone).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds + float(f"0.{fraction or 0}") if seconds > _FIRST_YEAR else None


def labels(value: object, limit: int = ENGINE_LABELS) -> dict[str, str]:
    """The well-formed labels, at most `limit` by key: one that is too long or unprintable is left out, not mended."""
    kept = ((k, v) for k, v in mapping(value).items() if _fit(k, LABEL_KEY_CHARS) and _fit(v, LABEL_CHARS))
    return dict(sorted((k, v) for k, v in kept if isinstance(v, str))[:limit])


def _fit(value: object, limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit and value.isprintable()


def addresses(values: Iterable[object]) -> tuple[str, ...]:
    """The IP addresses among the values, in canonical form."""
    found: list[str] = []
    for value in values:
        if isinstance(value, str) and 0 < len(value) < 64 and len(found) < ADDRESSES:
            try:
                found.append(str(ip_address(value)))
            except ValueError:
                continue
    return tuple(found)
