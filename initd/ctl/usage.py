"""CPU and memory of programs, each with all its descendants, read from /proc of the container we are in."""

from __future__ import annotations

import os

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(Record):
    """What one program uses."""

    cpu_seconds: float = 0.0
    """Of its living processes, user and system, since each began."""
    rss: int = 0
    """Resident bytes; pages that processes share count for each."""
    processes: int = 0


class _One(Record):
    parent: int
    start_ticks: int
    cpu: int
    rss: int


def usage(rows: Iterable[dict[str, Any]]) -> dict[str, Usage]:
    """By full name, of the processes in rows of `status`; none for those that have no process or ended meanwhile."""
    table = _table()
    children: dict[int, list[int]] = {}
    for pid, one in table.items():
        children.setdefault(one.parent, []).append(pid)
    found = {}
    for row in rows:
        leader = table.get(row["pid"] or 0)
        if leader is not None and row["start_ticks"] in (None, leader.start_ticks):
            found[row["full_name"]] = _sum(row["pid"], table, children)
    return found


def _sum(leader: int, table: dict[int, _One], children: dict[int, list[int]]) -> Usage:
    family = [leader]
    for pid in family:
        family += children.get(pid, ())
    members = [table[pid] for pid in family]
    return Usage(sum(one.cpu for one in members) / TICKS, sum(one.rss for one in members) * PAGE, len(members))


def _table() -> dict[int, _One]:
    """Every process there is; one that ends meanwhile is left out."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return {}
    return {pid: one for pid in pids if (one := _read(pid)) is not None}


def _read(pid: int) -> _One | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in field 2 may hold anything, parentheses and spaces too: count from its end.
            fields = file.read(4096).rpartition(b")")[2].split()
        return _One(int(fields[1]), int(fields[19]), int(fields[11]) + int(fields[12]), int(fields[21]))
    except (OSError, ValueError, IndexError):
        return None
