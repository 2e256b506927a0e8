"""Shapes: what a value in a message may be, read from and written to plain msgpack data.

Theory.  A shape has `read(plain) -> value` (strict: what a hostile peer sent) and `write(value) -> plain` (as strict:
what our own bug would send).  Both raise `Wrong`, which collects the path to the field while it unwinds, so that the
error says `rows[3].pid: not an integer`.  Every text, list and number is bounded.  `title` goes into docs/protocol.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from wire import limits

__all__ = [
    "MISSING", "Amount", "Binary", "Choice", "Flag", "Ident", "ListOf", "MapOf", "Maybe", "Pattern", "Plain", "Real",
    "Rec", "Shape", "Text", "Whole", "Wrong", "shape_of",
]  # fmt: skip

LARGEST = 2**63 - 1
NUMBERS = frozenset((float, type(None)))
IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Wrong(ValueError):
    """A value does not fit its shape; `path` grows from the innermost field outwards."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path

    def inside(self, step: str) -> Wrong:
        """The same error seen from one level further out."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Wrong(self.reason, f"{step}{joint}{self.path}")

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class Shape:
    """Base of the leaf shapes, whose plain form is the value itself."""

    title = ""

    def read(self, plain: Any) -> Any:
        """The value of what a peer sent; raises Wrong."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """What to send for a value; raises Wrong."""
        return self.read(value)


class Text(Shape):
    """Unicode text of at most `most` characters; may hold anything, so escape it where it is shown."""

    def __init__(self, most: int) -> None:
        self.most, self.title = most, f"text, at most {most} characters"

    def read(self, plain: Any) -> str:
        if not isinstance(plain, str):
            raise Wrong("not a text")
        if len(plain) > self.most:
            raise Wrong(f"longer than {self.most} characters")
        return plain


class Ident(Shape):
    """A name that is safe as a key, a topic and a part of a path: letters, digits, `_`, `.`, `-`."""

    title = "identifier: 1 to 64 of A-Z a-z 0-9 _ . -, the first a letter or digit"

    def read(self, plain: Any) -> str:
        if not isinstance(plain, str) or IDENT.fullmatch(plain) is None:
            raise Wrong("not an identifier")
        return plain


class Pattern(Shape):
    """Text that fits a pattern as a whole."""

    def __init__(self, pattern: str, title: str) -> None:
        self.pattern, self.title = re.compile(pattern, re.ASCII), title

    def read(self, plain: Any) -> str:
        if not isinstance(plain, str) or self.pattern.fullmatch(plain) is None:
            raise Wrong(f"no {self.title}")
        return plain


class Whole(Shape):
    """An integer; never a boolean."""

    def __init__(self, least: int = 0, most: int = LARGEST) -> None:
        self.least, self.most = least, most
        self.title = f"integer, {least} to {'2^63-1' if most == LARGEST else most}"

    def read(self, plain: Any) -> int:
        if type(plain) is not int:
            raise Wrong("not an integer")
        if not self.least <= plain <= self.most:
            raise Wrong(f"outside {self.least}..{self.most}")
        return plain


class Real(Shape):
    """A finite number; integers are accepted and become floats."""

    title = "number, finite"

    def read(self, plain: Any) -> float:
        if type(plain) is not float and type(plain) is not int:
            raise Wrong("not a number")
        if not math.isfinite(plain):
            raise Wrong("not finite")
        return float(plain)


class Amount(Real):
    """A finite number in a range."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most, self.title = least, most, f"number, {least:g} to {most:g}"

    def read(self, plain: Any) -> float:
        number = super().read(plain)
        if not self.least <= number <= self.most:
            raise Wrong(f"outside {self.least:g}..{self.most:g}")
        return number


class Flag(Shape):
    """true or false."""

    title = "boolean"

    def read(self, plain: Any) -> bool:
        if not isinstance(plain, bool):
            raise Wrong("not a boolean")
        return plain


class Binary(Shape):
    """Bytes (msgpack bin)."""

    def __init__(self, most: int) -> None:
        self.most, self.title = most, f"binary, at most {most} bytes"

    def read(self, plain: Any) -> bytes:
        if type(plain) is not bytes:
            raise Wrong("not binary")
        if len(plain) > self.most:
            raise Wrong(f"longer than {self.most} bytes")
        return plain


class Choice(Shape):
    """One word out of an enumeration."""

    def __init__(self, words: type[StrEnum]) -> None:
        self.words = words
        self.title = "one of " + ", ".join(f"`{word.value}`" for word in words)

    def read(self, plain: Any) -> StrEnum:
        try:
            return self.words(plain)
        except ValueError:
            raise Wrong(f"not {self.title}") from None

    def write(self, value: Any) -> str:
        return self.read(value).value


class Maybe(Shape):
    """A shape, or nil for unknown or none."""

    def __init__(self, inner: Shape) -> None:
        self.inner, self.title = inner, f"{inner.title}; or nil"

    def read(self, plain: Any) -> Any:
        return None if plain is None else self.inner.read(plain)

    def write(self, value: Any) -> Any:
        return None if value is None else self.inner.write(value)


