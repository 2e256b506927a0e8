"""What PID 1 itself says: single lines on the inherited stderr, never at the price of blocking.

Theory.  Whoever reads the container's stderr may stop reading, and others write to it too, so "writable a moment ago"
promises nothing: lines are written with initd.logs.pen's Pen, which knows for each kind of descriptor how never to
wait, without setting O_NONBLOCK on what other processes share.  A line of which nothing could be written is dropped and
counted, and the next one that gets through says how many were lost; the rest of one that was cut short (a terminal
takes what it has room for) goes out before the next.

Once there is an Output, the lines go `through` it instead: its queue keeps them whole between the programs' lines.
A log file of our own gets them `beside`.

Lines said one right after the other, as at the end of two hundred programs, are written `together`: at most LINE_BYTES
at once, because a system call for each line would be a tenth of what a death costs.
"""

from __future__ import annotations

from initd.logs.pen import PIPE_BUF, Pen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Line = tuple[str, str]
    """Text and level."""

LINE_BYTES = PIPE_BUF
"""Longest line: what a pipe takes whole or not at all (pipe(7))."""

LEVELS = {"critical": 0, "error": 1, "warn": 2, "info": 3, "debug": 4, "trace": 5, "blather": 6}
"""supervisord's log levels, most important first."""

NEXT = "\n"

AROUND = 64
"""More than stands around the text of a line: prefix, time, level, newline."""


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal or forge a line escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def groups(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in order, as many at a time as fit into LINE_BYTES; a longer one alone."""
    group: list[Line] = []
    left = LINE_BYTES
    for line in lines:
        size = len(line[0]) * (1 if line[0].isascii() else 4) + AROUND
        if group and size > left:
            yield group
            group, left = [], LINE_BYTES
        group.append(line)
        left -= size
    if group:
        yield group


class Voice:
    """Writes lines to one descriptor, each with the `prefix`."""

    def __init__(self, fd: int = 2, level: str = "info", prefix: str = "initd: ") -> None:
        self._fd = fd
        self._prefix = prefix
        self._pen: Pen | None = None
        self._rest = memoryview(b"")
        self._lost = 0
        self._held: list[Line] | None = None
        self.level = level
        self.dropped = 0
        self.through: Callable[[str], object] | None = None
        """Takes one line or several, with newlines between them."""
        self.beside: Callable[[list[Line]], object] | None = None

    def wants(self, level: str) -> bool:
        """Whether a line of this level would be said; for lines that are told often and hardly ever said."""
        return LEVELS.get(level, 0) <= LEVELS.get(self.level, 3)

    def say(self, text: str, level: str = "info") -> None:
        """Write one line if `level` is wanted and the descriptor takes it at once; never raises."""
        if not self.wants(level):
            return
        if self._held is not None:
            self._held.append((text, level))
        else:
            self._tell([(text, level)])

    def together(self, act: Callable[[], object]) -> None:
        """Say what `act` has to say when it is over: each line said would delay all that it does after that."""
        if self._held is not None:
            act()
            return
        self._held = []
        try:
            act()
        finally:
            held, self._held = self._held, None
            for lines in groups(held):
                self._tell(lines)

    def error(self, text: str) -> None:
        """Say a line that matters."""
        self.say(text, "error")

    def _tell(self, lines: list[Line]) -> None:
        try:
            lines = [(printable(text), level) for text, level in lines]
            (self.through or self._write)("\n".join([text for text, _ in lines]))
        except (OSError, MemoryError, ValueError):
            self._lost += len(lines)
            self.dropped += len(lines)
        try:
            if self.beside is not None:
                self.beside(lines)
        except (OSError, MemoryError, ValueError):
            pass  # stderr has it

    def _write(self, text: str) -> None:
        pen = self._pen = self._pen or Pen(self._fd, ours=False)
        self._finish(pen)
        lost = f" ({self._lost} lines lost before this one)" if self._lost else ""
        whole = f"{self._prefix}{text.replace(NEXT, NEXT + self._prefix)}{lost}".encode("utf-8", "backslashreplace")
        line = whole[: LINE_BYTES - 1] + b"\n"
        self._rest = memoryview(line)[pen.write(memoryview(line)) :]
        self._lost = 0
        try:
            self._finish(pen)
        except BlockingIOError:
            pass  # the rest waits for the next line

    def _finish(self, pen: Pen) -> None:
        """Write what is left of the line before.  Raises BlockingIOError where there is still no room."""
        while self._rest:
            self._rest = self._rest[pen.write(self._rest) :]
