"""Records -> plain data that can be sent: maps, tuples, texts, numbers; NaN becomes None, a float array a list."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from math import isfinite
from typing import Any


def plain(value: Any) -> Any:
    """The same value as plain data; what is unknown (NaN, infinite) becomes None, never a made-up number."""
    if isinstance(value, str):  # a word of wire.model, too
        return str(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list, array, frozenset, set)):
        return tuple(plain(item) for item in value)
    return value
