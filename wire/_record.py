"""Immutable records: namedtuples written as classes, without importing `typing` at run time.

Theory.  PID 1 may import neither `typing` nor `dataclasses` (each costs about 10 ms of a container's start), yet its
vocabulary should read like this:

    class Exit(Record):
        pid: int
        code: int | None = None

The metaclass takes the annotations in order as field names, the class attributes of the same names as defaults, and
hands both to `collections.namedtuple`; methods, properties and the docstring move to the resulting class.  The module
that defines records must start with `from __future__ import annotations`, so that annotations are never evaluated.
Type checkers see `typing.NamedTuple`, which has the same rules.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["Record"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:

    class _RecordType(type):
        """Builds a namedtuple class out of a class body; see the module's docstring."""

        def __new__(mcls, name, bases, body):
            if not bases:
                return super().__new__(mcls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = [body.pop(field) for field in fields if field in body]
            record = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in ("__annotations__", "__module__", "__qualname__", "__classcell__"):
                    setattr(record, key, value)
            return record

    class Record(metaclass=_RecordType):
        """Base of all records: subclassing it makes a namedtuple of the annotated fields."""
