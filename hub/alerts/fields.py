"""What rules may look at: for each kind of subject its fields, their units and what they mean.

The reader, the room that fills the values in, and docs/alerts.md use this one table.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, Column

__all__ = ["EVENTS", "FIELDS", "SUBJECTS", "Field", "field_of"]

UNITS = {"B": "bytes", "s": "seconds", "cores": "cores", "1": "count"}
SHARES = frozenset({"memory_share"})


class Field(Record):
    """One value of a subject."""

    name: str
    unit: str
    """`bytes`, `seconds`, `cores`, `share` (0 to 1, or percent), `count` or `word`."""
    doc: str
    counter: bool = False
    """It only rises, so rate() and increase() make sense."""


def _column(column: Column) -> Field:
    unit = "share" if column.name in SHARES else UNITS[column.unit]
    return Field(column.name, unit, column.doc, column.code == "d")


_AGE = Field("age", "seconds", "seconds since its figures were measured")
_SUMMED = tuple(_column(one) for one in PROCESS_COLUMNS if one.name in ("cpu", "rss", "memory_share", "threads", "fds"))

FIELDS: dict[str, tuple[Field, ...]] = {
    "process": (*(_column(column) for column in PROCESS_COLUMNS), _AGE),
    "program": (
        Field("state", "word", "RUNNING, STARTING, BACKOFF, STOPPING, STOPPED, EXITED, FATAL"),
        Field("restarts", "count", "processes after its first", True),
        Field("uptime", "seconds", "seconds since its process was started"),
        *(one._replace(doc=f"{one.doc}; summed over its process and all that descend from it") for one in _SUMMED),
        Field("processes", "count", "its processes"),
        _AGE,
    ),
    "container": (
        Field("state", "word", "as its engine says: running, paused, restarting, exited, dead, created"),
        Field("health", "word", "as its engine says: starting, healthy, unhealthy"),
        Field("exit_code", "count", "exit status of its last run"),
        Field("restart_count", "count", "restarts by its engine", True),
        *(_column(column) for column in CONTAINER_COLUMNS),
        Field("memory_share", "share", "memory as a share of memory_limit"),
        Field("cpu_share", "share", "cpu as a share of cpu_limit"),
        Field("pids_share", "share", "pids as a share of pids_limit"),
        Field("disk_share", "share", "how full its fullest file system is, by its agent"),
        _AGE,
    ),
    "agent": (
        Field("presence", "word", "live, late, expected, lost"),
        Field("age", "seconds", "seconds of silence"),
        Field("skew", "seconds", "how far its clock is off"),
        Field("dropped", "count", "facts that were lost before the hub had them", True),
        Field("programs", "count", "its programs"),
        Field("running", "count", "of these, the ones that run"),
    ),
    "host": (
        Field("up", "count", "1 while its engine answers, else 0"),
        Field("age", "seconds", "seconds since its engine answered"),
        Field("agents", "count", "its agents of the live list, and those that are lost"),
        Field("silent", "count", "of these, the ones that are silent"),
        Field("containers", "count", "its containers"),
    ),
    "hub": (
        Field("agents", "count", "agents that are live"),
        Field("fds_share", "share", "open file descriptors as a share of the most it may have"),
        Field("rss", "bytes", "memory the hub has resident"),
        Field("cpu", "cores", "CPU the hub uses, as a fraction of one core"),
        Field("queue", "count", "calls that wait for the store"),
        Field("stall", "seconds", "longest time of the last seconds that the loop served nobody else"),
        Field("refused", "count", "messages and requests refused so far", True),
        Field("garbled", "count", "messages so far that could not be read", True),
    ),
}
"""Kind of subject -> its fields."""

SUBJECTS = tuple(FIELDS)

EVENTS: dict[str, tuple[str, str]] = {
    "exit": ("program", "a process ended that nobody had asked to; `cause` narrows it down"),
    "storm": ("program", "a program crashes again and again; firing until the storm is over"),
    "oom": ("container", "the kernel killed something in it for want of memory, by its engine's word"),
    "clock skew": ("agent", "its clock is off by more than two seconds"),
    "facts dropped": ("agent", "it had to forget facts before the hub had them"),
}
"""What `event=` may name -> what it happens to, and what it means."""


def field_of(subject: str, name: str) -> Field | None:
    """The field of this name, None where the subject has none."""
    return next((field for field in FIELDS[subject] if field.name == name), None)
