"""Options of the topic `restarts`: how soon a program is started again by itself, and how often."""

from __future__ import annotations

from initd.backoff import Backoff
from initd.config.durations import duration, pause
from initd.config.fields import PROCESS
from wire._record import Record
from wire.limits import CRASH_LOOP_EXITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {
    "backoff": ("pause", None, PROCESS),
    "backoff_factor": ("factor", 2.0, PROCESS),
    "backoff_cap": ("duration", 30.0, PROCESS),
    "backoff_jitter": ("part", 0.1, PROCESS),
    "backoff_reset": ("duration", 60.0, PROCESS),
    "crash_loop": ("exits", None, PROCESS),
}


class Restarts(Record):
    """The shape of restarts: back-off and crash loops."""

    backoff: Backoff | None = None
    """None: supervisord's waits."""
    crash_loop: tuple[int, float] | None = None
    """So many ends in so many seconds, and it is given up."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Restarts:
    """The record of one program."""
    first, cap = values["backoff"], values["backoff_cap"]
    shape = [option for option in FIELDS if option.startswith("backoff_")]
    for option in shape:
        if option in given and first is None:
            blame(option, f"{option} shapes nothing: add backoff=1, the first wait in seconds")
    if first is not None and first > cap:
        blame("backoff", f"the first wait exceeds the longest: write at most {cap:g}, or a longer backoff_cap")
    backoff = None if first is None else Backoff(first, *(values[option] for option in shape))
    return Restarts(backoff, values["crash_loop"])


def factor(text: str) -> float:
    """By what each wait is longer than the one before."""
    number = _number(text)
    if not 1 <= number <= 1000:
        raise ValueError(f"{text!r} is no factor: write a number 1 to 1000, as 2 or 1.5")
    return number


def part(text: str) -> float:
    """A part of a whole."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise ValueError(f"{text!r} is no part: write a number 0 to 1, as 0.1 for a tenth")
    return number


def _number(text: str) -> float:
    digits = text.strip()
    plain = digits.isascii() and digits.replace(".", "", 1).isdecimal()
    return float(digits) if plain else -1.0


def exits(text: str) -> tuple[int, float]:
    """So many ends in so much time."""
    count, word, time = text.strip().partition(" in ")
    number = int(count) if count.isascii() and count.strip().isdecimal() and len(count) < 10 else 0
    if not word or not 1 < number <= CRASH_LOOP_EXITS:
        raise ValueError(f"{text!r} is no crash loop: write how many exits in what time, as 5 in 60s")
    return number, duration(time)


TYPES: dict[str, Callable[[str], object]] = {
    "pause": pause,
    "duration": duration,
    "factor": factor,
    "part": part,
    "exits": exits,
}
