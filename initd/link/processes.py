"""Every process of the container: who it is, whose it is, and what it uses, read from /proc.

Theory.  /proc/PID/stat is kept open for each process: one pread gives everything but descriptors and IO, and an open
file can never show a later process of the same pid (it gives ESRCH).  That costs 3 us a process a round, a tenth of
what a general library takes, and it is done for every process of the container again and again.

Whose it is: a program's leader is known from PID 1 by pid and start time; its descendants are its children; a process
that was once seen as such, or still is in a leader's process group or session, stays the program's although its parent
is gone.  All others are unmanaged.  Zombies are not listed: they use nothing and are no longer processes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from initd.link.files import read
from wire import limits
from wire.model import RosterRow

TICKS, PAGE, NAN = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE"), math.nan
KEPT_FILES = 800
"""Most stat files kept open; RLIMIT_NOFILE may be 1024.  Beyond, they are opened for each round."""

Key = tuple[int, int]
"""pid and start ticks."""


class Stat(NamedTuple):
    """What /proc/PID/stat says, as far as we need it (proc(5))."""

    command: str
    state: str
    parent: int
    group: int
    session: int
    cpu_seconds: float
    threads: int
    start_ticks: int
    rss: int


def parse_stat(raw: bytes) -> Stat:
    """Fields of a stat line; the name stands in parentheses and may hold any byte.  Raises ValueError."""
    start, end = raw.index(b"("), raw.rindex(b")")
    rest = raw[end + 2 :].split()
    if len(rest) < 22:
        raise ValueError("a stat line has more fields")
    command = raw[start + 1 : end].decode("utf-8", "backslashreplace")[:64]
    cpu = (int(rest[11]) + int(rest[12])) / TICKS
    return Stat(
        command, chr(rest[0][0]), int(rest[1]), int(rest[2]), int(rest[3]), cpu,
        int(rest[17]), int(rest[19]), int(rest[21]) * PAGE,
    )  # fmt: skip


class Known:
    """One process over its life."""

    def __init__(self, pid: int, stat: Stat, file: int | None, uid: int, gid: int) -> None:
        self.pid, self.stat, self.file, self.uid, self.gid = pid, stat, file, uid, gid
        self.program = ""
        """Of which program it is, once that was seen."""
        self.used: float | None = None
        """CPU seconds at the round before."""

    @property
    def key(self) -> Key:
        return self.pid, self.stat.start_ticks


class Private(NamedTuple):
    """Figures of a process that only its own user may read."""

    read_bytes: float = NAN
    write_bytes: float = NAN
    fds: float = NAN


class Table:
    """All processes; `proc` is for tests.  `root` limits it to a process and its descendants (outside a container)."""

    def __init__(self, proc: str = "/proc", root: int | None = None) -> None:
        self.proc, self.root = proc, root
        self.known: dict[int, Known] = {}
        self.left_out = 0

    def scan(self) -> list[Known]:
        """Read everything once; processes by pid, zombies left out."""
        present = set(self._pids())
        for pid in self.known.keys() - present:
            self._forget(pid)
        for pid in present:
            self._refresh(pid)
        alive = [one for _, one in sorted(self.known.items()) if one.stat.state not in "ZX"]
        if self.root is not None:
            alive = descendants(alive, self.root)
        self.left_out = max(0, len(alive) - limits.PROCESSES)
        return alive[: limits.PROCESSES]

    def close(self) -> None:
        """Close what is kept open."""
        for pid in tuple(self.known):
            self._forget(pid)

    def _pids(self) -> Iterable[int]:
        return (int(name) for name in os.listdir(self.proc) if name.isdecimal())

    def _refresh(self, pid: int) -> None:
        one = self.known.get(pid)
        try:
            if one is not None and one.file is not None:
                one.stat = parse_stat(os.pread(one.file, 4096, 0))
                return
            self._meet(pid, one)
        except (OSError, ValueError):  # it died in this moment, or the pid is another's now
            self._forget(pid)
            if one is not None:
                self._refresh(pid)

    def _meet(self, pid: int, before: Known | None) -> None:
        file = os.open(f"{self.proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            stat = parse_stat(os.pread(file, 4096, 0))
        except (OSError, ValueError):
            os.close(file)
            raise
        if before is not None and before.stat.start_ticks == stat.start_ticks:
            before.stat = stat
            os.close(file)
            return
        kept = file if len(self.known) < KEPT_FILES else None
        if kept is None:
            os.close(file)
        self.known[pid] = Known(pid, stat, kept, *owner(read(f"{self.proc}/{pid}/status")))

    def _forget(self, pid: int) -> None:
        one = self.known.pop(pid, None)
        if one is not None and one.file is not None:
            os.close(one.file)

    def private(self, pid: int) -> Private | None:
        """IO and descriptors, as far as we may read them; None where all of it is refused."""
        return read_private(self.proc, pid)


def owner(status: str) -> tuple[int, int]:
    """Real user and group of /proc/PID/status; 0 where unreadable."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int((lines.get("Uid") or "0").split()[0]), int((lines.get("Gid") or "0").split()[0])


