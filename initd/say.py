"""What PID 1 itself says: single lines on the inherited stderr, never at the price of blocking.

Theory.  Whoever reads the container's stderr may stop reading.  A pipe or a terminal that poll(2) calls writable takes
at least PIPE_BUF (4096) bytes at once (pipe(7)), so a line cut to that length never blocks; where poll does not call
it writable, the line is dropped and counted, and the next line that gets through says how many were lost.
O_NONBLOCK is not set, because other processes share the description.

Once there is an Output, the lines go `through` it instead: its queue keeps them whole between the programs' lines.
"""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINE_BYTES = 4096
"""Longest line: PIPE_BUF, what a writable pipe takes without blocking."""

LEVELS = {"critical": 0, "error": 1, "warn": 2, "info": 3, "debug": 4, "trace": 5, "blather": 6}
"""supervisord's log levels, most important first."""


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal or forge a line escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


class Voice:
    """Writes `initd: ...` lines to one descriptor."""

    def __init__(self, fd: int = 2, level: str = "info", name: str = "initd") -> None:
        self._fd = fd
        self._name = name
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._lost = 0
        self.level = level
        self.dropped = 0
        self.through: Callable[[str], object] | None = None

    def say(self, text: str, level: str = "info") -> None:
        """Write one line if `level` is wanted and the descriptor takes it at once; never raises."""
        if LEVELS.get(level, 0) > LEVELS.get(self.level, 3):
            return
        try:
            (self.through or self._write)(printable(text))
        except (OSError, MemoryError, ValueError):
            self._count()

    def error(self, text: str) -> None:
        """Say a line that matters."""
        self.say(text, "error")

    def _write(self, text: str) -> None:
        if not self._writable():
            self._count()
            return
        lost = f" ({self._lost} lines lost before this one)" if self._lost else ""
        line = f"{self._name}: {text}{lost}".encode("utf-8", "backslashreplace")
        os.write(self._fd, line[: LINE_BYTES - 1] + b"\n")
        self._lost = 0

    def _writable(self) -> bool:
        return any(event & select.POLLOUT and not event & select.POLLERR for _, event in self._poll.poll(0))

    def _count(self) -> None:
        self._lost += 1
        self.dropped += 1
