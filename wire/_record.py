"""Immutable records: named tuples written as classes, without importing `typing` or `collections` at run time.

Theory.  PID 1 may import neither `typing` nor `dataclasses` (each costs about 10 ms of a container's start), yet its
vocabulary should read like this:

    class Exit(Record):
        pid: int
        code: int | None = None

The metaclass takes the annotations in order as field names and the class attributes of the same names as defaults; what
it makes behaves like a class of `collections.namedtuple`, methods, properties and docstring included.  The module that
defines records must start with `from __future__ import annotations`, so that annotations are never evaluated.  Type
checkers see `typing.NamedTuple`, which has the same rules.

namedtuple compiles a `__new__` for each class: 0.15 ms, and stage 1 has seventy classes.  Here one is compiled for each
*number* of fields, and a class gets a copy of it with its own names for the parameters once it has made some records
without: most classes wait for something that seldom happens.  In a pack (initd.packing) annotations are but the names.
"""

from __future__ import annotations

__all__ = ["Record"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from _collections import _tuplegetter

    class _Fields(tuple):
        """What all records can do; the names are those of a named tuple."""

        __slots__ = ()

        _places = {}

        def __new__(cls, /, *values, **named) -> _Fields:
            """A record of a class that has no constructor yet; where this cannot make one, that says why."""
            rest, default = cls._fields[len(values) :], cls._field_defaults
            try:
                made = (*values, *[named[name] if name in named else default[name] for name in rest])
            except KeyError:
                return _constructed(cls)(cls, *values, **named)
            if len(made) != len(cls._fields) or any(name not in rest for name in named):
                return _constructed(cls)(cls, *values, **named)
            _seldom[cls] = _seldom.get(cls, 0) + 1
            if _seldom[cls] == SELDOM:
                _constructed(cls)
            return tuple.__new__(cls, made)

        @classmethod
        def _number(cls) -> dict[str, int]:
            """Field to place, kept for the next change."""
            cls._places = {field: number for number, field in enumerate(cls._fields)}
            return cls._places

        @classmethod
        def _make(cls, values) -> _Fields:
            """A record of values in order.  Raises TypeError where there are too few or too many."""
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changes) -> _Fields:
            """A copy with other values.  Raises ValueError where a name is no field."""
            made, places = list(self), self._places or self._number()
            for name in changes:
                if name not in places:
                    raise ValueError(f"Got unexpected field names: {[one for one in changes if one not in places]!r}")
                made[places[name]] = changes[name]
            return tuple.__new__(type(self), made)

        def _asdict(self) -> dict[str, object]:
            """Name to value, in order."""
            return dict(zip(self._fields, self))  # noqa: B905  a keyword argument costs more than the rest

        def __repr__(self) -> str:
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

    SELDOM = 10
    """So many records of a class are made without a constructor: compiling one takes as long."""
    _seldom = {}
    _function = type(lambda: None)
    _constructors = {}
    _getters = []
    """By place; one serves all classes."""

    def _constructed(cls) -> object:
        """The constructor of a class, from now on in force."""
        owner = next(one for one in cls.__mro__ if "_fields" in one.__dict__)
        _seldom.pop(cls, None)
        owner.__new__ = _constructor(owner._fields, tuple(owner._field_defaults.values()))
        return owner.__new__

    def _constructor(fields, defaults) -> object:
        """`__new__` with these parameters after the class."""
        made = _constructors.get(len(fields))
        if made is None:
            names = "".join(f"_{number}, " for number in range(len(fields)))
            scope = {"new": tuple.__new__}
            made = _constructors[len(fields)] = eval(f"lambda _cls, {names}: new(_cls, ({names}))", scope)
        code = made.__code__.replace(co_varnames=("_cls", *fields), co_name="__new__")
        return _function(code, made.__globals__, "__new__", defaults)

    class _RecordType(type):
        """Makes a record out of a class body; see the module's docstring."""

        def __new__(mcls, name, bases, body) -> type:
            if not bases:
                return super().__new__(mcls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one that has one")
            body["__slots__"] = ()
            body["__match_args__"] = body["_fields"] = fields
            body["_field_defaults"] = defaults
            while len(_getters) < len(fields):
                _getters.append(_tuplegetter(len(_getters), None))
            body.update(zip(fields, _getters))  # noqa: B905  a keyword argument costs more than the rest
            return type(name, (_Fields,), body)

        def __instancecheck__(cls, one) -> bool:
            return isinstance(one, _Fields)

    class Record(metaclass=_RecordType):
        """Base of all records: subclassing it makes a named tuple of the annotated fields."""
