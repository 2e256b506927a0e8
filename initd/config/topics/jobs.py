"""Options of the topic `jobs`: one-shots and schedules."""

from __future__ import annotations

from initd.config.fields import PROCESS
from initd.events import ONESHOT
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields
    from initd.jobs.cron import Schedule

SERVICE = "service"
UTC = "UTC"
CATCH_UP = ("skip", "once")

FIELDS: Fields = {
    "type": ("type", SERVICE, PROCESS),
    "schedule": ("schedule", None, PROCESS),
    "timezone": ("timezone", UTC, PROCESS),
    "catch_up": ("catch_up", "skip", PROCESS),
}


class Jobs(Record):
    """One-shots and schedules."""

    type: str = SERVICE
    """`service` or `oneshot`."""
    schedule: Schedule | None = None
    timezone: str = UTC
    """Name of the zone that the schedule's times are in."""
    catch_up: str = "skip"
    """Whether a missed run is made up for: skip or once."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Jobs:
    """The record of one program.  A one-shot need not live for a while, and is not tried again unless asked for."""
    if values["schedule"] is not None:
        if "type" in given and values["type"] != ONESHOT:
            blame("type", "a program with a schedule is a one-shot: write type=oneshot, or take the option out")
        values["type"] = ONESHOT
        if "autostart" not in given:
            program["autostart"] = False
    if values["type"] == ONESHOT:
        program.update({option: 0 for option in ("startsecs", "startretries") if option not in given})
        if "autorestart" in given and program["autorestart"] == "true":
            blame("type", "autorestart=true would never let a one-shot be done: startretries= tries a failed run again")
    return Jobs(**values)


def kind(text: str) -> str:
    """What sort of program it is."""
    if text not in (SERVICE, ONESHOT):
        raise ValueError(f"{text!r} is no type: write {SERVICE} or {ONESHOT}")
    return text


def schedule(text: str) -> Schedule:
    """A cron expression or an interval; its reader is imported only here, for most one-shots have none."""
    from initd.jobs.cron import schedule as read

    return read(text)


def timezone(text: str) -> str:
    """The name of a zone that this image has."""
    from initd.jobs.zone import find

    find(text)
    return text


def catch_up(text: str) -> str:
    """What becomes of a missed run."""
    if text not in CATCH_UP:
        raise ValueError(f"{text!r} is neither skip nor once")
    return text


TYPES: dict[str, Callable[[str], object]] = {
    "type": kind,
    "schedule": schedule,
    "timezone": timezone,
    "catch_up": catch_up,
}
