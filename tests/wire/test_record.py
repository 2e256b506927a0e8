"""Records behave as the named tuples they are declared as."""

from __future__ import annotations

import copy
import pickle
from collections import namedtuple
from typing import Any

import pytest

from wire import _record
from wire._record import Record

SELDOM: int = _record.SELDOM  # type: ignore[attr-defined]


class Point(Record):
    """A place."""

    x: int
    y: int = 2
    label: str = "here"

    @property
    def both(self) -> int:
        return self.x + self.y

    def moved(self, by: int) -> Point:
        return self._replace(x=self.x + by)


class Nothing(Record):
    """No field."""


POINT: Any = Point
ORIGINAL: Any = namedtuple("Point", "x y label", defaults=(2, "here"))
CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 5), {}),
    ((1, 5, "there"), {}),
    ((1,), {"label": "there"}),
    ((), {"label": "there", "y": 0, "x": 3}),
]


@pytest.fixture(autouse=True, params=[False, True], ids=["first", "later"])
def constructed(request: pytest.FixtureRequest) -> None:
    """The first records of a class are made without a constructor of its own, all others with it."""
    if "__new__" in POINT.__dict__:
        del POINT.__new__
    for _ in range(SELDOM if request.param else 0):
        POINT(1)
    assert ("__new__" in POINT.__dict__) == request.param


@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_a_record_is_made_as_a_named_tuple_is(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    ours, original = POINT(*args, **kwargs), ORIGINAL(*args, **kwargs)
    assert tuple(ours) == tuple(original)
    assert ours._asdict() == original._asdict()
    assert repr(ours) == repr(original)
    assert (ours.x, ours.y, ours.label) == ours


def test_the_refusal_says_why() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        POINT(y=3)


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1, 2, "a", 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})], ids=str
)
def test_what_a_named_tuple_refuses_is_refused(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for kind in (POINT, ORIGINAL):
        with pytest.raises(TypeError):
            kind(*args, **kwargs)


def test_the_parameters_have_the_names_of_the_fields() -> None:
    with pytest.raises(TypeError, match="'x'"):
        POINT()
    assert POINT._fields == POINT.__match_args__ == ("x", "y", "label")
    assert POINT._field_defaults == {"y": 2, "label": "here"}


def test_methods_properties_and_docstring_stay() -> None:
    assert Point(1).moved(2) == (3, 2, "here")
    assert Point(1).both == 3
    assert Point.__doc__ == "A place."


def test_a_record_cannot_be_changed_only_replaced() -> None:
    one: Any = Point(1)
    with pytest.raises(AttributeError):
        one.x = 2
    with pytest.raises(AttributeError):
        one.other = 2
    with pytest.raises(ValueError, match="z"):
        one._replace(z=1)
    with pytest.raises(TypeError):
        POINT._make((1, 2))
    assert POINT._make((1, 2, "a")) == (1, 2, "a")


def test_it_survives_copying_pickling_and_matching() -> None:
    one = Point(1, label="a")
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == copy.copy(one) == one
    assert type(pickle.loads(pickle.dumps(one))) is Point
    match one:
        case Point(x, label=label):
            assert (x, label) == (1, "a")


def test_every_record_is_a_record() -> None:
    kind: Any = Record
    assert isinstance(Point(1), kind)
    assert not isinstance((1, 2, "a"), kind)


def test_no_fields_and_wrong_order() -> None:
    assert Nothing() == ()
    assert repr(Nothing()) == "Nothing()"
    with pytest.raises(TypeError, match="Bad"):
        type(Record)("Bad", (Record,), {"__annotations__": {"a": "int", "b": "int"}, "a": 1, "__module__": __name__})
