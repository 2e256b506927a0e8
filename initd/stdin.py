"""What programs read on their stdin: a pipe for each process, whose other end is kept here and can be written to.

Theory.  A program's stdin is silent until somebody speaks: `initd write`, `supervisorctl fg`, sendProcessStdin, or the
events of a listener.  Writing waits for nobody: what the pipe does not take now waits here, at most STDIN_BYTES, and
goes out when the program reads; beyond that a text is refused whole.  Only the descriptor that stays here is
non-blocking (each end of a pipe is an open file description of its own, pipe(2)), so programs read as ever.

The end is kept for as long as the process lives: a program that reads finds no end of file, as under supervisord.
Where no pipe can be made, the process gets the shared pipe that stays silent, and nothing can be written to it.
"""

from __future__ import annotations

import os
import select

from initd.errors import NotWritable
from wire.limits import STDIN_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Watching(Protocol):
        """What is needed of initd.loop.Loop."""

        def watch(self, fd: int, mask: int, callback: Callable[[int], object]) -> None: ...
        def forget(self, fd: int) -> None: ...


class Inlet:
    """The writable end of one process's stdin."""

    __slots__ = ("_fd", "_loop", "_waiting", "lost")

    def __init__(self, loop: Watching, fd: int) -> None:
        self._loop = loop
        self._fd = fd
        self._waiting = b""
        self.lost = 0
        """Bytes that were accepted and never read, because the reader closed its end."""

    @property
    def waiting(self) -> int:
        """Bytes accepted that the pipe has not taken yet."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Hand it to the program, now or when it reads on.  Raises NotWritable, and then nothing of it is written."""
        if self._fd < 0:
            raise NotWritable("its stdin is closed")
        if len(self._waiting) + len(data) > STDIN_BYTES:
            raise NotWritable(f"it does not read: {len(self._waiting)} bytes wait for it already")
        if self._waiting:
            self._waiting += data
            return
        self._waiting = data
        self._flush()
        if self._fd < 0:
            raise NotWritable("it has closed its stdin")
        if self._waiting:
            self._watch()

    def close(self) -> None:
        """End it; what still waits is lost."""
        if self._fd < 0:
            return
        self.lost += len(self._waiting)
        self._waiting = b""
        self._loop.forget(self._fd)
        os.close(self._fd)
        self._fd = -1

    def _watch(self) -> None:
        try:
            self._loop.watch(self._fd, select.EPOLLOUT, self._on_ready)
        except OSError as error:  # out of kernel memory: what waits goes out with the next write
            raise NotWritable(f"cannot wait for it: {error.strerror}") from error

    def _on_ready(self, _mask: int) -> None:
        self._flush()
        if self._fd >= 0 and not self._waiting:
            self._loop.forget(self._fd)

    def _flush(self) -> None:
        try:
            self._waiting = self._waiting[os.write(self._fd, self._waiting) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # EPIPE: nobody will ever read it
            self.close()


class Inlets:
    """The stdin of every process, by name; `silent` is the shared pipe for those that cannot have one of their own."""

    def __init__(self, loop: Watching, silent: int) -> None:
        self._loop = loop
        self._silent = silent
        self._inlets: dict[str, Inlet] = {}
        self._theirs: dict[str, int] = {}

    def open(self, name: str) -> int:
        """The descriptor that becomes the stdin of a new process; call `spawned` when it has it."""
        self.close(name)
        try:
            theirs, ours = os.pipe2(os.O_CLOEXEC)
        except OSError:
            return self._silent
        os.set_blocking(ours, False)
        self._inlets[name] = Inlet(self._loop, ours)
        self._theirs[name] = theirs
        return theirs

    def spawned(self, name: str) -> None:
        """The child has its end, or will never come."""
        theirs = self._theirs.pop(name, None)
        if theirs is not None:
            os.close(theirs)

    def close(self, name: str) -> None:
        """The process is gone."""
        inlet = self._inlets.pop(name, None)
        if inlet is not None:
            inlet.close()

    def of(self, name: str) -> Inlet | None:
        """What can be written to; None where there is no process, or it shares the silent pipe."""
        return self._inlets.get(name)
