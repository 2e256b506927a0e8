"""Tables: rows of the hub as aligned columns, coloured on a terminal, or as JSON.

A row that is stale says so in its age; its numbers are `-`, never a value of yesterday.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from hub.ctl.text import age, safe
from wire._record import Record

Row = Mapping[str, Any]
GAP = "  "
COLOURS = {
    **dict.fromkeys(("RUNNING", "live", "running", "done", "healthy", "up", "enrolled"), "32"),
    **dict.fromkeys(
        ("STARTING", "STOPPING", "late", "expected", "paused", "delivered", "accepted", "restarting"), "33"
    ),
    **dict.fromkeys(("FATAL", "BACKOFF", "lost", "dead", "failed", "expired", "unhealthy", "down", "refused"), "31"),
    **dict.fromkeys(("STOPPED", "EXITED", "gone", "exited", "created"), "2"),
}
"""Word -> SGR code."""


class Column(Record):
    """One column of a table."""

    title: str
    value: Callable[[Row], object]
    right: bool = False


def field(name: str) -> Callable[[Row], object]:
    """The value of a row under this name; `-` for none."""
    return lambda row: "-" if row.get(name) in (None, "") else row[name]


def shown(name: str, how: Callable[[object], str]) -> Callable[[Row], object]:
    """The value of a row under this name, as `how` writes it."""
    return lambda row: how(row.get(name))


def aged(row: Row) -> str:
    """The age of a row; a stale one is marked."""
    return f"{age(row.get('age'))}{' stale' if row.get('stale') else ''}"


AGE = Column("AGE", aged, True)


def coloured(stream: TextIO) -> bool:
    """Whether colour may be written: only to a terminal, and never where NO_COLOR is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def render(columns: Sequence[Column], rows: Sequence[Row], colour: bool = False) -> list[str]:
    """The lines of a table, heading first."""
    cells = [[safe(column.value(row)) for column in columns] for row in rows]
    widths = [max(len(c.title), *(len(line[i]) for line in cells), 0) for i, c in enumerate(columns)]
    head = _line([column.title for column in columns], columns, widths, False)
    return [head, *(_line(line, columns, widths, colour) for line in cells)]


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], colour: bool) -> str:
    parts = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        padded = cell.rjust(width) if column.right else cell.ljust(width)
        code = COLOURS.get(cell)
        parts.append(f"\033[{code}m{padded}\033[0m" if colour and code else padded)
    return GAP.join(parts).rstrip()


def show(columns: Sequence[Column], rows: Sequence[Row], as_json: bool, nothing: str) -> None:
    """Prints rows as a table, or as one JSON array; `nothing` is said where there are none."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        print(nothing)
    else:
        print("\n".join(render(columns, rows, coloured(sys.stdout))))


def print_json(value: Any) -> None:
    """One JSON value; ASCII only, so nothing in it can reach the terminal raw."""
    print(json.dumps(value, default=_plain, indent=1 if sys.stdout.isatty() else None))


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
