"""Who belongs to a program: its leader, the group it leads, or the whole tree of what came from it.

Theory.  Every other init says "stopped" when the leader has died.  What it left behind then keeps the port, the lock
or the log.  So a stop with a scope is over when nobody of the scope is left:

    leader   the process that we started, and nobody else
    group    its process group.  A group id stays taken while one member lives, so what has it after the leader's death
             is ours, unless somebody has that pid by now: then the group had been empty and the number was given anew
    tree     the group; descendants by parent pid; sessions that a member has opened, unless it is our own; orphans
             handed to us that carry the program's mark; everybody in its own cgroup, where it has one; and in turn
             whatever belongs to these

The mark is a variable of the program's environment (VARIABLE), read from /proc/PID/environ.  Programs that scrub their
environment (sudo, sshd) lose it; who was handed to us without one may be theirs or not, and is reported as a survivor,
never killed.  Only orphans are asked for the mark: a member with a living parent of ours is found by that.

Signals go to (pid, start ticks) by pidfd (initd.sweep.send), so that a pid given anew is never hit.  A process that
forks while we look escapes one look, but not the next: `reach` looks until nobody is new, and for SIGKILL a cgroup of
version 2 does it at once (cgroup.kill).
"""

from __future__ import annotations

import os

from initd import sweep
from initd.oom import read_text
from initd.sweep import DEAD, Leftover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Protocol

    from initd.process import Process

    class Home(Protocol):
        """What this module needs of initd.kernel.Kernel."""

        pid: int
        token: str

        def start_ticks(self, pid: int) -> int | None: ...
        def group_folder(self, name: str) -> str: ...


VARIABLE = "PIDONE_FAMILY"
LEADER, GROUP, TREE = "leader", "group", "tree"
SCOPES = (LEADER, GROUP, TREE)

PASSES = 8
"""Looks of one `reach`; who forks faster than that is met again when the next signal is due."""

KILL = 9


def mark(kernel: Home, process: Process) -> str:
    """What the next process of a program carries in VARIABLE: the run of initd, the program, how often it started."""
    return f"{_stem(kernel, process)}{process.program.spawns + 1}"


def _stem(kernel: Home, process: Process) -> str:
    return f"{kernel.token}/{process.name}/"


def members(kernel: Home, process: Process, scope: str) -> list[tuple[int, int]]:
    """(pid, start ticks) of everybody alive in the scope of a program, the leader too; zombies are nobody."""
    return [(one.pid, one.start_ticks) for one in _family(kernel, process, scope)]


def signal(found: Collection[tuple[int, int]], signum: int) -> list[tuple[int, int]]:
    """Signal them; (pid, errno) of those that refused.  Whoever is gone meanwhile does not matter."""
    return sweep.send(found, signum)


def reach(kernel: Home, process: Process, scope: str, signum: int) -> list[tuple[int, int]]:
    """Signal everybody in the scope, those too that are forked meanwhile; returns whom."""
    if signum == KILL and scope == TREE:
        _kill_cgroup(kernel.group_folder(process.name))
    met: dict[tuple[int, int], None] = {}
    for _ in range(PASSES):
        new = [one for one in members(kernel, process, scope) if one not in met]
        if not new:
            break
        sweep.send(new, signum)
        met |= dict.fromkeys(new)
    return list(met)


def survivors(kernel: Home, process: Process, known: Collection[int] = ()) -> list[Leftover]:
    """Orphans handed to us since the program first started, of whom nobody knows whose they are: for a report.

    `known` are pids that are somebody's: programs, and other children of initd.
    """
    ours = {one.pid for one in _family(kernel, process, TREE)}
    since = process.run.start_ticks or 0
    return [
        one
        for one in sweep.processes()
        if one.parent == kernel.pid
        and one.state not in DEAD
        and one.start_ticks >= since
        and one.pid not in ours
        and one.pid not in known
        and not read_mark(one.pid)
    ]


def _family(kernel: Home, process: Process, scope: str) -> list[Leftover]:
    leader, ticks = leader_of(kernel, process)
    if leader is None:
        return []
    everyone = [one for one in sweep.processes() if one.pid != kernel.pid]
    if scope == LEADER:
        return [one for one in everyone if one.pid == leader and one.start_ticks == ticks and one.state not in DEAD]
    found = claim_group(everyone, leader, ticks)
    if scope == TREE:
        listed = pids_in(kernel.group_folder(process.name))
        stem = _stem(kernel, process)
        marked = {one.pid for one in everyone if one.parent == kernel.pid and read_mark(one.pid).startswith(stem)}
        found = claim_tree(everyone, found, marked | listed, {0, os.getsid(0)})
    return [one for one in found if one.state not in DEAD]


def leader_of(kernel: Home, process: Process) -> tuple[int | None, int | None]:
    """(pid, start ticks) of the present leader, or of the one that died last."""
    pid, run = process.pid or process.run.pid, process.run
    if pid is not None and process.pid == run.pid and run.start_ticks is None:
        run.start_ticks = kernel.start_ticks(pid)  # it was started a moment ago, and not told yet
    return pid, run.start_ticks


def claim_group(everyone: list[Leftover], leader: int, ticks: int | None) -> list[Leftover]:
    """The leader and its group; nobody where the leader's pid is another process by now.  Pure."""
    if any(one.pid == leader and one.start_ticks != ticks for one in everyone):
        return []
    return [one for one in everyone if one.pid == leader or one.group == leader]


def claim_tree(
    everyone: list[Leftover], first: list[Leftover], more: Collection[int], shared: Collection[int]
) -> list[Leftover]:
    """The whole tree, from those known at first and the pids `more`; `shared` sessions are not theirs alone.  Pure."""
    found = {one.pid: one for one in everyone if one in first or one.pid in more}
    while True:
        sessions = {one.session for one in found.values()}.difference(shared)
        kin = [*sweep.descendants(found, everyone), *(one for one in everyone if one.session in sessions)]
        new = {one.pid: one for one in kin if one.pid not in found}
        if not new:
            return list(found.values())
        found |= new


def read_mark(pid: int) -> str:
    """The mark that a process carries, "" where it has none or may not be read."""
    try:
        text = read_text(f"/proc/{pid}/environ")
    except OSError:
        return ""
    start = VARIABLE + "="
    return next((entry[len(start) :] for entry in text.split("\0") if entry.startswith(start)), "")


def pids_in(folder: str) -> set[int]:
    """Who is in a cgroup; nobody where there is none."""
    try:
        return {int(word) for word in read_text(f"{folder}/cgroup.procs").split()} - {0} if folder else set()
    except (OSError, ValueError):
        return set()


def _kill_cgroup(folder: str) -> None:
    """All at once, where the cgroup is of version 2 and the kernel 5.14 or later."""
    try:
        fd = os.open(f"{folder}/cgroup.kill", os.O_WRONLY | os.O_CLOEXEC) if folder else -1
    except OSError:
        return
    if fd >= 0:
        try:
            os.write(fd, b"1")
        except OSError:
            pass
        finally:
            os.close(fd)
