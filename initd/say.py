"""What PID 1 itself says: single lines on the inherited stderr, never at the price of blocking.

Theory.  Whoever reads the container's stderr may stop reading, and others write to it too, so "writable a moment ago"
promises nothing: lines are written with initd.logs.stream's Pen, which knows for each kind of descriptor how never to
wait, without setting O_NONBLOCK on what other processes share.  A line of which nothing could be written is dropped and
counted, and the next one that gets through says how many were lost; the rest of one that was cut short (a terminal
takes what it has room for) goes out before the next.

Once there is an Output, the lines go `through` it instead: its queue keeps them whole between the programs' lines.
A log file of our own gets them `beside`.
"""

from __future__ import annotations

from initd.logs.stream import PIPE_BUF, Pen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINE_BYTES = PIPE_BUF
"""Longest line: what a pipe takes whole or not at all (pipe(7))."""

LEVELS = {"critical": 0, "error": 1, "warn": 2, "info": 3, "debug": 4, "trace": 5, "blather": 6}
"""supervisord's log levels, most important first."""


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal or forge a line escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


class Voice:
    """Writes lines to one descriptor, each with the `prefix`."""

    def __init__(self, fd: int = 2, level: str = "info", prefix: str = "initd: ") -> None:
        self._fd = fd
        self._prefix = prefix
        self._pen: Pen | None = None
        self._rest = memoryview(b"")
        self._lost = 0
        self._held: list[tuple[str, str]] | None = None
        self.level = level
        self.dropped = 0
        self.through: Callable[[str], object] | None = None
        self.beside: Callable[[str, str], object] | None = None

    def say(self, text: str, level: str = "info") -> None:
        """Write one line if `level` is wanted and the descriptor takes it at once; never raises."""
        if self._held is not None:
            self._held.append((text, level))
            return
        if LEVELS.get(level, 0) > LEVELS.get(self.level, 3):
            return
        try:
            (self.through or self._write)(printable(text))
        except (OSError, MemoryError, ValueError):
            self._lost += 1
            self.dropped += 1
        try:
            if self.beside is not None:
                self.beside(printable(text), level)
        except (OSError, MemoryError, ValueError):
            pass  # stderr has it

    def hold(self) -> None:
        """Keep lines until `let_go`: while programs are started, each line said delays all that come after."""
        self._held = []

    def let_go(self) -> None:
        """Say what was kept, and go on as before."""
        held, self._held = self._held, None
        for text, level in held or ():
            self.say(text, level)

    def error(self, text: str) -> None:
        """Say a line that matters."""
        self.say(text, "error")

    def _write(self, text: str) -> None:
        pen = self._pen = self._pen or Pen(self._fd, ours=False)
        self._finish(pen)
        lost = f" ({self._lost} lines lost before this one)" if self._lost else ""
        line = f"{self._prefix}{text}{lost}".encode("utf-8", "backslashreplace")[: LINE_BYTES - 1] + b"\n"
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
