"""Options of the topic `hooks`: commands before its start and after its end."""

from __future__ import annotations

from initd.config.durations import duration
from initd.config.fields import PROCESS
from initd.config.words import split
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {
    "pre_start": ("words", (), PROCESS),
    "pre_start_timeout": ("duration", 60.0, PROCESS),
    "post_stop": ("words", (), PROCESS),
    "post_stop_timeout": ("duration", 5.0, PROCESS),
}


class Hooks(Record):
    """Commands before its start and after its end, split into words; () where there is none."""

    pre_start: tuple[str, ...] = ()
    pre_start_timeout: float = 60.0
    """Seconds."""
    post_stop: tuple[str, ...] = ()
    post_stop_timeout: float = 5.0


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Hooks:
    """The record of one program."""
    for hook in ("pre_start", "post_stop"):
        if f"{hook}_timeout" in given and not values[hook]:
            blame(f"{hook}_timeout", f"{hook}_timeout bounds nothing: add {hook}=COMMAND")
    return Hooks(**values)


def words(text: str) -> tuple[str, ...]:
    """A command, split as command= is."""
    try:
        found = split(text)
    except ValueError as fault:
        raise ValueError(f"{text!r} cannot be split into words: {fault}") from None
    if not found:
        raise ValueError("the command is empty: write one, or take the option out")
    return found


TYPES: dict[str, Callable[[str], object]] = {"words": words, "duration": duration}
