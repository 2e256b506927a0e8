"""Waiting for a line: chunks of output become lines, and a line is held against a pattern; pure.

A pattern without `*` and `?` is text that the line contains; with them it stands for the whole line.  Lines are cut at
PROBE_LINE_BYTES, so that a program without newlines costs nothing.
"""

from __future__ import annotations

from wire.limits import PROBE_LINE_BYTES


class Lines:
    """Looks for a pattern in the chunks of one stream."""

    def __init__(self, pattern: str) -> None:
        text = pattern.encode("utf-8", "surrogateescape")
        self._pattern = text
        self._wild = b"*" in text or b"?" in text
        self._held = b""

    def take(self, chunk: bytes) -> bool:
        """Whether a line that matches is complete now, or an unfinished one holds the text already."""
        *lines, rest = (self._held + chunk).split(b"\n")
        self._held = rest[:PROBE_LINE_BYTES]
        if any(self._matches(line[:PROBE_LINE_BYTES]) for line in lines):
            return True
        return not self._wild and self._pattern in self._held

    def _matches(self, line: bytes) -> bool:
        return matches(self._pattern, line.rstrip(b"\r")) if self._wild else self._pattern in line


def matches(pattern: bytes, text: bytes) -> bool:
    """Whether the whole text is what the pattern says; `*` any bytes, `?` one.  Never worse than pattern times text."""
    at = place = 0
    star, mark = -1, 0
    while at < len(text):
        sign = pattern[place : place + 1]
        if sign == b"*":
            star, mark = place, at
            place += 1
        elif sign and sign in (b"?", text[at : at + 1]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return not pattern[place:].strip(b"*")
