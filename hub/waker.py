"""How other threads and signals wake the loop: by a byte."""

from __future__ import annotations

import socket as sockets
from contextlib import suppress


class Waker:
    """A descriptor that other threads write to when they have left something."""

    def __init__(self) -> None:
        self.reader, self._writer = sockets.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)

    def wake(self) -> None:
        """From any thread; a full pipe is awake already."""
        with suppress(BlockingIOError):
            self._writer.send(b"\0")

    def fileno(self) -> int:
        """For signal.set_wakeup_fd."""
        return self._writer.fileno()

    def clear(self) -> None:
        """After the poll."""
        with suppress(BlockingIOError):
            while self.reader.recv(4096):
                pass
