"""In which order programs stop, and how long each may take; pure.

Theory.  Container runtimes kill everything a fixed time after their stop signal (docker 10 s, kubernetes 30 s), so a
shutdown has one budget, not one timeout per program.  Groups of one priority form a *level*; levels stop in falling
priority, one after the other; inside a level everything stops at once (supervisord stops its groups one by one, which
adds up).  Who depends on another (depends_on) stops before it: such a level is divided, see initd.order.graph.
The last second of the budget belongs to the *sweep*: what is left of process groups, orphans, the link.

A stop takes as long as its process and then its post_stop may; where there is less, both get less.  A level's explicit
stopwaitsecs are promises and are reserved before defaulted ones (10 s nobody wrote down) get anything beyond FLOOR.
The shares are worked out anew before each level, so time that one level saves is given on.
Where the promises alone exceed what runtimes allow by default, the runtime has to be told anyhow, and defaulted waits
count in full: nobody who gives one program 60 s expects the others to be killed after one.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Stoppable(Protocol):
        """What this module reads of a program's configuration."""

        @property
        def group(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def priority(self) -> int: ...
        @property
        def group_priority(self) -> int: ...
        @property
        def stopwaitsecs(self) -> int: ...
        @property
        def stopwaitsecs_given(self) -> bool: ...


LEAST_BUDGET = 9.0
"""Seconds for a shutdown where nothing else is said: inside docker's 10 s, with one to spare for the engine."""

SWEEP = 1.0
"""Seconds at the end of the budget for what is no program's leader."""

FLOOR = 1.0
"""Seconds that each level keeps, however much the levels before it want."""


class Level(Record):
    """Programs that stop together, in the order in which they get their signals."""

    priority: int
    members: tuple[tuple[str, str], ...]
    """(group, name) of each."""
    promised: float
    """Longest explicit stopwaitsecs, 0 if there is none."""
    wanted: float
    """Longest stopwaitsecs, explicit or defaulted."""


def stop_levels(programs: Sequence[Stoppable]) -> tuple[Level, ...]:
    """The levels in stop order: falling group priority, dependents first; inside, the reverse of the start order."""
    priorities = sorted({program.group_priority for program in programs}, reverse=True)
    if all(getattr(program, "order", None) is None for program in programs):
        return tuple(_level(priority, _of(priority, programs)) for priority in priorities)
    return _levels_by_rank(priorities, programs)


def _levels_by_rank(priorities: Sequence[int], programs: Sequence[Stoppable]) -> tuple[Level, ...]:
    from initd.order.graph import Graph, ranks  # the topic has imported it already; other files do without

    names = {full_name(program.group, program.name): program for program in programs}
    places = {name: priorities.index(program.group_priority) for name, program in names.items()}
    found = ranks(places, Graph(programs).needs)
    return tuple(
        _level(priorities[rank[0]], [program for name, program in names.items() if found[name] == rank])
        for rank in sorted(set(found.values()))
    )


def _of(priority: int, programs: Sequence[Stoppable]) -> list[Stoppable]:
    return [program for program in programs if program.group_priority == priority]


def _level(priority: int, programs: Sequence[Stoppable]) -> Level:
    backwards = list(reversed(programs))
    members = sorted(backwards, key=lambda program: -program.priority)
    promised = [patience(program) for program in members if program.stopwaitsecs_given]
    wanted = max(0.0, *(patience(program) for program in members))
    return Level(
        priority, tuple((program.group, program.name) for program in members), max(promised, default=0), wanted
    )


def patience(program: Stoppable) -> float:
    """Seconds that its whole stop may take: its process, then its post_stop."""
    hooks = getattr(program, "hooks", None)
    return float(program.stopwaitsecs) + (hooks.post_stop_timeout if hooks is not None and hooks.post_stop else 0.0)


def until_kill(program: Stoppable, part: float) -> float:
    """Seconds that its process may take where the whole of its stop has `part`."""
    whole = patience(program)
    return program.stopwaitsecs * min(1.0, part / whole) if whole else 0.0


def budget(levels: Sequence[Level], given: float | None = None) -> float:
    """Seconds for the whole shutdown: `given` (shutdown_budget or PIDONE_STOP_BUDGET) or what the file asks for."""
    if given is not None:
        return max(0.0, given)
    if sum(level.promised for level in levels) + SWEEP <= LEAST_BUDGET:
        return LEAST_BUDGET
    return sum(max(FLOOR, level.wanted) for level in levels) + SWEEP


def share(levels: Sequence[Level], remaining: float) -> float:
    """Seconds that the first of `levels` may take until KILL, when `remaining` seconds of the budget are left."""
    first, later = levels[0], levels[1:]
    usable = max(0.0, remaining - SWEEP)
    free = usable - sum(_reserve(level) for level in levels)
    if free < 0:
        return _scarce(levels, usable)
    return min(max(first.wanted, FLOOR), usable - sum(_reserve(level) for level in later))


def _reserve(level: Level) -> float:
    return max(FLOOR, level.promised)


def _scarce(levels: Sequence[Level], usable: float) -> float:
    """The first level's part where the reservations exceed the budget: a floor each, the rest in proportion."""
    floor = min(FLOOR, usable / len(levels))
    beyond = [_reserve(level) - FLOOR for level in levels]
    rest = usable - floor * len(levels)
    return floor + (rest * beyond[0] / sum(beyond) if sum(beyond) else 0.0)
