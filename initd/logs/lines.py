"""Whole lines out of a stream of chunks, so that the lines of two programs do not mix on one container stream."""

from __future__ import annotations

from wire.limits import LOG_BLOCK_BYTES, PARTIAL_LINE_BYTES

ESCAPES = {"\t": "    "}


def unfinished(text: bytes) -> int:
    """How many bytes at the end of `text` begin a UTF-8 character whose other bytes are still to come, 0 to 3."""
    for back in range(1, min(3, len(text)) + 1):
        byte = text[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC2:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4 if byte < 0xF5 else 0) else 0
    return 0


class Assembly:
    """Holds back the unfinished line at the end of a stream, up to `limit` bytes.

    A line that has to go out in pieces is never cut inside a character.
    """

    def __init__(self, limit: int = PARTIAL_LINE_BYTES) -> None:
        self.limit = limit
        self.held = b""
        self.released = 0
        """How often something went out: the line held now is another one when this has changed."""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may go out now: up to the last newline, or everything where the rest is too long to hold."""
        end = chunk.rfind(b"\n") + 1
        if not end and len(self.held) + len(chunk) <= self.limit:
            self.held += chunk
            return b""
        if self.held:
            chunk, end = self.held + chunk, end + len(self.held) if end else 0
        if len(chunk) - end > self.limit or not end:
            end = len(chunk) - unfinished(chunk)
        ready, self.held = chunk[:end], chunk[end:]
        self.released += 1
        return ready

    def swap(self, rest: bytes) -> bytes:
        """What was held, and is now in front of a chunk that goes out but for its end, `rest`."""
        held, self.held = self.held, rest
        self.released += 1
        return held

    def take(self, all: bool = False) -> bytes:
        """The unfinished line, which is then no longer held; a character that is not whole stays unless `all`."""
        end = len(self.held) if all else len(self.held) - unfinished(self.held)
        ready, self.held = self.held[:end], self.held[end:]
        self.released += 1
        return ready


def blocks(text: bytes, size: int = LOG_BLOCK_BYTES) -> list[bytes]:
    """The text in parts of about `size` that end with a line, where lines are not longer than that."""
    if len(text) <= size:
        return [text]
    found, start = [], 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + size) + 1 or text.find(b"\n", start) + 1 or len(text)
        found.append(text[start:end])
        start = end
    return found


def printable(raw: bytes, limit: int) -> str:
    """One line as text that is safe to show: at most `limit` bytes of UTF-8, without any control or format character.

    Undecodable bytes and escape sequences appear as \\xNN, so a terminal never obeys what a program wrote.
    """
    text = raw[: limit + 1].decode("utf-8", "backslashreplace").rstrip("\r\n")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ESCAPES.get(c) or escape(c) for c in text)
    if len(text.encode("utf-8", "backslashreplace")) <= limit:
        return text
    return text.encode("utf-8", "backslashreplace")[: limit - 3].decode("utf-8", "ignore") + "..."


def escape(character: str) -> str:
    """A character as \\xNN, \\uNNNN or \\UNNNNNNNN."""
    if ord(character) > 127:
        return character.encode("ascii", "backslashreplace").decode("ascii")
    return f"\\x{ord(character):02x}"


class Spoken:
    """What one stream said lately: `raw`, which ends at byte number `total`, and `reads`, (serial, total after it)."""

    def __init__(self, raw: bytes, total: int, reads: list[tuple[int, int]]) -> None:
        self.raw = raw
        self.total = total
        self.reads = reads

    def lines(self) -> list[tuple[int, bytes]]:
        """Each line with the serial of the read that brought its end; empty lines are left out."""
        found, end = [], self.total - len(self.raw)
        for line in self.raw.split(b"\n"):
            end += len(line) + 1
            if line.strip():
                found.append((self._serial(min(end, self.total)), line))
        return found

    def _serial(self, place: int) -> int:
        for serial, total in self.reads:
            if total >= place:
                return serial
        return self.reads[-1][0] if self.reads else 0


def last_lines(streams: tuple[Spoken, ...], count: int, limit: int) -> tuple[str, ...]:
    """The last `count` lines of several streams, in the order in which their ends were read."""
    lines = [line for spoken in streams for line in spoken.lines()]
    lines.sort(key=lambda line: line[0])
    return tuple(printable(raw, limit) for _, raw in lines[-count:])
