"""The system calls of supervision in one small object, so that a test can put a simulated machine in its place."""

from __future__ import annotations

import os
import time

from initd import family, oom, reaper, spawn, sweep
from wire.model import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from initd.process import Process


class Kernel:
    """The real machine; see the modules named for what each method does."""

    def __init__(self) -> None:
        self._oom = oom.OomCounter()
        self.pid = os.getpid()
        self.token = os.urandom(4).hex()
        """Tells the marks of this run of initd from those of others; see initd.family."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def spawn(self, order: spawn.Order) -> int:
        """Start a process.  Raises StartFailed."""
        return spawn.spawn(order)

    def kill(self, pid: int, signum: int, group: bool) -> None:
        """Signal a process that was not reaped yet, or the group it leads.  Raises OSError."""
        (os.killpg if group else os.kill)(pid, signum)

    def collect(self) -> Iterator[list[reaper.Death]]:
        """Reap everything that has died."""
        return reaper.collect()

    def start_ticks(self, pid: int) -> int | None:
        """When the process started, in clock ticks since boot."""
        return reaper.start_ticks(pid)

    def judge(self, killed: Collection[int], programs: Collection[int], now: float) -> Cause:
        """What SIGKILL deaths mean that were not ours."""
        return self._oom.judge(killed, programs, now)

    def glance(self, programs: Collection[int], now: float) -> None:
        """Look at the OOM counter in passing."""
        self._oom.glance(programs, now)

    def leftovers(self) -> list[sweep.Leftover]:
        """Processes that are ours to end at shutdown, beside the supervised ones."""
        return sweep.leftovers(self.pid)

    def signal_leftovers(self, signum: int, found: list[sweep.Leftover]) -> None:
        """Signal them all; as PID 1 without missing one that was just forked."""
        sweep.signal_all(self.pid, signum, found)

    # A program's family; see initd.family

    def mark(self, process: Process) -> str:
        """What the next process of a program is to carry in the variable family.VARIABLE."""
        return family.mark(self, process)

    def members(self, process: Process, scope: str) -> list[tuple[int, int]]:
        """(pid, start ticks) of everybody alive in the scope of a program."""
        return family.members(self, process, scope)

    def reach(self, process: Process, scope: str, signum: int) -> list[tuple[int, int]]:
        """Signal everybody in the scope, never a pid that was given anew; returns whom."""
        return family.reach(self, process, scope, signum)

    def survivors(self, process: Process, known: Collection[int] = ()) -> list[sweep.Leftover]:
        """Orphans that may be a program's, of whom nobody knows: to be reported."""
        return family.survivors(self, process, known)

    def group_folder(self, name: str) -> str:
        """The cgroup that a program has for itself, "" where it has none."""
        return ""
