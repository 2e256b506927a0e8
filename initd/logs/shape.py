"""How the lines of a program look on the container's streams: with a prefix, with the time, or as JSON.

Theory.  Text comes as whole lines, many at a time; a line that did not end within PARTIAL_LINE_SECONDS or is longer
than LOG_LINE_BYTES comes in pieces (never cut inside a character).  All lines of one read bear one time, and each step
is one call over the whole text (replace, decode), never a loop over its lines: that is what makes it fast.  Only text
that is not UTF-8, or has a line of more than LOG_LINE_BYTES, is taken apart.

    text    [TIME] PREFIX LINE; a piece that continues a line begins with "... " after the prefix
    JSON    {"ts":...,"program":...,"stream":...,"pid":...,"line":...}; a piece whose line goes on has "partial":true

Every line that leaves here ends with a newline, so that nobody else's text gets into it.  JSON lines drop the end of
the line, CRLF as well as LF.  Where a line is not UTF-8, its undecodable bytes are \\xNN and its backslashes doubled,
and "escaped":true says so: nothing is lost and every JSON reader takes it.
"""

from __future__ import annotations

import time

from initd.logs.lines import unfinished
from wire.limits import LOG_LINE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from initd.config.topics.logs import Logs

CONTINUED = b"... "
"""Before the rest of a line, in text."""

ESCAPES = [(b"\\", b"\\\\"), (b'"', b'\\"'), (b"\t", b"\\t"), (b"\r", b"\\r")] + [
    (bytes((code,)), b"\\u%04x" % code) for code in range(0x20) if code not in b"\n\t\r"
]
"""What JSON wants escaped, newlines excepted.  A search for a byte that is not there costs next to nothing."""


class Clock:
    """Times of log lines as RFC 3339 has them, with milliseconds."""

    def __init__(self, local: bool) -> None:
        self._local = local
        self._second = -1
        self._text = ("", "")

    def stamp(self, at: float) -> bytes:
        """Wall time `at`, in UTC (Z) or in the container's time zone (+01:00)."""
        second = int(at // 1)
        if second != self._second:
            self._second, self._text = second, self._spell(second)
        date, zone = self._text
        return f"{date}.{int((at - second) * 1000):03d}{zone}".encode("ascii")

    def _spell(self, second: int) -> tuple[str, str]:
        moment = (time.localtime if self._local else time.gmtime)(second)
        return time.strftime("%Y-%m-%dT%H:%M:%S", moment), offset(moment.tm_gmtoff or 0) if self._local else "Z"


def offset(seconds: int) -> str:
    """The distance from UTC, as +01:00."""
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


class TextShape:
    """Prefix and time before each line; `prefix` ends with what separates it from the line."""

    def __init__(self, prefix: bytes, clock: Clock | None) -> None:
        self._prefix = prefix
        self._clock = clock
        self._within = False
        """The last piece did not end its line."""

    def __call__(self, text: bytes, at: float, pid: int | None = None) -> bytes:
        """The lines of one read, at wall time `at`."""
        head = self._prefix if self._clock is None else self._clock.stamp(at) + b" " + self._prefix
        return b"".join([self._piece(piece, head) for piece in pieces(text)])

    def _piece(self, text: bytes, head: bytes) -> bytes:
        if self._within and text[:1] == b"\n":  # a piece ended exactly where its line did
            text, self._within = text[1:], False
        if not text:
            return b""
        mark, self._within = CONTINUED if self._within else b"", text[-1:] != b"\n"
        lines = text if self._within else text[:-1]
        return b"".join((head, mark, lines.replace(b"\n", b"\n" + head), b"\n"))


class JsonShape:
    """One JSON object a line."""

    def __init__(self, program: str, stream: str, clock: Clock | None) -> None:
        fixed = b'"program":' + quoted(program.encode("utf-8", "surrogateescape")) + b',"stream":"' + stream.encode()
        self._fixed = fixed + b'"'
        self._clock = clock

    def __call__(self, text: bytes, at: float, pid: int | None = None) -> bytes:
        """The lines of one read, at wall time `at`, of the run with this pid."""
        head = b"{" if self._clock is None else b'{"ts":"' + self._clock.stamp(at) + b'",'
        head += self._fixed + (b',"pid":%d' % pid if pid is not None else b"")
        return b"".join([self._piece(piece, head) for piece in pieces(text)])

    def _piece(self, text: bytes, head: bytes) -> bytes:
        if text[-1:] != b"\n":
            start = text.rfind(b"\n") + 1
            return self._lines(text[:start], head) + self._line(text[start:], head, b',"partial":true')
        return self._lines(text, head)

    def _lines(self, text: bytes, head: bytes) -> bytes:
        """Whole lines."""
        if not text:
            return b""
        if not is_utf8(text):
            return b"".join([self._line(line, head) for line in text[:-1].split(b"\n")])
        body = text[:-1]
        if b"\r" in body:  # a search for one byte is twenty times as fast as one for two
            body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
        body = escaped(body)
        return b"".join((head, b',"line":"', body.replace(b"\n", b'"}\n' + head + b',"line":"'), b'"}\n'))

    def _line(self, line: bytes, head: bytes, more: bytes = b"") -> bytes:
        """One line or piece, which may be no UTF-8."""
        line = line if more else line.removesuffix(b"\r")
        if not is_utf8(line):
            line = line.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace").encode()
            more += b',"escaped":true'
        return b"".join((head, more, b',"line":"', escaped(line), b'"}\n'))


def shape_of(logs: Logs, program: str, stream: str) -> TextShape | JsonShape | None:
    """What these options make of a stream; None where it stays as it is.  `program` is the name people type."""
    clock = Clock(logs.log_timestamps == "local") if logs.log_timestamps != "none" else None
    if logs.log_format == "json":
        return JsonShape(program, stream, clock if logs.timestamps_given else Clock(False))
    prefix = logs.log_prefix or ""
    if not prefix and clock is None:
        return None
    prefix = prefix.replace("{stream}", stream).replace("{name}", program)
    return TextShape((prefix + " " if prefix else "").encode("utf-8", "surrogateescape"), clock)


def pieces(text: bytes, limit: int = LOG_LINE_BYTES) -> Iterator[bytes]:
    """The text in parts of which none has a line longer than `limit`; nearly always it is one part."""
    if len(text) <= limit or not _has_long_line(text, limit):
        yield text
        return
    start = 0
    for line in _lines(text):
        end = start + len(line)
        while end - line.endswith(b"\n") - start > limit:
            stop = start + limit
            stop -= unfinished(text[start:stop])
            yield text[start:stop]
            start = stop
        yield text[start:end]
        start = end


def _lines(text: bytes) -> Iterator[bytes]:
    """Lines with their newlines; only a newline ends one."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _has_long_line(text: bytes, limit: int) -> bool:
    """Whether some line may be longer: such a line covers one of these windows whole."""
    step = limit // 2
    return any(text.find(b"\n", start, start + step) < 0 for start in range(0, len(text), step))


def is_utf8(text: bytes) -> bool:
    """Whether it is valid UTF-8."""
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def escaped(text: bytes) -> bytes:
    """What stands between the quotes of a JSON string; newlines stay."""
    for raw, written in ESCAPES:
        text = text.replace(raw, written)
    return text


def quoted(text: bytes) -> bytes:
    """A whole JSON string."""
    valid = text.decode("utf-8", "backslashreplace").encode()
    return b'"' + escaped(valid).replace(b"\n", b"\\n") + b'"'
