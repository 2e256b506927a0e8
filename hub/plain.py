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
    if isinstance(value, array):  # thousands of numbers: a history's column
        if isfinite(sum(value)):
            return tuple(value)
        return tuple([number if number - number == 0 else None for number in value])  # else NaN or infinite
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list, frozenset, set)):
        return tuple(plain(item) for item in value)
    return value
