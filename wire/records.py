"""The shapes of wire.model's records where they travel inside messages.

wire.model must stay free of everything that costs PID 1 start-up time, so the bounds of its fields stand here.  Each
table lists the fields in the record's own order (a test compares them).
"""

from __future__ import annotations

from typing import Any

from wire import limits, model
from wire.shapes import MISSING, Choice, Flag, Ident, ListOf, MapOf, Maybe, Plain, Real, Rec, Shape, Text, Whole, Wrong

__all__ = ["EXIT", "FACT", "MOUNT", "ROSTER_ROW", "STATE_CHANGE", "STATUS", "record"]

NAME = Text(limits.NAME_CHARS * 2 + 1)
WORDS = Text(limits.TEXT_CHARS)
PID = Maybe(Whole(1, 2**22))
TICKS = Maybe(Whole())


def record(make: Any, rows: bool = False, **fields: Shape) -> Rec:
    """The shape of a record class; checks the names against the class.

    Fields with a default came later: a sender may leave them out.
    """
    if tuple(fields) != make._fields:
        raise TypeError(f"{make.__name__}: the table does not list its fields")
    later = make._field_defaults
    return Rec(make, [(name, shape, later.get(name, MISSING)) for name, shape in fields.items()], rows=rows)


ROSTER_ROW = record(
    model.RosterRow, rows=True,
    pid=Whole(1, 2**22), start_ticks=Whole(), parent=Whole(0, 2**22), kind=Ident(), program=NAME, command=Text(64),
    uid=Whole(0, 2**32),
)  # fmt: skip

MOUNT = record(
    model.Mount, rows=True,
    path=Text(limits.PATH_CHARS), total=Whole(), free=Whole(), files=Whole(), files_free=Whole(),
)  # fmt: skip

NUMBER = Whole(-(2**31), 2**31)

STATUS = record(
    model.Status, rows=True,
    group=NAME, name=NAME, program=NAME, number=NUMBER, state=Choice(model.State), want=Choice(model.Want),
    pid=PID, start_ticks=TICKS, since=Real(), uptime=Maybe(Real()), restarts=Whole(), why=WORDS,
)  # fmt: skip

STATE_CHANGE = record(
    model.StateChange,
    group=NAME, name=NAME, state=Choice(model.State), previous=Choice(model.State), pid=PID, why=WORDS, by=WORDS,
)  # fmt: skip

RUSAGE = record(
    model.Rusage, user=Real(), system=Real(), max_rss=Whole(), minor_faults=Whole(), major_faults=Whole(),
)  # fmt: skip

EXIT = record(
    model.Exit,
    group=NAME, name=NAME, program=NAME, number=NUMBER, pid=PID, start_ticks=TICKS, started_at=Real(), ended_at=Real(),
    run_time=Real(), code=Maybe(Whole(0, 255)), signal=Maybe(Whole(1, 127)), core=Flag(), expected=Flag(),
    cause=Choice(model.Cause), by=WORDS, command=WORDS, errno=Maybe(Whole(0, 4095)), step=Text(64),
    rusage=Maybe(RUSAGE), last_lines=ListOf(Text(4 * limits.LAST_LINE_BYTES), limits.LAST_LINES),
    escalated=Flag(), why=WORDS,
)  # fmt: skip


class FactShape(Shape):
    """A fact as a map; its `kind` says which record its `body` is, and a note's body is free-form."""

    title = "Fact as a map"
    bodies = {model.FactKind.STATE: STATE_CHANGE, model.FactKind.EXIT: EXIT, model.FactKind.NOTE: MapOf(Plain(), 32)}
    head = Rec(lambda *values: values, [(name, shape, MISSING) for name, shape in (
        ("seq", Whole(1)), ("at", Real()), ("mono", Real()), ("kind", Choice(model.FactKind)),
    )])  # fmt: skip

    def read(self, plain: Any) -> model.Fact:
        seq, at, mono, kind = self.head.read(plain)
        return model.Fact(seq, at, mono, kind, self._body(kind, plain.get("body"), "read"))

    def write(self, value: Any) -> dict[str, Any]:
        plain: dict[str, Any] = self.head.write(value[:4])
        plain["body"] = self._body(value.kind, value.body, "write")
        return plain

    def _body(self, kind: model.FactKind, body: Any, turn: str) -> Any:
        try:
            return getattr(self.bodies[kind], turn)(body)
        except Wrong as wrong:
            raise wrong.inside("body") from None


FACT = FactShape()
