"""When a job runs: cron expressions and `every 90s`; pure.

Theory.  An expression has five fields (minute, hour, day of month, month, day of week; crontab(5)).  A day matches if
its month matches and either day field does; where both are restricted, one of them suffices, as with cron.

Days on which clocks change.  A schedule whose hour field begins with `*` follows real time: it runs at each matching
minute the clock shows, twice where an hour is shown twice, not at all where it is left out.  Every other schedule means
a time of the day, and runs once for it: the first time where it comes twice, and at the end of the gap where it is left
out (several left out together run once).
"""

from __future__ import annotations

from initd.config.durations import duration
from initd.jobs.dates import DAY, date_of, weekday
from wire._record import Record
from wire.limits import SCHEDULE_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Offset = Callable[[float], int]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, WEEKDAYS),
)
"""Name, lowest, highest, and names of the values from the lowest on."""

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

HORIZON = 40 * 366
"""Days within which every schedule comes that comes at all.  The weekdays of a year come again after 28 years, and
after up to 40 across a century that is no leap year: `* * 29 2` with a weekday, where both must hold."""

AROUND = 26 * 3600
"""Seconds around a local time within which its UTC time lies, whatever the zone (offsets are -12 h to +14 h)."""


class Schedule(Record):
    """A cron expression, or an interval where `every` is not 0."""

    text: str
    every: float = 0.0
    minutes: tuple[int, ...] = ()
    """Matching minutes of a day, 0 to 1439, rising."""
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    either: bool = False
    """Both day fields are restricted: one of them suffices."""
    real: bool = False
    """Follows real time over changes of the clock."""


def schedule(text: str) -> Schedule:
    """Read an expression.  Raises ValueError with the fix."""
    words = NICKNAMES.get(text.strip().lower(), text).split()
    if len(text) > SCHEDULE_CHARS:
        raise ValueError(f"a schedule has at most {SCHEDULE_CHARS} characters")
    if words and words[0].lower() == "every":
        return Schedule(text.strip(), every=max(1.0, duration("".join(words[1:]))))
    if words and words[0].lower() == "@reboot":
        raise ValueError("'@reboot' is no time: write autostart=true")
    if len(words) != len(FIELDS):
        raise ValueError(f"{text!r} is no schedule: write minute hour day month weekday, as 30 3 * * mon-fri, "
                         f"one of {', '.join(NICKNAMES)}, or every 90s")  # fmt: skip
    found = [_field(word.lower(), *field) for word, field in zip(words, FIELDS, strict=True)]
    minutes, hours, days, months, names = found
    read = Schedule(
        text.strip(),
        minutes=tuple(hour * 60 + minute for hour in sorted(hours) for minute in sorted(minutes)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in names),
        either=not words[2].startswith("*") and not words[4].startswith("*"),
        real=words[1].startswith("*"),
    )
    if next(_days(read, 0), None) is None:
        raise ValueError(f"{text!r} never comes: no month of it has such a day")
    return read


def _field(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        every = _number(step, f"step of {name}", 1, 59, ()) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            left, dash, right = span.partition("-")
            first = _number(left, name, low, high, names)
            last = _number(right, name, low, high, names) if dash else (high if slash else first)
        if first > last:
            raise ValueError(f"{name} {part!r}: the range runs backwards; write two, as {first}-{high},{low}-{last}")
        found.update(range(first, last + 1, every))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return low + names.index(text)
    if not text.isascii() or not text.isdecimal() or not low <= int(text[:4]) <= high:
        known = f", or {names[0]} to {names[-1]}" if names else ""
        raise ValueError(f"{name} {text!r}: write a number {low} to {high}{known}")
    return int(text)


# Looking ahead


def next_run(plan: Schedule, after: float, offset: Offset) -> float | None:
    """The first moment later than `after` (seconds since the epoch) at which it runs; None if never.

    `offset` gives the zone's seconds to add to UTC.  An interval has no zone: it runs at `after` plus itself.
    """
    if plan.every:
        return after + plan.every
    first = int(after + offset(after)) // DAY - 1
    best: int | None = None
    for day in _days(plan, first):
        if best is not None and day * DAY - AROUND > best:
            return best
        later = [at for at in _runs(plan, day, offset) if at > after]
        best = min(later, default=best) if best is None else min([best, *later])
    return best


def _days(plan: Schedule, first: int) -> Iterator[int]:
    """Matching days from `first` on, as far as the horizon."""
    for day in range(first, first + HORIZON):
        _, month, of_month = date_of(day)
        if month in plan.months:
            by_date, by_name = of_month in plan.days, weekday(day) in plan.weekdays
            if (by_date or by_name) if plan.either else (by_date and by_name):
                yield day


def _runs(plan: Schedule, day: int, offset: Offset) -> list[int]:
    """Every moment of a local day at which it runs."""
    start = day * DAY
    before, behind = offset(start - AROUND), offset(start + DAY + AROUND)
    if before == behind:
        return [start + minute * 60 - before for minute in plan.minutes]
    found: list[int] = []
    for minute in plan.minutes:
        shown = _shown(start + minute * 60, offset)
        if shown:
            found += shown if plan.real else shown[:1]
        elif not plan.real:
            found.append(_end_of_gap(start + minute * 60, offset))
    return found


def _shown(local: int, offset: Offset) -> list[int]:
    """When clocks show a local time: once, twice, or never."""
    near = {offset(local - AROUND), offset(local + AROUND)}
    return sorted(local - one for one in near if offset(local - one) == one)


def _end_of_gap(local: int, offset: Offset) -> int:
    """The moment at which clocks jumped over a local time."""
    low, high = local - AROUND, local + AROUND
    before = offset(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return high
