"""Rows for tests of the store: plausible by default, each field settable."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import nan

from hub.store.rows import AgentRow, AuditRow, CommandRow, KeyRow, TokenRow
from wire.model import (
    CONTAINER_COLUMNS,
    PROCESS_COLUMNS,
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
)

T0 = 1_700_000_400.0
"""Start of a window of 10 minutes and of no hour."""


def agent(name: str = "a1", **fields: object) -> AgentRow:
    return AgentRow(name, name, "boot", Presence.LIVE, "", T0, T0, T0)._replace(**fields)


def change(name: str = "web", state: State = State.RUNNING) -> StateChange:
    return StateChange(name, name, state, State.STARTING, 7, "", "")


def death(name: str = "web", **fields: object) -> Exit:
    usage, why = Rusage(0.5, 0.25, 4096, 10, 2), Cause.SIGNAL
    body = Exit(name, name, name, 0, 7, 99, T0, T0 + 5, 5.0, None, 9, False, False, why, "", "", None, "", usage, ())
    return body._replace(**fields)


def fact(seq: int, body: StateChange | Exit | dict[str, object] | None = None, at: float | None = None) -> Fact:
    body = change() if body is None else body
    kind = {StateChange: FactKind.STATE, Exit: FactKind.EXIT}.get(type(body), FactKind.NOTE)
    return Fact(seq, T0 + seq if at is None else at, float(seq), kind, body)


def facts(first: int, last: int) -> list[Fact]:
    return [fact(seq) for seq in range(first, last + 1)]


def command(id: str = "c1", **fields: object) -> CommandRow:
    args: dict[str, object] = {"names": ["web"]}
    state = CommandState.ACCEPTED
    row = CommandRow(id, "alice", "restart", "a1/web", "a1", None, None, args, state, T0, T0 + 30, T0)
    return row._replace(**fields)


def audit(number: int = 1, **fields: object) -> AuditRow:
    return AuditRow(T0 + number, "alice", "restart", "a1/web", "done", f"number {number}")._replace(**fields)


def token(id: str = "t1", **fields: object) -> TokenRow:
    return TokenRow(id, "invite", "ab" * 32, T0, "alice", T0 + 3600, 1)._replace(**fields)


def key(public: str = "k1", **fields: object) -> KeyRow:
    return KeyRow(public, "agent", "a1", T0)._replace(**fields)


def process(pid: int, program: str = "web", kind: str = "program", ticks: int = 100) -> RosterRow:
    return RosterRow(pid, ticks, 1, kind, program, program, 0)


def columns(rows: Sequence[dict[str, float]]) -> dict[str, bytes]:
    """Packed columns of one sample; what a row does not name is unknown."""
    return {c.name: array(c.code, [row.get(c.name, nan) for row in rows]).tobytes() for c in PROCESS_COLUMNS}


def container(**values: float) -> list[float]:
    """A container's sample; what is not named is unknown."""
    return [values.get(column.name, nan) for column in CONTAINER_COLUMNS]