def descendants(all_of: list[Known], root: int) -> list[Known]:
    """`root` and what descends from it, in the given order."""
    inside, grew = {root}, True
    while grew:
        more = {one.pid for one in all_of if one.stat.parent in inside} - inside
        inside |= more
        grew = bool(more)
    return [one for one in all_of if one.pid in inside]


def read_private(proc: str, pid: int) -> Private | None:
    """What /proc/PID/io and /proc/PID/fd say; None where both are refused."""
    fds, numbers = count_fds(proc, pid), io_numbers(read(f"{proc}/{pid}/io"))
    if fds != fds and not numbers:
        return None
    return Private(numbers.get("read_bytes", NAN), numbers.get("write_bytes", NAN), fds)


def count_fds(proc: str, pid: int) -> float:
    """Open descriptors; NaN where we may not know.  Linux 6.2 and newer tell it as the directory's size."""
    try:
        size = os.stat(f"{proc}/{pid}/fd").st_size
        return float(size or len(os.listdir(f"{proc}/{pid}/fd")))
    except OSError:
        return NAN


def io_numbers(text: str) -> dict[str, float]:
    """Lines `name: number` of /proc/PID/io."""
    pairs = (line.partition(": ") for line in text.splitlines())
    return {name: float(value) for name, _, value in pairs if value.isdecimal()}


def assign(processes: list[Known], leaders: Mapping[Key, str], init: int, link: frozenset[int]) -> list[RosterRow]:
    """Kind and program of each process; see the module's docstring.  `link`: our own pid and our helper's."""
    by_pid = {one.pid: one for one in processes}
    groups = {pid: name for (pid, _), name in leaders.items()}
    for one in processes:
        one.program = leaders.get(one.key) or one.program or _inherited(one, by_pid, leaders) or _by_group(one, groups)
    return [_row(one, leaders, init, link) for one in processes]


def _inherited(one: Known, by_pid: Mapping[int, Known], leaders: Mapping[Key, str]) -> str:
    """The program of the nearest ancestor that has one."""
    parent = by_pid.get(one.stat.parent)
    for _ in range(limits.PROCESSES):
        if parent is None:
            return ""
        if name := leaders.get(parent.key) or parent.program:
            return name
        parent = by_pid.get(parent.stat.parent)
    return ""


def _by_group(one: Known, groups: Mapping[int, str]) -> str:
    return groups.get(one.stat.session) or groups.get(one.stat.group) or ""


def _row(one: Known, leaders: Mapping[Key, str], init: int, link: frozenset[int]) -> RosterRow:
    if one.pid == init:
        kind, program = "init", ""
    elif one.pid in link or one.stat.parent in link:
        kind, program = "link", ""
    elif one.key in leaders:
        kind, program = "program", leaders[one.key]
    else:
        kind, program = ("child", one.program) if one.program else ("unmanaged", "")
    stat = one.stat
    return RosterRow(one.pid, stat.start_ticks, stat.parent, kind, program, stat.command, one.uid)


def uptime(start_ticks: int) -> float:
    """Seconds since a start time of /proc, by the same clock."""
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / TICKS)
