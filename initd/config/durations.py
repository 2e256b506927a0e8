"""Durations as people write them: `90`, `90s`, `5m`, `1h30m`, `2d`."""

from __future__ import annotations

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
"""Seconds in each unit; in a text they stand in this order."""

LONGEST = 366 * 86400.0
"""Beyond a year somebody has mistyped a unit."""


def duration(text: str) -> float:
    """Seconds of a duration above 0.  Raises ValueError with the fix."""
    seconds = _seconds(text)
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{text!r} is no duration: write seconds above 0 or units, as 90, 2.5, 90s, 5m, 1h30m or 2d")
    return seconds


def pause(text: str) -> float:
    """The same, 0 allowed."""
    return 0.0 if text.strip() in ("0", "0s") else duration(text)


def _seconds(text: str) -> float:
    """The sum of the parts, -1 where the text is none."""
    rest, total = text.strip().lower(), 0.0
    for unit, size in UNITS.items():
        number, found, behind = rest.partition(unit)
        if found:
            value = _number(number)
            if value < 0:
                return -1.0
            total, rest = total + value * size, behind.strip()
    if rest:
        return _number(rest) if rest == text.strip().lower() else -1.0
    return total


def _number(text: str) -> float:
    digits = text.strip()
    if not digits or not digits.isascii() or digits.strip("0123456789.") or digits.count(".") > 1 or digits == ".":
        return -1.0
    return float(digits)


def phrase(seconds: float) -> str:
    """A duration as it would be written: `1h30m`, `90.5s`."""
    if seconds != int(seconds) or seconds < 1:
        return f"{seconds:g}s"
    text, left = "", int(seconds)
    for unit, size in UNITS.items():
        count, left = divmod(left, int(size))
        text += f"{count}{unit}" if count else ""
    return text
