"""Capture mode: what a program writes between two tokens is a message to the event listeners and not a part of its log.

Theory.  supervisord's protocol (dispatchers.py, POutputDispatcher): <!--XSUPERVISOR:BEGIN--> begins a message and
<!--XSUPERVISOR:END--> ends it, where *_capture_maxbytes is above 0; of a longer message its last bytes are kept.  A
token may be split over any number of reads, so what may become one at the end of a read waits for the next.  A message
that has not ended when the pipe closes is no message.

Difference: supervisord lets the last bytes of a program wait for ever while they are fewer than a token has; here only
what really may become a token waits, and goes to the log when the pipe closes.
"""

from __future__ import annotations

from wire.limits import CAPTURE_BYTES

BEGIN = b"<!--XSUPERVISOR:BEGIN-->"
END = b"<!--XSUPERVISOR:END-->"

LOG, INSIDE, MESSAGE = "log", "inside", "message"
"""Kinds of what comes out: text of the log, text of a message that goes on, a whole message."""


class Capture:
    """Takes the messages out of one pipe; keeps at most `limit` bytes of one."""

    def __init__(self, limit: int) -> None:
        self._limit = min(limit, CAPTURE_BYTES)
        self._inside = False
        self._held = b""
        self._message = bytearray()

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """What a chunk brought, in its order."""
        found: list[tuple[str, bytes]] = []
        rest: bytes | None = self._held + chunk
        self._held = b""
        while rest:
            token = END if self._inside else BEGIN
            before, met, behind = rest.partition(token)
            if not met:
                keep = _beginning(rest, token)
                before, self._held = rest[: len(rest) - keep], rest[len(rest) - keep :]
            found += self._put(before)
            if met:
                found += self._turn()
            rest = behind if met else None
        return found

    def end(self) -> bytes:
        """The pipe is closed: what waited and was no token after all."""
        held, self._held = self._held, b""
        return b"" if self._inside else held

    def _put(self, text: bytes) -> list[tuple[str, bytes]]:
        if not text:
            return []
        if not self._inside:
            return [(LOG, text)]
        self._message += text
        del self._message[: max(0, len(self._message) - self._limit)]
        return [(INSIDE, text)]

    def _turn(self) -> list[tuple[str, bytes]]:
        self._inside = not self._inside
        if self._inside:
            return []
        message, self._message = bytes(self._message), bytearray()
        return [(MESSAGE, message)]


def _beginning(text: bytes, token: bytes) -> int:
    """How many bytes at the end of the text may begin the token."""
    for size in range(min(len(token) - 1, len(text)), 0, -1):
        if text.endswith(token[:size]):
            return size
    return 0
