"""Options of the topic `liveness`: how a running program is checked, and what is done when it fails."""

from __future__ import annotations

from initd.config.durations import duration, pause
from initd.config.fields import PROCESS
from initd.config.probe import liveness
from initd.config.topics.readiness import count
from initd.config.values import signal_number
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields
    from initd.config.probe import Probe

ACTIONS = ("restart", "stop", "shutdown", "ignore")


def action(text: str) -> str:
    """What a failed program meets; `signal:10` for a signal."""
    word = text.strip()
    verb, colon, name = word.partition(":")
    if verb.lower() == "signal" and colon:
        return f"signal:{signal_number(name)}"
    if word.lower() not in ACTIONS:
        raise ValueError(f"{text!r} is none of {', '.join(ACTIONS)} and signal:NAME")
    return word.lower()


FIELDS: Fields = {
    "liveness": ("liveness", None, PROCESS),
    "liveness_delay": ("pause", 0.0, PROCESS),
    "liveness_interval": ("duration", 10.0, PROCESS),
    "liveness_timeout": ("duration", 3.0, PROCESS),
    "liveness_failures": ("count", 3, PROCESS),
    "liveness_successes": ("count", 1, PROCESS),
    "liveness_action": ("action", "restart", PROCESS),
}
TYPES: dict[str, Callable[[str], object]] = {
    "liveness": liveness,
    "duration": duration,
    "pause": pause,
    "count": count,
    "action": action,
}


class Liveness(Record):
    """How a running program is checked, and what is done when it fails.  Times in seconds."""

    probe: Probe
    delay: float
    interval: float
    timeout: float
    failures: int
    """Looks in a row that must fail until something is done."""
    successes: int
    """Looks in a row that must succeed until a program that failed counts as healthy again."""
    action: str
    """restart, stop, shutdown, ignore, or `signal:` and its number."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Liveness | None:
    """The record of one program, None where it has no probe."""
    if values["liveness"] is None:
        return None
    probe = values.pop("liveness")
    return Liveness(probe, **{name.removeprefix("liveness_"): value for name, value in values.items()})
