"""Secrets in a program's output become ***, before any log, ring or exit record sees them.

Theory.  No regular expressions: PID 1 has none in stage 1, and a pattern that somebody wrote in haste must not be able
to stop it.  A pattern is a literal text with at most one `*`, letters of either case being the same:

    NAME=*      the value of NAME in the spellings there are: NAME=v, NAME: v, "NAME": "v", \\"NAME\\": \\"v\\"
    BEFORE*     a word that follows BEFORE (blanks between are kept): up to white space or a quotation mark
    BEFORE*END  a word up to END, as in ://*@
    TEXT        itself

A value in quotation marks goes to the closing ones, else to the end of its line.  Each pattern costs one search through
the text, and each hit a search to the end of a word or line, after which the search goes on behind it: linear always.

Text comes as whole lines.  A line that comes in pieces is taken as far as it is known: a value that may go on is
masked, and the part of it that begins the next piece is masked too; the last CONTEXT bytes of a piece are remembered,
so that `password=` at the end of one piece masks the beginning of the next.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Span = tuple[int, int, bytes]
    """First byte, the byte after the last, and what would have ended it where the text ended first (b"" for known)."""

STARS = b"***"
CONTEXT = 256
"""Bytes of a piece that are remembered: longer than any pattern (LOG_MASK_CHARS) with quotes and blanks around."""

SPACES = 32
"""Most blanks or backslashes between a name, its sign and its value."""

LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
WORD_ENDS = b" \t\r\n\v\f\"'`"
FLAT = bytes(10 if byte in WORD_ENDS else byte for byte in range(256))
"""Maps all that ends a word to a newline, so that one search finds the end."""
WORD = b" "
"""Stands for WORD_ENDS as what ends a value that is open."""


class Pattern:
    """One pattern, compiled."""

    def __init__(self, text: str) -> None:
        raw = text.encode("utf-8", "surrogateescape").translate(LOWER)
        self.anchor, star, self.end = raw.partition(b"*")
        self.is_literal = not star
        self.is_named = bool(star) and not self.end and self.anchor[-1:] in b"=:"
        if self.is_named:
            self.anchor = self.anchor[:-1].rstrip()

    def spans(self, low: bytes, flat: bytes) -> Iterator[Span]:
        """What to mask; `low` is the text in lower case, `flat` that with all word ends as newlines."""
        at = low.find(self.anchor)
        while at >= 0:
            start = at + len(self.anchor)
            span = (at, start, b"") if self.is_literal else self._value(low, flat, start)
            if span is not None and span[1] > span[0]:
                yield span
                start = max(start, span[1])
            elif self.end:  # no END in this word: then none of its other BEFOREs has one
                start = max(start, flat.find(b"\n", start) - len(self.anchor))
            at = low.find(self.anchor, start)

    def _value(self, low: bytes, flat: bytes, start: int) -> Span | None:
        if self.is_named:
            start = _behind_sign(low, start)
            if start < 0:
                return None
        if self.end:
            return self._until_end(low, flat, start)
        start = _skip(low, start, b" \t")
        quote = _skip(low, start, b"\\")
        if low[quote : quote + 1] in (b'"', b"'"):
            return _until(low, quote + 1, low[start : quote + 1])
        stop = flat.find(b"\n", start)
        return (start, stop, b"") if stop >= 0 else (start, len(low), WORD)

    def _until_end(self, low: bytes, flat: bytes, start: int) -> Span | None:
        stop = flat.find(b"\n", start)
        found = low.find(self.end, start, stop if stop >= 0 else len(low))
        if found >= 0:
            return start, found, b""
        return (start, len(low), WORD) if stop < 0 else None


class Mask:
    """The patterns of one stream, with what they remember of an unfinished line."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = [Pattern(text) for text in patterns]
        self._open = b""
        """What ends the value whose beginning was masked already; empty where there is none."""
        self._before = b""

    def __call__(self, text: bytes) -> bytes:
        """The text without its secrets."""
        kept = self._finish(text)
        if not kept:
            return kept
        whole = self._before + kept
        known = len(self._before)
        spans = [span for span in self._spans(whole) if span[1] > known]
        if kept[-1:] != b"\n":
            self._before = whole[-CONTEXT:]
            self._open = next((ender for _, stop, ender in spans if stop == len(whole) and ender), b"")
        else:
            self._before = b""
        return _starred(whole, spans, known) if spans else kept

    def forget(self) -> None:
        """The line that was unfinished never goes on."""
        self._open, self._before = b"", b""

    def _finish(self, text: bytes) -> bytes:
        """The text behind the value that was open."""
        if not self._open:
            return text
        stop = _end_of(text, self._open)
        if stop < 0:
            return b""
        self._open, self._before = b"", b""
        return text[stop:]

    def _spans(self, text: bytes) -> list[Span]:
        low = text.translate(LOWER)
        flat = b""
        found: list[Span] = []
        for pattern in self._patterns:
            if pattern.anchor in low:
                flat = flat or low.translate(FLAT)
                found += pattern.spans(low, flat)
        return sorted(found)


def _behind_sign(low: bytes, at: int) -> int:
    """Where the value of a name may begin that ended at `at`: behind = or :, -1 where neither follows."""
    at = _skip(low, at, b"\\")
    if low[at : at + 1] in (b'"', b"'"):
        at += 1
    at = _skip(low, at, b" \t")
    return at + 1 if low[at : at + 1] in (b"=", b":") else -1


def _skip(text: bytes, at: int, what: bytes) -> int:
    """Where, from `at` on, something else than these bytes comes first; looks at SPACES of them."""
    return at + SPACES - len(text[at : at + SPACES].ljust(SPACES, b"x").lstrip(what))


def _until(low: bytes, start: int, quote: bytes) -> Span:
    """A value in quotation marks, from behind the opening ones."""
    line = low.find(b"\n", start)
    stop = _closing(low, quote, start, line if line >= 0 else len(low))
    if stop >= 0:
        return start, stop, b""
    return (start, line, b"") if line >= 0 else (start, len(low), quote)


def _closing(low: bytes, quote: bytes, start: int, end: int) -> int:
    """Where the closing quotation mark is, -1 where it is not before `end`; one behind a backslash closes nothing."""
    stop = low.find(quote, start, end)
    while stop > start and low[stop - 1] == 0x5C:
        stop = low.find(quote, stop + len(quote), end)
    return stop


def _end_of(text: bytes, ender: bytes) -> int:
    """Where an open value ends, -1 where it goes on."""
    if ender == WORD:
        return text.translate(FLAT).find(b"\n")
    line = text.find(b"\n")
    stop = _closing(text, ender, 0, line if line >= 0 else len(text))
    return stop if stop >= 0 else line


def _starred(whole: bytes, spans: list[Span], known: int) -> bytes:
    """`whole` from `known` on, with stars in place of the spans, which are sorted and may overlap."""
    parts, at = [], known
    for start, stop, _ in spans:
        if stop <= at:
            continue
        parts += [whole[at : max(at, start)], STARS]
        at = stop
    return b"".join([*parts, whole[at:]])
