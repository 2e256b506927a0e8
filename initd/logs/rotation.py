"""When a log file is rotated and what becomes of its old parts.

Theory.  Two reasons to rotate: size, which is supervisord's and looked at after each write, and time, looked at before
each write.  Time has periods: days and hours of the container's time zone, or seconds counted from 1970; a file belongs
to the period of its first byte, or, found at the start, of its last change.  So nothing wakes PID 1 at midnight, a file
that nobody writes to is not rotated, and a restart neither skips a rotation nor repeats one.

FILE.n becomes FILE.n+1 up to `backups`, FILE becomes FILE.1.  Where old parts are compressed (initd.logs.archive) each
of these may be FILE.n.gz instead; it moves along, and the oldest goes, whichever it is.
"""

from __future__ import annotations

import os
import time

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHIVED = ".gz"


class Keeping(Record):
    """How a log file is kept: the options of the program that named it first."""

    maxbytes: int
    """0: size never rotates."""
    backups: int
    every: str | int = "never"
    """`never`, `hourly`, `daily` or seconds."""
    compress: bool = False


def period(every: str | int, at: float) -> tuple[int, float]:
    """Number of the period in which wall time `at` lies, and how long that is certain: clocks change at full hours."""
    if not isinstance(every, str):
        return int(at // every), float((at // every + 1) * every)
    local = at + (time.localtime(at).tm_gmtoff or 0)
    return int(local // {"daily": 86400, "hourly": 3600}[every]), at + 3600 - local % 3600


class Calendar:
    """The period a file is in.  `every` is not `never`."""

    def __init__(self, every: str | int) -> None:
        self._every = every
        self._number = 0
        self._certain = 0.0

    def begin(self, at: float) -> None:
        """The file's first byte, or its last change, is of wall time `at`."""
        self._number, self._certain = period(self._every, at)

    def is_over(self, now: float) -> bool:
        """Whether another period has begun; a clock that went back begins none."""
        if now < self._certain:
            return False
        number, certain = period(self._every, now)
        if number == self._number:
            self._certain = certain
        return number > self._number


def shift(path: str, keeping: Keeping) -> None:
    """Move FILE and its old parts on by one; FILE is gone then unless there are no backups.  Raises OSError."""
    kinds = ("", ARCHIVED) if keeping.compress else ("",)
    for number in range(keeping.backups, 0, -1):
        older = path if number == 1 else f"{path}.{number - 1}"
        moved = [kind for kind in kinds if _is_there(older + kind, number)]
        for kind in kinds if keeping.compress and moved else ():
            if kind not in moved:
                _remove(f"{path}.{number}{kind}")
        for kind in moved:
            os.rename(older + kind, f"{path}.{number}{kind}")


def _is_there(name: str, number: int) -> bool:
    """FILE itself must be there, which its rename will tell."""
    return not name.endswith(ARCHIVED) if number == 1 else os.path.lexists(name)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def loose(path: str, keeping: Keeping) -> Iterator[str]:
    """Old parts that are not compressed yet, the oldest first."""
    for number in range(keeping.backups, 0, -1):
        if os.path.lexists(f"{path}.{number}"):
            yield f"{path}.{number}"


def whereabouts(path: str, keeping: Keeping, inode: int) -> str | None:
    """The old part that is this file now: it may have moved on since."""
    for part in loose(path, keeping):
        if os.lstat(part).st_ino == inode:
            return part
    return None
