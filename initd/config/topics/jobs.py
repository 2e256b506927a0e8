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

SERVICE = "service"

FIELDS: Fields = {
    "type": ("type", SERVICE, PROCESS),
}


class Jobs(Record):
    """One-shots and schedules."""

    type: str = SERVICE
    """`service` or `oneshot`."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Jobs:
    """The record of one program.  A one-shot need not live for a while, and is not tried again unless asked for."""
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


TYPES: dict[str, Callable[[str], object]] = {"type": kind}