class ListOf(Shape):
    """A bounded array of one shape; read as a tuple."""

    def __init__(self, inner: Shape, most: int) -> None:
        self.inner, self.most, self.title = inner, most, f"array of at most {most}: {inner.title}"

    def read(self, plain: Any) -> tuple[Any, ...]:
        return self._each(plain, self.inner.read)

    def write(self, value: Any) -> tuple[Any, ...]:
        return self._each(value, self.inner.write)

    def _each(self, items: Any, turn: Callable[[Any], Any]) -> tuple[Any, ...]:
        if not isinstance(items, (tuple, list)):
            raise Wrong("not an array")
        if len(items) > self.most:
            raise Wrong(f"more than {self.most} items")
        done: list[Any] = []
        try:
            done.extend(map(turn, items))
        except Wrong as wrong:
            raise wrong.inside(f"[{len(done)}]") from None
        return tuple(done)


class MapOf(Shape):
    """A bounded map from names to one shape."""

    def __init__(self, inner: Shape, most: int) -> None:
        self.inner, self.most, self.title = inner, most, f"map of at most {most} names to: {inner.title}"

    def read(self, plain: Any) -> dict[str, Any]:
        return self._each(plain, self.inner.read)

    def write(self, value: Any) -> dict[str, Any]:
        return self._each(value, self.inner.write)

    def _each(self, items: Any, turn: Callable[[Any], Any]) -> dict[str, Any]:
        if not isinstance(items, Mapping):
            raise Wrong("not a map")
        if len(items) > self.most:
            raise Wrong(f"more than {self.most} entries")
        done = {}
        for key, item in items.items():
            if not isinstance(key, str) or len(key) > limits.NAME_CHARS:
                raise Wrong(f"a key is no text of at most {limits.NAME_CHARS} characters")
            try:
                done[key] = turn(item)
            except Wrong as wrong:
                raise wrong.inside(key) from None
        return done


class Plain(Shape):
    """Free-form data (arguments, results): nil, booleans, numbers, text, binary, arrays, maps with text keys."""

    title = f"any plain data, nested at most {limits.DEPTH} deep"

    def read(self, plain: Any) -> Any:
        return self._level(plain, limits.DEPTH)

    def _level(self, plain: Any, depth: int) -> Any:
        if plain is None or isinstance(plain, (str, bool, float, bytes)):
            return plain
        if isinstance(plain, int):
            return _in_64_bits(plain)
        if depth == 0:
            raise Wrong(f"nested deeper than {limits.DEPTH}")
        if isinstance(plain, (tuple, list)):
            if {*map(type, plain)} <= NUMBERS:  # a history's column: thousands of them
                return tuple(plain)
            return tuple(self._level(item, depth - 1) for item in plain)
        if isinstance(plain, Mapping):
            return {_text_key(key): self._level(item, depth - 1) for key, item in plain.items()}
        raise Wrong(f"{type(plain).__name__} cannot be sent")


def _in_64_bits(number: int) -> int:
    if not -LARGEST - 1 <= number <= LARGEST:
        raise Wrong("integer beyond 64 bits")
    return number


def _text_key(key: Any) -> str:
    if not isinstance(key, str):
        raise Wrong("a key is no text")
    return key


MISSING: Any = object()


class Rec(Shape):
    """A record as a map by field name, or (`rows`) as an array in the order of its fields, for long tables.

    Unknown keys of a map are ignored, and so are further items of an array: a newer peer may send them.
    """

    def __init__(
        self, make: Callable[..., Any], fields: Sequence[tuple[str, Shape, Any]], *, rows: bool = False
    ) -> None:
        self.make, self.fields = make, tuple(fields)
        self._readers = [(name, shape.read, default) for name, shape, default in fields]
        self._writers = [
            (name, shape.read if type(shape).write is Shape.write else shape.write) for name, shape, _ in fields
        ]
        self.read = self._read_row if rows else self._read_map  # type: ignore[method-assign]
        self.write = self._write_row if rows else self._write_map  # type: ignore[method-assign]
        self.title = f"{getattr(make, '__name__', 'record')} as {'an array' if rows else 'a map'}"

    def _read_map(self, plain: Any) -> Any:
        if type(plain) is not dict and not isinstance(plain, Mapping):
            raise Wrong("not a map")
        values, name = [], ""
        try:
            for name, read, default in self._readers:
                found = plain.get(name, MISSING)
                values.append(read(found) if found is not MISSING else _default(default))
        except Wrong as wrong:
            raise wrong.inside(name) from None
        return self.make(*values)

    def _write_map(self, value: Any) -> dict[str, Any]:
        plain, name = {}, ""
        try:
            for (name, write), item in zip(self._writers, value, strict=True):
                plain[name] = write(item)
        except Wrong as wrong:
            raise wrong.inside(name) from None
        return plain

    def _read_row(self, plain: Any) -> Any:
        if not isinstance(plain, (tuple, list)) or len(plain) < len(self.fields):
            raise Wrong(f"not an array of {len(self.fields)}")
        return self.make(*(_inside(name, shape.read, item) for (name, shape, _), item in zip(self.fields, plain)))  # noqa: B905

    def _write_row(self, value: Any) -> tuple[Any, ...]:
        return tuple(_inside(name, write, item) for (name, write), item in zip(self._writers, value, strict=True))


def shape_of(record: Any) -> Rec:
    """The shape of a class whose fields are declared as Annotated[type, shape, unit, meaning]."""
    declared, defaults = record.__annotations__, record._field_defaults
    return Rec(record, [(name, declared[name].__metadata__[0], defaults.get(name, MISSING)) for name in record._fields])


def _default(default: Any) -> Any:
    if default is MISSING:
        raise Wrong("missing")
    return default


def _inside(name: str, turn: Callable[[Any], Any], item: Any) -> Any:
    try:
        return turn(item)
    except Wrong as wrong:
        raise wrong.inside(name) from None
