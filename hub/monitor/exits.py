"""The record of a container that died as a whole, of OOM or otherwise.  Pure.

Theory.  Where the kernel kills a whole cgroup (memory.oom.group, cgroup-v2.rst "Memory Interface Files") or
picks PID 1, nobody inside is left to write a record.  The hub writes it: the engine says that the container ended with
137 = 128 + SIGKILL and that its OOM flag is set, and the last sample says which process was the largest.  That process
is named as the likely culprit; a sample is up to one period old, so the record says what it was seen to use.  Any other
exit code means that PID 1 lived on after some OOM kill and reported that itself.

Every other end of a container whose PID 1 said no goodbye (killed by its engine, by hand, with its host's engine) is a
note: exit code, who asked, what its engine sent, and the largest process of the last sample.
"""

from __future__ import annotations

from hub.store.rows import Latest
from wire._record import Record
from wire.model import Cause, Exit, FactKind, RosterRow

__all__ = ["Ending", "death_note", "oom_record"]

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
    by: str = ""
    """Who asked its engine for it through this hub, and the command; "" where nobody did."""
    sent: str = ""
    """The signal that its engine told of just before."""
    removed: bool = False
    """Nobody saw it end: it was just not there any more."""


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


def death_note(ending: Ending, latest: Latest | None) -> dict[str, object]:
    """What is to be said of a container that ended without a goodbye of its PID 1."""
    index = _largest(latest)
    largest: dict[str, object] | None = None
    if latest is not None and index is not None:
        row = latest.rows[index]
        largest = {"process": row.program or row.command, "pid": row.pid, "rss": latest.columns["rss"][index]}
        largest["seen"] = latest.at
    return {
        "note": "container died",
        "container": ending.container,
        "exit_code": ending.exit_code,
        "oom_killed": ending.oom_killed,
        "by": ending.by,
        "signal": ending.sent,
        "largest": largest,
        "words": _told(ending, largest),
    }


def _told(ending: Ending, largest: dict[str, object] | None) -> str:
    """One sentence for people."""
    code = "with an unknown exit code" if ending.exit_code is None else f"with exit code {ending.exit_code}"
    how = "container removed by its engine" if ending.removed else f"container ended {code}"
    doer = f"asked for by {ending.by}" if ending.by else "nobody asked for it through this hub"
    sent = f"; its engine sent signal {ending.sent}" if ending.sent else ""
    seen = f"; largest process before: {largest['process']} with {largest['rss']:.0f} bytes" if largest else ""
    return f"{how}, {doer}{sent}{seen}"


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
