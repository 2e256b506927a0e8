"""strip_ansi=true: the escape sequences of terminals (ECMA-48 CSI: colours, cursor) are taken out of what programs say.

Difference to supervisord (dispatchers.py, stripEscapes): a sequence ends where the standard says, so text behind one
that its short list of final bytes does not know is not swallowed, and a sequence split over two reads is found.
"""

from __future__ import annotations

INTRODUCER = b"\x1b["
PARAMETERS = bytes(range(0x20, 0x40))
"""Parameter and intermediate bytes, which stand before the final one."""
HELD = 64
"""Longest beginning of a sequence that is kept for the next read; a real one has about ten bytes."""


class Strip:
    """Takes escape sequences out of one stream."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, chunk: bytes) -> bytes:
        """The chunk without them; the beginning of a sequence at its end waits for the rest."""
        if self._held:
            chunk, self._held = self._held + chunk, b""
        if b"\x1b" not in chunk:
            return chunk
        if chunk.endswith(b"\x1b"):
            chunk, self._held = chunk[:-1], b"\x1b"
        first, *rest = chunk.split(INTRODUCER)
        for number, part in enumerate(rest, 1):
            behind = part.lstrip(PARAMETERS)
            if number == len(rest) and not behind and len(part) < HELD:
                self._held = INTRODUCER + part + self._held
            first += behind[1:] if b"\x40" <= behind[:1] <= b"\x7e" else behind
        return first
