"""The fleet in the terminal: one picture a second from the hub's rows; pure, but for `size`.

What does not fit is left out from the end: the table comes first, then what to try, then what ended lately.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from demo.fleet import Row

HEAD = ("AGENT", "PROGRAM", "STATE", "PID", "CPU", "MEMORY", "UPTIME", "RESTARTS", "AGE")
LEAVE = "ctrl-C takes everything down"
ENDS_SHOWN = 6


class Picture(NamedTuple):
    """What the hub said last, and why it says nothing now."""

    agents: Sequence[Row] = ()
    rows: Sequence[Row] = ()
    exits: Sequence[Row] = ()
    """Newest last."""
    fault: str = ""


def screen(text: str) -> str:
    """A picture over the one before: nothing is erased first, so that nothing flickers."""
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in text.splitlines()) + "\x1b[J"


def frame(seen: Picture, advice: Sequence[str], width: int, height: int) -> str:
    """At most `height` - 1 lines of `width` columns; names come from the network and are escaped."""
    room = height - 1  # the cursor stands in the last line
    table = _cut(_table(seen.rows), max(2, room - 4))
    spare = max(0, room - 2 - len(table))
    tries = [*advice[: max(0, spare - bool(seen.exits))]]
    ends = [*map(_ending, reversed(seen.exits))][: min(ENDS_SHOWN, spare - len(tries))]
    parts = [[_summary(seen)], table, _listed("ended:", ends), _listed("try:", tries), [LEAVE]]
    apart = [""] if spare - len(tries) - len(ends) >= len(parts) - 1 else []
    lines = [line for part in parts if part for line in (*part, *apart)]
    return "\n".join(line[:width].rstrip() for line in lines[:room])


def _summary(seen: Picture) -> str:
    """Who is there; before all, that the rest is old."""
    if seen.fault:
        return f"the last picture; now the hub does not answer: {seen.fault}"
    absent = [row for row in seen.agents if row["presence"] != "live"]
    named = (f"{printable(row['name'])} {printable(row['presence'])}" for row in absent)
    present = f"{len(seen.agents) - len(absent)} live"
    return f"programs: {len(seen.rows)}; agents: {', '.join([present, *named])}"


def _table(rows: Sequence[Row]) -> list[str]:
    """Aligned lines, those of an agent together."""
    body = [HEAD, *map(_cells, sorted(rows, key=lambda row: str(row["agent_name"])))]
    widths = [max(len(line[column]) for line in body) for column in range(len(HEAD))]
    return ["  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)) for line in body]


def _cut(lines: list[str], most: int) -> list[str]:
    """The first ones, and how many do not fit."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"... and {len(lines) - most + 1} more"]


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    """The title before the first line, the others below it."""
    return [f"{title if not index else '':<6} {line}" for index, line in enumerate(lines)]


def _ending(row: Row) -> str:
    how = f"signal {row['signal']}" if row.get("signal") else f"status {row.get('code', '?')}"
    return f"{printable(row['agent_name'])}/{printable(row['name'])} by {printable(row['cause'])}, {how}"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        printable(row["agent_name"]),
        printable(row["process"]),
        printable(row["state"]),
        _or_dash(row.get("pid"), "d"),
        _or_dash(row.get("cpu"), ".2f"),
        _or_dash(row["rss"] / 1e6 if row.get("rss") is not None else None, ".0f", " MB"),
        _or_dash(row.get("uptime"), ".0f", " s"),
        _or_dash(row.get("restarts"), "d"),
        _or_dash(row.get("age"), ".0f", " s" + (" stale" if row.get("stale") else "")),
    )


def _or_dash(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def printable(text: object) -> str:
    """A name without anything that a terminal would obey."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in str(text)[:60])


def size() -> tuple[int, int]:
    """Columns and lines of the terminal, a usual one where there is none."""
    found = shutil.get_terminal_size((110, 40))
    return found.columns, found.lines
