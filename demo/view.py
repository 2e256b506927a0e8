"""The fleet in the terminal: one frame a second from the hub's rows; pure, but for `size`."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable, Sequence

from demo.fleet import Row

HEAD = ("AGENT", "PROGRAM", "STATE", "PID", "CPU", "MEMORY", "UPTIME", "RESTARTS", "AGE")
CLEAR = "\x1b[H\x1b[2J"


def frame(agents: Sequence[Row], rows: Sequence[Row], advice: Iterable[str], width: int, height: int) -> str:
    """One picture of at most `height` lines and `width` columns; names come from the network and are escaped."""
    summary = ", ".join(f"{row['name']} {row['presence']}" for row in agents) or "no agent yet"
    body = [HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in body) for column in range(len(HEAD))]
    table = ["  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)) for line in body]
    tail = ["", "try, in another terminal:", *(f"  {line}" for line in advice), "", "ctrl-C takes everything down"]
    lines = [summary, "", *table[: max(2, height - len(tail) - 3)], *tail]
    return "\n".join(line[:width].rstrip() for line in lines[:height])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        printable(row["agent_name"]),
        printable(row["process"]),
        str(row["state"]),
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
