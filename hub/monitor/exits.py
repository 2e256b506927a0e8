"""The exit record of a container that died of OOM as a whole.  Pure.

Theory.  Where the kernel kills a whole cgroup (memory.oom.group, cgroup-v2.rst "Memory Interface Files") or
picks PID 1, nobody inside is left to write a record.  The hub writes it: the engine says that the container ended with
137 = 128 + SIGKILL and that its OOM flag is set, and the last sample says which process was the largest.  That process
is named as the likely culprit; a sample is up to one period old, so the record says what it was seen to use.  Any other
exit code means that PID 1 lived on after some OOM kill and reported that itself.
"""

from __future__ import annotations

from hub.store.rows import Latest
from wire._record import Record
from wire.model import Cause, Exit, FactKind, RosterRow

__all__ = ["Ending", "oom_record"]

SIGKILL = 9
KILLED = 128 + SIGKILL


class Ending(Record):
    """A container's end as its engine reports it."""

    container: str
    at: float
    """Hub time of the `die` event."""
    exit_code: int | None
    oom_killed: bool
    """State.OOMKilled, or an `oom` event since the container's start."""


def oom_record(ending: Ending, latest: Latest | None) -> tuple[FactKind, Exit | dict[str, object]] | None:
    """The fact to record for a container that died of OOM as a whole; None for every other end.

    Without a sample there is no process to name, and the fact is a note instead of an exit.
    """
    if not ending.oom_killed or ending.exit_code != KILLED:
        return None
    largest = _largest(latest)
    if latest is None or largest is None:
        return FactKind.NOTE, {"note": "oom of the whole container", "container": ending.container, "largest": None}
    return FactKind.EXIT, _killed(ending, latest, largest)


def _largest(latest: Latest | None) -> int | None:
    """Position of the row with the largest known RSS."""
    sizes = [] if latest is None else [(rss, row) for row, rss in enumerate(latest.columns["rss"]) if rss == rss]
    return max(sizes)[1] if sizes else None


def _killed(ending: Ending, latest: Latest, index: int) -> Exit:
    row, rss, uptime = latest.rows[index], latest.columns["rss"][index], latest.columns["uptime"][index]
    group, _, name = _names(row)
    run_time = uptime + ending.at - latest.at if uptime == uptime else 0.0
    unknown = "" if uptime == uptime else "; its start is unknown"
    seen = f"largest process in the last sample: {row.command} (pid {row.pid}) with {rss:.0f} bytes resident{unknown}"
    return Exit(
        group=group,
        name=name,
        program=name,
        number=0,
        pid=row.pid,
        start_ticks=row.start_ticks,
        started_at=ending.at - run_time,
        ended_at=ending.at,
        run_time=run_time,
        code=None,
        signal=SIGKILL,
        core=False,
        expected=False,
        cause=Cause.OOM,
        by="",
        command="",
        errno=None,
        step="",
        rusage=None,
        last_lines=(f"the whole container was killed; {seen}",),
    )


def _names(row: RosterRow) -> tuple[str, str, str]:
    """Group, separator and name of the program a process belongs to, or of its command where it belongs to none."""
    if not row.program:
        return row.command, "", row.command
    group, separator, name = row.program.partition(":")
    return group, separator, name or group
