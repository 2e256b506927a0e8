"""Where a program's output goes: a log file with rotation, and the account of what did not get there.

Theory.  Every chunk has an Origin (whose bytes they are).  A sink takes a chunk or loses it, never raises and never
waits.  What is lost is counted at the origin for ever and in the sink's Losses until the sink works again; then one
line says how much, whose and why.  A failed sink (full disk, quota, I/O error, missing directory, no descriptors) is
left alone for SINK_RETRY_SECONDS and tried again only when there is something to write, so that no timer runs.

Rotation by size is supervisord's (loggers.py, RotatingFileHandler): after a write that brings the file to maxbytes or
more, FILE.n becomes FILE.n+1 up to `backups`, FILE becomes FILE.1 and a new FILE begins; backups=0 truncates;
maxbytes=0 never rotates.  Rotation by time is in initd.logs.rotation.  Differences: the old file is kept open until the
new one is, so that a failure in between loses nothing; what another tool moved away or cut meanwhile is not rotated
again; only regular files are rotated.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from initd.logs.rotation import Calendar, Keeping, shift
from wire.limits import NOTE_CHARS, SINK_RETRY_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
"""O_NONBLOCK means nothing to a regular file and keeps the open of a fifo from waiting for its reader."""


class Origin:
    """One stream of one program, as the writer of bytes into sinks."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.dropped = 0
        """Bytes that some sink could not take, in total."""


class Losses:
    """What one sink lost since it last said so."""

    def __init__(self, sink: str) -> None:
        self.sink = sink
        self.why = ""
        self._counts: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, origin: Origin, count: int, why: str) -> None:
        """`count` bytes of `origin` are lost."""
        if count:
            origin.dropped += count
            self._counts[origin.label] = self._counts.get(origin.label, 0) + count
            self.why = why

    def settle(self) -> str:
        """The one line that tells them; the account starts anew."""
        shares = ", ".join(f"{label} {count}" for label, count in self._counts.items())
        total = sum(self._counts.values())
        self._counts = {}
        shares = shares if len(shares) <= NOTE_CHARS else shares[:NOTE_CHARS] + "..."
        return f"{total} bytes of output did not reach {self.sink}: {shares} ({self.why})"


def open_log(path: str, extra: int = 0) -> int:
    """A descriptor that appends to `path`; a missing directory is made.  Raises OSError."""
    try:
        return os.open(path, OPEN | extra, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        return os.open(path, OPEN | extra, 0o666)


class FileSink:
    """A log file, shared by all streams that name it."""

    def __init__(
        self,
        path: str,
        keeping: Keeping,
        clock: Callable[[], float],
        say: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.keeping = keeping
        self.on_rotated: Callable[[FileSink], object] | None = None
        """Told when FILE.1 is to be compressed."""
        self.may_splice = False
        """Rotation wants to know what comes."""
        self.losses = Losses(path)
        self.flow = "flowing"
        """It never asks for a pause; see initd.logs.stream."""
        self._clock = clock
        self._say = say
        self._fd = -1
        self._size = 0
        self._rotate_at = keeping.maxbytes
        self._retry_at: float | None = None
        self._wall = wall
        self._calendar = Calendar(keeping.every) if keeping.every != "never" else None

    def splice(self, source: int, count: int) -> int:
        """Nothing comes uncopied; see initd.logs.stream."""
        return 0

    def relay(self, parts: Sequence[bytes | memoryview], origin: Origin) -> None:
        """As `write`, of parts of a buffer that will be used again."""
        for part in parts:
            self.write(part, origin)

    def write(self, chunk: bytes | memoryview, origin: Origin) -> None:
        """Append the chunk or count it as lost; rotate afterwards if it is time."""
        if not chunk:
            return
        if self._retry_at is not None and self._clock() < self._retry_at:
            self.losses.add(origin, len(chunk), self.losses.why)
            return
        done = 0
        try:
            if self._fd < 0:
                self._open()
            if self._calendar is not None and self._calendar.is_over(self._wall()):
                self._turn_over(self._calendar)
            while done < len(chunk):
                done += self._put(chunk[done:] if done else chunk)
        except OSError as error:
            self._fail(error, origin, len(chunk) - done)
            return
        self._recover()
        if self._rotate_at and self._size >= self._rotate_at:
            self._rotate(self.keeping.maxbytes)

    def flush(self) -> bool:
        """Nothing ever waits here."""
        return True

    def reopen(self) -> None:
        """Close and open by name again: another tool has moved the file away."""
        self.close()
        self._retry_at = None
        self.begin()

    def begin(self) -> None:
        """Have the file before anything is written: supervisord makes it at the start, and followers look for it."""
        if self._fd >= 0 or self._retry_at is not None:
            return
        try:
            self._open()
        except OSError as error:
            self._fail(error, Origin(""), 0)

    def clear(self) -> None:
        """Begin the file anew under its name; who has the old one open keeps it.  Raises OSError."""
        self.close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        self.reopen()

    def close(self) -> None:
        """Give the descriptor back; the next write opens again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        self._fd = open_log(self.path)
        found = os.fstat(self._fd)
        self._size = found.st_size
        self._rotate_at = self.keeping.maxbytes if stat.S_ISREG(found.st_mode) else 0
        if self._calendar is not None:
            self._calendar.begin(found.st_mtime if found.st_size else self._wall())

    def _put(self, part: bytes | memoryview) -> int:
        done = os.write(self._fd, part)
        self._size += done
        return done

    def _fail(self, error: OSError, origin: Origin, lost: int) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)
        first = self._retry_at is None
        self._retry_at = self._clock() + SINK_RETRY_SECONDS
        self.losses.why = why
        self.losses.add(origin, lost, why)
        self.close()
        if first:
            self._say(f"cannot write {self.path}: {why}; its output is dropped until it can be written")

    def _recover(self) -> None:
        self._retry_at = None
        if self.losses:
            self._say(self.losses.settle())

    def _turn_over(self, calendar: Calendar) -> None:
        """Another period begins; a file that cannot be rotated now has its next chance when that is over."""
        calendar.begin(self._wall())
        if stat.S_ISREG(os.fstat(self._fd).st_mode):
            self._rotate(1)

    def _rotate(self, size: int) -> None:
        """Begin the file anew if it really has this size."""
        try:
            if self._moved():
                self.reopen()
            elif self._size >= size:
                self._shift()
        except OSError as error:
            self._rotate_at = self._size + self.keeping.maxbytes if self.keeping.maxbytes else 0
            self._say(f"cannot rotate {self.path}: {os.strerror(error.errno or errno.EIO)}; it grows on")

    def _moved(self) -> bool:
        """Whether the name no longer leads to our file; also learns the true size, for a file that was cut."""
        here = os.fstat(self._fd)
        self._size = here.st_size
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return True
        return (here.st_dev, here.st_ino) != (named.st_dev, named.st_ino)

    def _shift(self) -> None:
        shift(self.path, self.keeping)
        fresh = open_log(self.path, os.O_TRUNC)
        os.close(self._fd)
        self._fd, self._size = fresh, 0
        if self.on_rotated is not None and self.keeping.compress and self.keeping.backups > 0:
            self.on_rotated(self)
