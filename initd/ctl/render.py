"""What a person sees: tables, ages, one-line texts; every string of others is made harmless first."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

RED, GREEN, YELLOW, DIM = "31", "32", "33", "2"
STATE_COLOURS = {
    "RUNNING": GREEN,
    "STARTING": YELLOW,
    "STOPPING": YELLOW,
    "BACKOFF": RED,
    "FATAL": RED,
    "UNKNOWN": RED,
    "EXITED": DIM,
    "STOPPED": DIM,
}


UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))
"""Seconds in a unit, its letter, and the same of the next smaller one."""


def has_colours(stream: TextIO = sys.stdout) -> bool:
    """Only on a terminal that knows them, and not against the person's wish (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def clean(value: object) -> str:
    """Text without anything that steers a terminal or breaks a line."""
    text = "-" if value is None or value == "" else str(value)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def clean_lines(text: str) -> str:
    """The same for text of several lines: newlines and tabs stay."""
    return "".join(char if char.isprintable() or char in "\n\t" else escape(char) for char in text)


def escape(char: str) -> str:
    """One character as \\xNN or the like; a carriage return before a newline is common and invisible."""
    return "" if char == "\r" else char.encode("unicode_escape").decode("ascii")


def table(header: Sequence[str], rows: Sequence[Sequence[object]], colours: bool, width: int | None = None) -> str:
    """Columns as wide as needed; the last one is cut at `width`.  Cells that are states are coloured."""
    cells = [list(header)] + [[clean(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(_line(row, widths, colours, width) for row in cells)


def _line(row: list[str], widths: list[int], colours: bool, width: int | None) -> str:
    padded = [cell.ljust(size) for cell, size in zip(row[:-1], widths, strict=False)]
    last = row[-1]
    if width is not None:
        last = last[: max(8, width - sum(map(len, padded)) - 2 * len(padded))]
    if colours:
        padded = [paint(cell, STATE_COLOURS.get(cell.strip())) for cell in padded]
    return "  ".join([*padded, last]).rstrip()


def paint(text: str, colour: str | None) -> str:
    """The text in a colour, or as it is."""
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def terminal_width() -> int | None:
    """Columns of the terminal, None where stdout is none: then nothing is cut."""
    if not sys.stdout.isatty():
        return None
    import shutil  # a third as much again as everything else that `status` needs, and scripts have no terminal

    return shutil.get_terminal_size().columns


def span(seconds: float | None) -> str:
    """A duration in its two largest units: 5s, 3m12s, 2h05m, 3d04h."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{whole}s"
    size, unit, part, small = next(units for units in UNITS if whole >= units[0])
    return f"{whole // size}{unit}{whole % size // part:02d}{small}"


def json_text(value: object, indent: int | None = None) -> str:
    """What `--json` says."""
    import json  # with it come re and enum, more than all else that a command needs, and most answers are tables

    return json.dumps(value, indent=indent)


def print_json(value: object) -> None:
    """A whole answer, laid out for people, too."""
    print(json_text(value, 2))
