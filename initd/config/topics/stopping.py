"""Options of the topic `stopping`: how far a stop reaches, and by which signals."""

from __future__ import annotations

from initd.config.durations import duration
from initd.config.fields import PROCESS
from initd.config.values import signal_number
from initd.events import GROUP, LEADER, TREE
from wire._record import Record
from wire.limits import STOP_SIGNALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {
    "stop_signals": ("signals", (), PROCESS),
    "stop_scope": ("scope", "", PROCESS),
}


class Stopping(Record):
    """How far a stop reaches, and by which signals."""

    stop_signals: tuple[tuple[int, float], ...] = ()
    """In turn, with the seconds that each may take; (): stopsignal and stopwaitsecs."""
    stop_scope: str = ""
    """`leader`, `group` or `tree`; "": supervisord's."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Stopping:
    """The record of one program.  Its stopwaitsecs becomes the time that all signals together may take."""
    steps, scope = values["stop_signals"], values["stop_scope"]
    if steps:
        last = float(program["stopwaitsecs"])
        steps = tuple((signum, last if seconds is None else seconds) for signum, seconds in steps)
        whole = sum(seconds for _, seconds in steps)
        program.update(stopsignal=steps[0][0], stopwaitsecs=int(-(-whole // 1)), stopwaitsecs_given=True)
    if scope == LEADER and "stopasgroup" in given and program["stopasgroup"]:
        blame("stop_scope", "stop_scope=leader contradicts stopasgroup=true: take one of them out")
    if scope:
        program.update(stopasgroup=scope != LEADER, killasgroup=scope != LEADER)
    return Stopping(steps, scope)


def signals(text: str) -> tuple[tuple[int, float | None], ...]:
    """Signals in turn, each with the seconds until the next; None for the last one: stopwaitsecs."""
    words = [word.strip() for word in text.split(",")]
    if len(words) > STOP_SIGNALS:
        raise ValueError(f"{len(words)} signals are more than the {STOP_SIGNALS} allowed")
    steps = [_step(word) for word in words]
    if any(seconds is None for _, seconds in steps[:-1]):
        raise ValueError(f"{text!r}: only the last signal may lack its seconds: write them as TERM:5, INT:5, QUIT")
    return tuple(steps)


def _step(word: str) -> tuple[int, float | None]:
    name, colon, seconds = word.partition(":")
    return signal_number(name.strip()), duration(seconds) if colon else None


def scope(text: str) -> str:
    """What a stop reaches."""
    if text not in (LEADER, GROUP, TREE):
        raise ValueError(f"{text!r} is no scope: write {LEADER}, {GROUP} or {TREE}")
    return text


TYPES: dict[str, Callable[[str], object]] = {"signals": signals, "scope": scope}
