"""What a person sees: tables, ages, one-line texts; every string of others is made harmless first."""

from __future__ import annotations

import os
import sys
import time

from initd.signals import name_of
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

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


def moment(at: float | None) -> str:
    """Wall time, local, to the second."""
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def ending(record: dict[str, Any]) -> str:
    """How a process ended, from its exit record."""
    if record["cause"] == "start failure":
        reason = os.strerror(record["errno"]) if record["errno"] is not None else "see initd's stderr"
        return f"did not start: {record.get('why') or record['step'] + ': ' + reason}"
    how = f"exit {record['code']}" if record["signal"] is None else name_of(record["signal"])
    return how + (", core dumped" if record["core"] else "")


def reason(record: dict[str, Any]) -> str:
    """Why it ended, and whether that was expected."""
    cause, needed = str(record["cause"]), ", needed SIGKILL" if record.get("escalated") else ""
    if cause == "stopped":
        return f"stopped by {record['by']}" + (f" ({record['command']})" if record["command"] else "") + needed
    if cause in ("probe", "renewal", "dependency"):
        return f"{cause}: {record.get('why', '')}{needed}"
    if cause in ("oom", "killed, oom possible"):
        return cause
    return "expected" if record["expected"] else "not expected"


def fact_line(fact: dict[str, Any]) -> str:
    """One fact as one line."""
    body = fact["body"]
    start = f"{moment(fact['at'])}  {fact['seq']:>5}  "
    if fact["kind"] == "state":
        name = full_name(body["group"], body["name"])
        pid = f" (pid {body['pid']})" if body["pid"] else ""
        tail = "".join([f": {body['why']}" if body["why"] else "", f", by {body['by']}" if body["by"] else ""])
        return start + clean(f"{name}  {body['previous']} -> {body['state']}{pid}{tail}")
    if fact["kind"] == "exit":
        name = full_name(body["group"], body["name"])
        ran = f" (pid {body['pid']}) after {span(body['run_time'])}" if body["pid"] else ""
        return start + clean(f"{name}  ended: {ending(body)}{ran}, {reason(body)}")
    return start + clean(" ".join(f"{key}={value}" for key, value in body.items()))
