"""What is left at shutdown when every program's leader is gone: orphans, stragglers, `docker exec` sessions.

Theory.  When PID 1 exits, the kernel kills its whole namespace at once; so everything gets a chance to end properly
before.  As PID 1 kill(2) with pid -1 reaches all others in one call, which no fork can outrun.  As a subreaper only
our own descendants may be touched; they are found by parent pid in /proc, again and again until none is left, because
a process that forks while we look escapes one look but not the next.  These are mostly not our children, so they are
signalled as initd.family does it: by pidfd, and only if the pid still is the process that we saw.
"""

from __future__ import annotations

import os

from initd.native import signal
from initd.oom import read_text
from initd.reaper import start_ticks
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEAD = ("Z", "X")
"""States of processes that only wait to be reaped."""


class Leftover(Record):
    """A process as /proc/PID/stat shows it; `command` is its comm, chosen by itself and so hostile."""

    pid: int
    parent: int
    command: str
    state: str
    group: int = 0
    session: int = 0
    start_ticks: int = 0
    """Clock ticks from boot to its start, which tell it from a later process of the same pid."""


def leftovers(me: int) -> list[Leftover]:
    """Living processes to be ended: all others as PID 1, else our descendants.

    Without /proc PID 1 still knows whether there is anybody, since kill(-1, 0) says so; a subreaper knows of nobody.
    """
    everyone = processes()
    if not everyone:
        return [Leftover(-1, 1, "somebody", "?")] if me == 1 and _is_anybody_there() else []
    mine = [found for found in everyone if found.pid != me] if me == 1 else descendants([me], everyone)
    return [found for found in mine if found.state not in DEAD]


def processes() -> list[Leftover]:
    """Everybody in /proc, ourselves and zombies too; nobody where it is not mounted."""
    return [found for found in map(_look, _pids()) if found is not None]


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _is_anybody_there() -> bool:
    """Whether PID 1 could signal anybody at all; a process that died and was not reaped counts, too."""
    try:
        os.kill(-1, 0)
    except OSError:
        return False
    return True


def _look(pid: int) -> Leftover | None:
    try:
        before, _, after = read_text(f"/proc/{pid}/stat").rpartition(")")
        fields = after.split()
        parent, group, session, ticks = (int(fields[place]) for place in (1, 2, 3, 19))
        return Leftover(pid, parent, before.partition("(")[2], fields[0], group, session, ticks)
    except (OSError, ValueError, IndexError):
        return None  # it is gone, or hidden from us


def descendants(ancestors: Iterable[int], everyone: list[Leftover]) -> list[Leftover]:
    """Children of these pids, their children, and so on."""
    children: dict[int, list[Leftover]] = {}
    for found in everyone:
        children.setdefault(found.parent, []).append(found)
    family, waiting = [], list(ancestors)
    while waiting:
        for child in children.pop(waiting.pop(), ()):
            family.append(child)
            waiting.append(child.pid)
    return family


def signal_all(me: int, signum: int, found: list[Leftover]) -> None:
    """Send `signum` to everything that is to end; whoever is gone meanwhile does not matter."""
    if me != 1:
        send([(one.pid, one.start_ticks) for one in found], signum)
        return
    try:
        os.kill(-1, signum)
    except OSError:
        pass


def send(targets: Iterable[tuple[int, int]], signum: int) -> list[tuple[int, int]]:
    """Signal processes by (pid, start ticks), each only if it still is the one; (pid, errno) of those that refused.

    The descriptor is opened first and the ticks are read after: whoever has the pid then, a signal through the
    descriptor reaches the process that had it before or nobody.
    """
    refused = []
    for pid, ticks in targets:
        try:
            _send(pid, ticks, signum)
        except ProcessLookupError:
            pass
        except OSError as error:
            refused.append((pid, error.errno or 0))
    return refused


def _send(pid: int, ticks: int, signum: int) -> None:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:  # an old kernel, a seccomp filter, no descriptor left: the ticks alone must do
        if start_ticks(pid) == ticks:
            os.kill(pid, signum)
        return
    try:
        if start_ticks(pid) == ticks:
            signal.pidfd_send_signal(fd, signum)
    finally:
        os.close(fd)


def tell(found: list[Leftover], most: int = 8) -> str:
    """`name (pid 12), name (pid 13) and 4 more`."""
    named = ", ".join(f"{one.command} (pid {one.pid})" for one in found[:most])
    return named + (f" and {len(found) - most} more" if len(found) > most else "")
