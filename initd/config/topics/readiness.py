"""Options of the topic `readiness`: when a program that was started counts as ready."""

from __future__ import annotations

from initd.config.durations import duration, pause
from initd.config.fields import PROCESS
from initd.config.probe import readiness
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields
    from initd.config.probe import Probe


def count(text: str) -> int:
    """A small number above 0."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:6]) <= 1000:
        raise ValueError(f"{text!r} is no count: write a number 1 to 1000")
    return int(text)


FIELDS: Fields = {
    "readiness": ("readiness", None, PROCESS),
    "readiness_within": ("duration", 60.0, PROCESS),
    "readiness_delay": ("pause", 0.0, PROCESS),
    "readiness_interval": ("duration", 1.0, PROCESS),
    "readiness_timeout": ("duration", 2.0, PROCESS),
    "readiness_successes": ("count", 1, PROCESS),
}
TYPES: dict[str, Callable[[str], object]] = {
    "readiness": readiness,
    "duration": duration,
    "pause": pause,
    "count": count,
}


class Readiness(Record):
    """When a program that was started counts as ready.  Times in seconds."""

    probe: Probe
    within: float
    """From its start; then the attempt has failed."""
    delay: float
    interval: float
    timeout: float
    """Of one look."""
    successes: int
    """Looks in a row that must succeed."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Readiness | None:
    """The record of one program, None where it has no probe."""
    if values["readiness"] is None:
        return None
    probe = values.pop("readiness")
    found = Readiness(probe, **{name.removeprefix("readiness_"): value for name, value in values.items()})
    if probe.kind == "log" and found.successes > 1:
        blame("readiness_successes", "readiness_successes: a line is said once; take the option out")
    return found
