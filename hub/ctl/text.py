"""Values as people read them: ages, sizes, shares, and text of strangers that cannot move the cursor.

Theory.  Names, reasons and log lines come from containers, so they may hold terminal escapes or characters that turn
the writing direction.  Everything that is printed passes `safe`; colour is added only afterwards, by us.
"""

from __future__ import annotations

import time

UNITS = ("B", "K", "M", "G", "T", "P")


def safe(value: object) -> str:
    """Text in which every character that does not print is visible as an escape."""
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def safe_lines(text: str) -> str:
    """As `safe` for output of programs: line ends and tabs stay."""
    return "\n".join(safe(line.replace("\t", "    ")) for line in text.splitlines())


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def duration(text: str) -> float:
    """`90s`, `10m`, `2h`, `3d` in seconds.  Raises ValueError."""
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    if not unit or not (text.isascii() and text[:-1].isdigit()) or len(text) > 9:
        raise ValueError(f"{text!r} is no time: write 90s, 10m, 2h or 3d")
    return float(text[:-1]) * unit


def since(text: str | None) -> float | None:
    """So long ago as a time; None for none.  Raises ValueError."""
    return None if text is None else time.time() - duration(text)


def age(seconds: object) -> str:
    """Seconds as `0s`, `59s`, `12m`, `5h`, `3d`; `-` where unknown."""
    if not isinstance(seconds, (int, float)):
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def size(count: object) -> str:
    """Bytes as `512B`, `1.5K`, `23M`; `-` where unknown."""
    if not isinstance(count, (int, float)):
        return "-"
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f}{UNITS[unit]}" if value >= 9.95 or unit == 0 else f"{value:.1f}{UNITS[unit]}"


def share(fraction: object) -> str:
    """A fraction (of one core, of a limit) in percent; `-` where unknown."""
    return f"{fraction * 100:.1f}%" if isinstance(fraction, (int, float)) else "-"


def number(value: object) -> str:
    """A whole number; `-` where unknown."""
    return f"{value:.0f}" if isinstance(value, (int, float)) else "-"


def moment(at: object) -> str:
    """A time on this machine's calendar; `-` where unknown."""
    if not isinstance(at, (int, float)):
        return "-"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
