"""A rolling command: one verb for many processes, a few at a time, that stops where things go wrong.  Pure.

Theory.  A roll has *units*, one process each, in a fixed order; a unit's mark tells how it stands:

    . waiting    > sent    + done    - failed    / left out (its agent is gone)

At most `width` units are sent at one time; when one ends the next is sent.  The roll itself is a machine:

    running --failures reach the limit--> stopping  --none sent any more--> stopped
       |  \\--cancel--------------------> cancelling --none sent any more--> cancelled
       |   `--all units ended----------> done
       `<-- resume -- stopped | cancelled

What was sent is never called back: it is waited for, so nothing is unknown at the end.  A unit's command has an id that
follows from the roll's id and the unit's place, so that sending it again after the hub's death carries out nothing
twice; therefore only the marks need to be kept, and old marks do no harm.  Failures are counted since the last resume;
a unit that failed is not tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from hub.errors import Refusal
from wire._record import Record
from wire._words import Words

WAITING, SENT, DONE, FAILED, LEFT_OUT = ".>+-/"
MARKS = frozenset((WAITING, SENT, DONE, FAILED, LEFT_OUT))
FINAL = frozenset((DONE, FAILED, LEFT_OUT))
ROLL = "roll"
"""Verb of the row under which a roll is kept among the commands."""
UNITS = 2000
"""Most processes of one roll: its plan is kept as one row, of at most 200 KiB."""
WIDTH = 500
"""Most units sent at one time, whatever was asked: other people's commands need room too."""


class Phase(Words):
    """Where a roll stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DONE = "done"


class Sign(Words):
    """What happens to a roll as a whole."""

    TOO_MANY_FAILED = "too many failed"
    CANCEL = "cancel"
    DRAINED = "drained"
    """No unit is sent any more."""
    FINISHED = "finished"
    """Every unit has ended."""
    RESUME = "resume"


_P, _S = Phase, Sign
MOVES: dict[tuple[str, str], str] = {
    (_P.RUNNING, _S.TOO_MANY_FAILED): _P.STOPPING,
    (_P.RUNNING, _S.CANCEL): _P.CANCELLING,
    (_P.RUNNING, _S.FINISHED): _P.DONE,
    (_P.STOPPING, _S.CANCEL): _P.CANCELLING,
    (_P.STOPPING, _S.DRAINED): _P.STOPPED,
    (_P.STOPPING, _S.FINISHED): _P.DONE,
    (_P.STOPPED, _S.RESUME): _P.RUNNING,
    (_P.STOPPED, _S.CANCEL): _P.CANCELLED,
    (_P.CANCELLING, _S.DRAINED): _P.CANCELLED,
    (_P.CANCELLING, _S.FINISHED): _P.DONE,
    (_P.CANCELLED, _S.RESUME): _P.RUNNING,
}
"""(phase, sign) -> phase; every other pair changes nothing, see IGNORED."""
IGNORED: frozenset[tuple[str, str]] = frozenset(
    {
        *((phase, _S.TOO_MANY_FAILED) for phase in (_P.STOPPING, _P.STOPPED, _P.CANCELLING, _P.CANCELLED, _P.DONE)),
        *((phase, _S.CANCEL) for phase in (_P.CANCELLING, _P.CANCELLED, _P.DONE)),
        *((phase, _S.DRAINED) for phase in (_P.RUNNING, _P.STOPPED, _P.CANCELLED, _P.DONE)),
        *((phase, _S.FINISHED) for phase in (_P.STOPPED, _P.CANCELLED, _P.DONE)),
        *((phase, _S.RESUME) for phase in (_P.RUNNING, _P.STOPPING, _P.CANCELLING, _P.DONE)),
    }
)
ENDED = frozenset({Phase.STOPPED, Phase.CANCELLED, Phase.DONE})
"""Phases in which nothing is sent."""


class Roll(Record):
    """One roll and how far it is."""

    marks: str
    """One mark for each unit."""
    width: int
    """Most units sent at one time."""
    limit: int
    """So many failures stop it; 0 = none does."""
    phase: str = Phase.RUNNING
    forgiven: int = 0
    """Failures before the last resume, which count no more."""

    def count(self, mark: str) -> int:
        """Units with this mark."""
        return self.marks.count(mark)


Step = tuple[Roll, tuple[int, ...]]
"""The roll as it is now, and the units to send."""


def begin(units: int, width: int, limit: int) -> Step:
    """A new roll.  Raises Refusal."""
    if not 1 <= units <= UNITS:
        raise Refusal("bad-target", f"a roll has 1 to {UNITS} processes, not {units}", "name other targets")
    return _on(Roll(WAITING * units, min(width, units, WIDTH), limit))


def ended(roll: Roll, unit: int, mark: str) -> Step:
    """A unit that was sent ended; a second word about it changes nothing."""
    if mark not in FINAL or not 0 <= unit < len(roll.marks) or roll.marks[unit] != SENT:
        return roll, ()
    roll = roll._replace(marks=_marked(roll.marks, (unit,), mark))
    if roll.limit and roll.count(FAILED) - roll.forgiven >= roll.limit:
        roll = move(roll, Sign.TOO_MANY_FAILED)
    return _on(roll)


def cancel(roll: Roll) -> Step:
    """Nothing more is sent; what was sent is waited for."""
    return _on(move(roll, Sign.CANCEL))


def resume(roll: Roll) -> Step:
    """A stopped or cancelled roll goes on with the units that wait."""
    if roll.phase not in (Phase.STOPPED, Phase.CANCELLED):
        return roll, ()
    return _on(move(roll, Sign.RESUME)._replace(forgiven=roll.count(FAILED)))


def revive(roll: Roll) -> Step:
    """After the hub's death: the units that were sent are sent again, under their old ids, and it goes on."""
    sent = tuple(unit for unit, mark in enumerate(roll.marks) if mark == SENT)
    roll, more = _on(roll)
    return roll, (*sent, *more)


def move(roll: Roll, sign: str) -> Roll:
    """The roll after a sign."""
    return roll._replace(phase=MOVES.get((roll.phase, sign), roll.phase))


def _on(roll: Roll) -> Step:
    """Sends what may be sent and notices the end."""
    chosen: tuple[int, ...] = ()
    if roll.phase == Phase.RUNNING:
        room = roll.width - roll.count(SENT)
        chosen = _next(roll.marks, room)
        roll = roll._replace(marks=_marked(roll.marks, chosen, SENT))
    if not roll.count(SENT):
        sign = Sign.DRAINED if roll.count(WAITING) else Sign.FINISHED
        roll = move(roll, sign)
    return roll, chosen


def _next(marks: str, room: int) -> tuple[int, ...]:
    found: list[int] = []
    unit = marks.find(WAITING)
    while unit >= 0 and len(found) < room:
        found.append(unit)
        unit = marks.find(WAITING, unit + 1)
    return tuple(found)


def _marked(marks: str, units: Sequence[int], mark: str) -> str:
    changed = list(marks)
    for unit in units:
        changed[unit] = mark
    return "".join(changed)


def width_of(text: object, units: int) -> int:
    """`10%` or `3` as a number of units, at least one.  Raises Refusal."""
    value, percent = str(text).strip(), str(text).strip().endswith("%")
    digits = value[:-1] if percent else value
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6 and int(digits) > 0):
        raise Refusal("bad-argument", f"at_a_time is {value[:20]!r}", "write a number from 1 on, or 1% to 100%")
    number = int(digits)
    if percent and number > 100:
        raise Refusal("bad-argument", f"at_a_time is {value[:20]!r}", "at most 100%")
    return max(ceil(units * number / 100) if percent else number, 1)
