"""What is left at shutdown when every program's leader is gone: orphans, stragglers, `docker exec` sessions.

Theory.  When PID 1 exits, the kernel kills its whole namespace at once; so everything gets a chance to end properly
before.  As PID 1 kill(2) with pid -1 reaches all others in one call, which no fork can outrun.  As a subreaper only
our own descendants may be touched; they are found by parent pid in /proc, again and again until none is left, because
a process that forks while we look escapes one look but not the next.
"""

from __future__ import annotations

import os

from initd.oom import read_text
from wire._record import Record

ZOMBIE = "Z"


class Leftover(Record):
    """A process found at shutdown; `command` is its comm, chosen by itself and so hostile."""

    pid: int
    parent: int
    command: str
    state: str


def leftovers(me: int) -> list[Leftover]:
    """Living processes to be ended: all others as PID 1, else our descendants.

    Without /proc PID 1 still knows whether there is anybody, since kill(-1, 0) says so; a subreaper knows of nobody.
    """
    if not _pids():
        return [Leftover(-1, 1, "somebody", "?")] if me == 1 and _is_anybody_there() else []
    everyone = [found for found in map(_look, _pids()) if found is not None and found.pid != me]
    mine = everyone if me == 1 else _descendants(me, everyone)
    return [found for found in mine if found.state != ZOMBIE]


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
        state, parent = after.split()[:2]
        return Leftover(pid, int(parent), before.partition("(")[2], state)
    except (OSError, ValueError):
        return None  # it is gone, or hidden from us


def _descendants(ancestor: int, everyone: list[Leftover]) -> list[Leftover]:
    children: dict[int, list[Leftover]] = {}
    for found in everyone:
        children.setdefault(found.parent, []).append(found)
    family, waiting = [], [ancestor]
    while waiting:
        for child in children.pop(waiting.pop(), ()):
            family.append(child)
            waiting.append(child.pid)
    return family


def signal_all(me: int, signum: int, found: list[Leftover]) -> None:
    """Send `signum` to everything that is to end; whoever is gone meanwhile does not matter."""
    for pid in [-1] if me == 1 else [one.pid for one in found]:
        try:
            os.kill(pid, signum)
        except OSError:
            pass


def tell(found: list[Leftover], most: int = 8) -> str:
    """`name (pid 12), name (pid 13) and 4 more`."""
    named = ", ".join(f"{one.command} (pid {one.pid})" for one in found[:most])
    return named + (f" and {len(found) - most} more" if len(found) > most else "")
