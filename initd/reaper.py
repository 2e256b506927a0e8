"""Collects every dead child and says how it died.

Theory.  SIGCHLD coalesces: one signal may stand for any number of deaths, so each one is answered by calling wait4(2)
until there is nobody left to collect, without a cap.  PID 1 also inherits every orphan of its namespace; those are
counted, not logged one by one.  Nobody else in this process may wait for children (the one exception is spawn's, for a
child that failed before execve and whose pid nobody was told), so a pid in our books stays valid, and may be signalled,
until `collect` has returned it.  WUNTRACED is not set: a stopped child has not died.
"""

from __future__ import annotations

import os

from wire._record import Record
from wire.model import Rusage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 256
"""Deaths handed over at once: their handling is interleaved with reaping, so 5,000 orphans need no list of 5,000."""


class Death(Record):
    """One reaped process: exit status, or None and the signal that ended it."""

    pid: int
    code: int | None
    signal: int | None
    core: bool
    rusage: Rusage | None


def collect() -> Iterator[list[Death]]:
    """All deaths there are now, in lists of at most CHUNK; never blocks."""
    batch: list[Death] = []
    while (death := _next()) is not None:
        batch.append(death)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _next() -> Death | None:
    try:
        pid, status, used = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    usage = Rusage(used.ru_utime, used.ru_stime, used.ru_maxrss * 1024, used.ru_minflt, used.ru_majflt)
    return decode(pid, status, usage)


def decode(pid: int, status: int, rusage: Rusage | None = None) -> Death:
    """The meaning of a wait status, as the macros of waitpid(2) have it."""
    if os.WIFSIGNALED(status):
        return Death(pid, None, os.WTERMSIG(status), os.WCOREDUMP(status), rusage)
    return Death(pid, os.WEXITSTATUS(status), None, False, rusage)


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat, which tells a process from a later one of the same pid; None where /proc is not."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # The name in field 2 may hold anything, parentheses and spaces too: count from its end.
        return int(os.read(fd, 4096).rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(fd)
