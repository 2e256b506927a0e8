"""The system calls of supervision in one small object, so that a test can put a simulated machine in its place.

Theory of start ticks.  What tells a process from a later one with the same pid is field 22 of /proc/PID/stat, its start
by CLOCK_BOOTTIME in clock ticks, rounded down (do_task_stat in fs/proc/array.c).  To read it costs a start a tenth, and
its end as much again, since the kernel has to forget the names below /proc/PID.  But a process was made between two
readings of the same clock: where both show the same tick, that is it, and nothing need be read.  The first one is read
all the same, and if it differs (another kernel's rules), all are.
"""

from __future__ import annotations

import os
import time

from initd import oom, reaper, spawn
from wire.model import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from initd import sweep
    from initd.process import Process

KILL = 9

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
"""Nanoseconds."""


BIRTHS = 4096
"""Kept at most; nobody asks for those of probes and other errands."""


def boot_ticks() -> int:
    """Clock ticks since boot, as the kernel counts them for the start of a process."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // TICK


class Kernel:
    """The real machine; see the modules named for what each method does."""

    def __init__(self) -> None:
        self._oom = oom.OomCounter()
        self.pid = os.getpid()
        self.token = os.urandom(4).hex()
        """Tells the marks of this run of initd from those of others; see initd.family."""
        self.folders: dict[str, str] = {}
        """By name of a process, the directory of its own cgroup."""
        self._births: dict[int, int] = {}
        """By pid, the tick in which it was made, until somebody asks."""
        self._error: int | None = None
        """By how much the first tick was wrong."""
        self._counters: dict[int, tuple[str, int]] = {}
        """By pid, the file that counts the OOM kills of its own cgroup, and the count at its start."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def spawn(self, order: spawn.Order) -> int:
        """Start a process.  Raises StartFailed."""
        counter = order.confine.counter if order.confine is not None else ""
        before = (oom.read_count(counter) or 0) if counter else 0
        tick = boot_ticks()
        pid = spawn.spawn(order)
        if boot_ticks() == tick:
            if len(self._births) >= BIRTHS:
                self._births.clear()
            self._births[pid] = tick
        if counter:
            self._counters[pid] = counter, before
        return pid

    def kill(self, pid: int, signum: int, group: bool) -> None:
        """Signal a process that was not reaped yet, or the group it leads.  Raises OSError."""
        (os.killpg if group else os.kill)(pid, signum)

    def collect(self) -> Iterator[list[reaper.Death]]:
        """Reap everything that has died."""
        return reaper.collect()

    def start_ticks(self, pid: int) -> int | None:
        """When a process started, in clock ticks since boot; of one just started without asking the kernel."""
        tick = self._births.pop(pid, None)
        if tick is None:
            return reaper.start_ticks(pid)
        if self._error is None:
            found = reaper.start_ticks(pid)
            self._error = 0 if found is None else found - tick
        return tick if self._error == 0 else reaper.start_ticks(pid)

    def judge(self, killed: Collection[int], programs: Collection[int], now: float) -> Cause:
        """What SIGKILL deaths mean that were not ours."""
        return self._oom.judge(killed, programs, now)

    def verdict(self, death: reaper.Death, suspicion: Cause) -> Cause:
        """What one program's death means: exact where it has a cgroup of its own, else what `judge` said."""
        counter, before = self._counters.pop(death.pid, ("", 0))
        count = oom.read_count(counter) if counter else None
        if count is None or death.signal != KILL:
            return suspicion
        return Cause.OOM if count > before else Cause.SIGNAL

    def glance(self, programs: Collection[int], now: float) -> None:
        """Look at the OOM counter in passing."""
        self._oom.glance(programs, now)

    def leftovers(self) -> list[sweep.Leftover]:
        """Processes that are ours to end at shutdown, beside the supervised ones."""
        from initd import sweep  # of stage 2 (initd.serve)

        return sweep.leftovers(self.pid)

    def signal_leftovers(self, signum: int, found: list[sweep.Leftover]) -> None:
        """Signal them all; as PID 1 without missing one that was just forked."""
        from initd import sweep

        sweep.signal_all(self.pid, signum, found)

    def signal_some(self, signum: int, found: list[sweep.Leftover]) -> None:
        """Signal these and nobody else, each only if it still is the one."""
        from initd import sweep

        sweep.send([(one.pid, one.start_ticks) for one in found], signum)

    # A program's family; initd.family is read in stage 2, with the part for limits, or when it is first needed

    def mark(self, process: Process) -> str:
        """What the next process of a program is to carry in the variable family.VARIABLE."""
        from initd import family

        return family.mark(self, process)

    def members(self, process: Process, scope: str) -> list[tuple[int, int]]:
        """(pid, start ticks) of everybody alive in the scope of a program."""
        from initd import family

        return family.members(self, process, scope)

    def reach(self, process: Process, scope: str, signum: int) -> list[tuple[int, int]]:
        """Signal everybody in the scope, never a pid that was given anew; returns whom."""
        from initd import family

        return family.reach(self, process, scope, signum)

    def survivors(self, process: Process, known: Collection[int] = ()) -> list[sweep.Leftover]:
        """Orphans that may be a program's, of whom nobody knows: to be reported."""
        from initd import family

        return family.survivors(self, process, known)

    def group_folder(self, name: str) -> str:
        """The cgroup that a program has for itself, "" where it has none."""
        return self.folders.get(name, "")
