"""When a schedule is due, by a clock that somebody may set; pure.

Theory.  `look` is called when the next run seems due, whenever the clock was set, and now and then.  A run is carried
out if it is at most LATE seconds overdue.  What is later was missed, by a clock set forward or a machine that slept:
the rule catch_up says whether it is made up for, once, however many were missed.  A clock set back by less than
CLOCK_BACK_SECONDS repeats nothing: the next run stays what it was.  One set back by more starts anew from there.
"""

from __future__ import annotations

from initd.jobs.cron import Schedule, next_run
from wire._record import Record
from wire.limits import CLOCK_BACK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.jobs.cron import Offset

RUN, MISSED, NOTHING = "run", "missed", ""
SKIP, ONCE = "skip", "once"
"""Rules of catch_up."""

LATE = 60.0
"""Seconds by which a run may be late and still is that run: cron's grain."""


class Agenda(Record):
    """One schedule and where it stands; times are seconds of its clock."""

    plan: Schedule
    catch_up: str
    next_at: float | None
    looked_at: float


def begin(plan: Schedule, catch_up: str, now: float, offset: Offset) -> Agenda:
    """An agenda from now on: what lies before is nobody's."""
    return Agenda(plan, catch_up, next_run(plan, now, offset), now)


def look(agenda: Agenda, now: float, offset: Offset) -> tuple[Agenda, str]:
    """The agenda after a look at the clock, and what is to be done: RUN, nothing, or tell that runs were MISSED."""
    if now < agenda.looked_at - CLOCK_BACK_SECONDS:
        agenda = agenda._replace(next_at=next_run(agenda.plan, now, offset))
    agenda = agenda._replace(looked_at=now)
    if agenda.next_at is None or now < agenda.next_at:
        return agenda, NOTHING
    in_time = now - agenda.next_at <= LATE or agenda.catch_up == ONCE
    return agenda._replace(next_at=_following(agenda, now, offset)), RUN if in_time else MISSED


def _following(agenda: Agenda, now: float, offset: Offset) -> float | None:
    """The first run after now; an interval keeps its beat."""
    every, last = agenda.plan.every, agenda.next_at
    if every and last is not None:
        return last + every * ((now - last) // every + 1)
    return next_run(agenda.plan, now, offset)
