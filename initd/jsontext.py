"""`json` for PID 1: the C half, which does all the work, without the regular expressions around it.

Those are the only reason to load re, enum, functools, collections and operator: a megabyte and 7 ms.  What json.loads
and json.dumps say of a value, `loads` and `dumps` say of it, too; a test holds them against each other.
"""

from __future__ import annotations

import sys
from _json import encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

SPACE = " \t\n\r"


class Malformed(ValueError):
    """A text is no JSON.  The C half raises it, by the name that it has in the standard library."""

    def __init__(self, what: str, text: str, place: int) -> None:
        super().__init__(f"{what} (char {place})")


class _Decoder:
    """Where the C half looks up what it is called for."""

    JSONDecodeError = Malformed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class _Wishes:
    """What the scanner asks of its maker."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_no_constant)
    memo: dict[str, str] = {}


def _no_default(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is no JSON")


_scan = make_scanner(_Wishes())  # type: ignore[arg-type]


def stand_alone() -> None:
    """Have a fault of a text be ours: else the C half imports json for it, late, whole.  Not where json is wanted."""
    if "json" not in sys.modules:
        sys.modules["json.decoder"] = _Decoder  # type: ignore[assignment]


def dumps(value: object) -> str:
    """ASCII, without spaces.  Raises ValueError for numbers that are none and for circles, TypeError."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    encode = make_encoder({}, _no_default, encode_basestring_ascii, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def loads(text: bytes) -> object:
    """The value of a text in UTF-8.  Raises ValueError, RecursionError."""
    line = text.decode("utf-8").strip(SPACE)
    try:
        value, end = _scan(line, 0)
    except StopIteration as stop:
        raise Malformed("expecting value", line, stop.value) from None
    if end != len(line):
        raise Malformed("more than one value", line, end)
    return value
