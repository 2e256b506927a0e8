"""Rows and fact bodies as msgpack maps, so that a file outlives added fields.

A field that a stored map lacks takes its default, one that is not known any more is left out.  A map that cannot become
its record is the file's fault and raises ValueError, which the caller turns into Damaged.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

import msgpack

from hub.cluster.rows import LeaseRow
from hub.store.errors import BadRow
from hub.store.rows import AgentRow, CommandRow, FactRow
from wire import limits
from wire.model import (
    Cause,
    CommandState,
    Exit,
    Fact,
    FactKind,
    Presence,
    RosterRow,
    Rusage,
    State,
    StateChange,
    full_name,
)

__all__ = ["fact_fields", "fact_number", "pack", "pack_body", "row_fields", "unpack", "unpack_body", "unpack_map"]

Row = TypeVar("Row")

LAST_SEQ = 2**53
"""Highest number of a fact: what every language reads exactly."""

_MAKE: dict[type, dict[str, Callable[[Any], Any]]] = {
    AgentRow: {"presence": Presence, "addresses": tuple},
    CommandRow: {"state": CommandState},
    LeaseRow: {"addresses": lambda value: tuple(tuple(one) for one in value), "engines": tuple},
    StateChange: {"state": State, "previous": State},
    Exit: {"cause": Cause, "last_lines": tuple, "rusage": lambda value: value and _record(Rusage, value)},
}
"""How msgpack's plain values become the fields' types, where they differ."""

_BODIES: dict[FactKind, type] = {FactKind.STATE: StateChange, FactKind.EXIT: Exit}


def pack(value: object) -> bytes:
    """A record as a map, everything else as it is.  Raises BadRow for what msgpack cannot hold or is too large."""
    try:
        data = bytes(msgpack.packb(_plain(value), use_bin_type=True))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRow(f"{type(value).__name__} cannot be stored: {error}") from None
    if len(data) > limits.MESSAGE_BYTES:
        raise BadRow(f"{type(value).__name__} of {len(data)} bytes is larger than {limits.MESSAGE_BYTES}")
    return data


def _plain(value: object) -> object:
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def unpack_map(data: bytes | memoryview) -> dict[str, Any]:
    """The map in `data`; raises ValueError if it is none."""
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=False)
    except (msgpack.exceptions.UnpackException, ValueError) as error:
        raise ValueError(f"not a stored map: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("not a stored map")
    return value


def unpack(kind: type[Row], data: bytes) -> Row:
    """The record of `pack`; raises ValueError if the bytes are not one."""
    return _record(kind, unpack_map(data))


def _record(kind: type[Row], values: dict[str, Any]) -> Row:
    make = _MAKE.get(kind, {})
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    known = {name: make[name](values[name]) if name in make else values[name] for name in fields if name in values}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(str(error)) from None


def pack_body(kind: FactKind, body: object) -> bytes:
    """The body of a fact.  Raises BadRow where it does not belong to the kind."""
    if not isinstance(body, _BODIES.get(kind, dict)):
        raise BadRow(f"body of a fact of kind {kind} is a {type(body).__name__}")
    return pack(body)


def unpack_body(kind: FactKind, data: bytes) -> StateChange | Exit | dict[str, object]:
    """The body as its record, or as a map for kinds without one."""
    record = _BODIES.get(kind)
    body: StateChange | Exit | dict[str, object] = unpack(record, data) if record else unpack_map(data)
    return body


def rows_of(rows: list[list[Any]]) -> tuple[RosterRow, ...]:
    """Roster rows out of the lists that a segment file holds."""
    return tuple(RosterRow(*row) for row in rows)


def fact_number(seq: int) -> int:
    """The number, if it can be one of a fact.  Raises BadRow."""
    if not 1 <= seq <= LAST_SEQ:
        raise BadRow(f"number {seq} of a fact is outside 1..{LAST_SEQ}")
    return seq


def fact_fields(agent: str, boot: str, fact: Fact, offset: float) -> tuple[Any, ...]:
    """Agent, boot, number, hub time, agent's time, mono, kind, full name, program, packed body.  Raises BadRow."""
    if not (isfinite(fact.at) and isfinite(fact.mono) and isfinite(offset)):
        raise BadRow(f"fact {fact.seq} has no finite time")
    kind, body = FactKind(fact.kind), fact.body
    name = full_name(body.group, body.name) if isinstance(body, (StateChange, Exit)) else ""
    program = body.program if isinstance(body, Exit) else ""
    packed = pack_body(kind, body)
    return (agent, boot, fact.seq, fact.at + offset, fact.at, fact.mono, str(kind), name, program, packed)


def row_fields(row: FactRow) -> tuple[Any, ...]:
    """As `fact_fields`, of a fact that was kept before: with the hub time it has."""
    fields = fact_fields(row.agent, row.boot, Fact(row.seq, row.agent_at, row.mono, row.kind, row.body), 0.0)
    return (*fields[:3], row.at, *fields[4:])
