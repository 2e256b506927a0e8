"""Hypothesis strategies made from the declared shapes: every value a message may hold."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from wire import codec, shapes
from wire.messages import MESSAGES
from wire.model import Fact
from wire.records import FactShape

LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8) | st.binary(max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@singledispatch
def values(shape: Any) -> SearchStrategy[Any]:
    """Values that fit a shape."""
    raise NotImplementedError(type(shape))


@values.register
def _(shape: shapes.Text) -> SearchStrategy[Any]:
    return st.text(max_size=min(shape.most, 24))


@values.register
def _(shape: shapes.Ident) -> SearchStrategy[Any]:
    return st.from_regex(shapes.IDENT, fullmatch=True)


@values.register
def _(shape: shapes.Pattern) -> SearchStrategy[Any]:
    return st.from_regex(shape.pattern, fullmatch=True)


@values.register
def _(shape: shapes.Whole) -> SearchStrategy[Any]:
    return st.integers(shape.least, shape.most)


@values.register
def _(shape: shapes.Amount) -> SearchStrategy[Any]:
    return st.floats(shape.least, shape.most)


@values.register
def _(shape: shapes.Real) -> SearchStrategy[Any]:
    return FINITE


@values.register
def _(shape: shapes.Flag) -> SearchStrategy[Any]:
    return st.booleans()


@values.register
def _(shape: shapes.Binary) -> SearchStrategy[Any]:
    return st.binary(max_size=min(shape.most, 64))


@values.register
def _(shape: shapes.Choice) -> SearchStrategy[Any]:
    return st.sampled_from(list(shape.words))


@values.register
def _(shape: shapes.Maybe) -> SearchStrategy[Any]:
    return st.none() | values(shape.inner)


@values.register
def _(shape: shapes.ListOf) -> SearchStrategy[Any]:
    return st.lists(values(shape.inner), max_size=min(shape.most, 3)).map(tuple)


@values.register
def _(shape: shapes.MapOf) -> SearchStrategy[Any]:
    return st.dictionaries(st.text(max_size=8), values(shape.inner), max_size=min(shape.most, 3))


@values.register
def _(shape: shapes.Plain) -> SearchStrategy[Any]:
    nested = st.lists(LEAVES, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=4), LEAVES, max_size=3)
    return LEAVES | FINITE | nested


@values.register
def _(shape: shapes.Rec) -> SearchStrategy[Any]:
    return st.builds(shape.make, *(values(field) for _, field, _ in shape.fields))


@values.register
def _(shape: FactShape) -> SearchStrategy[Any]:
    head = [values(field) for _, field, _ in shape.head.fields[:3]]
    kinds = [st.builds(Fact, *head, st.just(kind), values(body)) for kind, body in shape.bodies.items()]
    return st.one_of(kinds)


def messages() -> SearchStrategy[Any]:
    """Any message."""
    return st.sampled_from(MESSAGES).flatmap(lambda record: values(codec.SHAPES[record]))
