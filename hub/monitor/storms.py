"""Crash loops counted by exits: one storm for a program however often it dies, one for a fleet that dies alike.  Pure.

Theory.  A sampler that looks for "running" misses a loop that is faster than it looks, so exits are counted.  A *crash*
is an unexpected exit that nobody commanded, or a start that failed.  RULES say how many crashes within how many seconds
make a storm; the quick rule sees loops of seconds, the slow one loops of minutes.

    calm --RULES met--> raging --no crash for max(QUIET_SECONDS, PATIENCE x the last interval)--> calm
                          |  ^
                          `--'  another crash: only counted

The end is late by that silence on purpose: a back-off that grows makes the intervals longer, and a storm must not be
told again after each of them.  The end's own time is the last crash.  A program that is given up (FATAL) or stopped by
command cannot crash again by itself, so its storm ends at once.

Where ALIKE or more agents have a storm of the same program in the same service at one time, a *fleet storm* begins (a
bad deploy); it ends with the last of its members.  Members that begin inside it carry its id, so that who is told of
the fleet storm need not be told of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from wire._record import Record
from wire.model import Cause, Exit, State

RULES = ((4, 60.0), (6, 600.0))
"""(crashes, within seconds)."""
MEMORY = max(count for count, _ in RULES)
RATE_SECONDS = 3.0
"""Shortest time a rate is taken over: the first starts of a program that fails at once come in a bunch, before any
back-off, and four in a tenth of a second are not thousands a minute."""
QUIET_SECONDS = 60.0
"""A storm lasts at least so long beyond its last crash."""
PATIENCE = 3.0
"""A back-off at most doubles, so the next crash comes within two intervals and the run between them."""
MOST_QUIET = 3600.0
"""Longest wait for the next crash."""
ALIKE = 3
"""Agents that make a fleet storm."""
KEPT = 10_000
"""Programs that are watched; the calm ones that crashed longest ago are forgotten first."""
INNOCENT = frozenset({Cause.STOPPED, Cause.RENEWAL, Cause.DEPENDENCY})
"""Ends that somebody wanted, or that are another program's fault."""
ENDS = frozenset({State.FATAL, State.STOPPED})
"""States out of which a program does not crash again by itself."""

Key = tuple[str, str]
"""Agent and full name."""
Place = tuple[str, str]
"""Service and full name."""


class Crash(Record):
    """One crash."""

    at: float
    run: float
    """Seconds it ran."""
    what: str
    """`exit 1`, `SIGSEGV`..."""


class Storm(Record):
    """One storm, of a program or of the fleet."""

    id: str
    agent: str
    """"" for a fleet storm."""
    process: str
    """Full name; for a fleet storm the program's."""
    service: str
    began: float
    """The first crash that counts."""
    told: float
    """The crash that met the rule."""
    exits: int
    last: float
    """The last crash."""
    rate: float
    """Crashes a minute, over the last few."""
    backoff: float | None
    """Seconds between the last death and the start before it; None where unknown."""
    what: str
    fleet: str = ""
    """Id of the fleet storm it belongs to."""
    members: tuple[str, ...] = ()
    """Agents of a fleet storm."""
    ended: float | None = None
    reason: str = ""
    """Why it ended."""

    @property
    def phase(self) -> str:
        """`begun` or `ended`."""
        return "begun" if self.ended is None else "ended"

    def words(self) -> str:
        """Rate and back-off in a few words."""
        wait = "" if self.backoff is None else f", restarted after {self.backoff:.0f} s"
        where = f", {len(self.members)} agents" if self.members else ""
        return f"{self.rate:.1f} a minute{wait}, last by {self.what}{where}"


@dataclass(slots=True)
class Watched:
    """What is known of one program."""

    crashes: deque[Crash] = field(default_factory=lambda: deque(maxlen=MEMORY))
    storm: Storm | None = None


def is_crash(body: Exit) -> bool:
    """Whether an exit counts."""
    return not body.expected and body.cause not in INNOCENT


class Storms:
    """All programs; every method returns the storms that began or ended by it."""

    def __init__(self) -> None:
        self.programs: dict[Key, Watched] = {}
        self.raging: dict[Place, dict[Key, Watched]] = {}
        """Those that have a storm, by place."""
        self.fleet: dict[Place, Storm] = {}
        """Fleet storms that go on; their `exits` are those of members that ended."""

    def open(self) -> list[Storm]:
        """The storms that go on, fleet storms first."""
        fleet = [self._summed(storm) for storm in self.fleet.values()]
        return [*fleet, *(storm for place in self.raging for storm in self._members(place))]

    def restore(self, storm: Storm) -> None:
        """Takes over a storm that went on when the hub stopped."""
        if storm.members:
            self.fleet[place_of(storm)] = storm._replace(exits=0)
            return
        key, crashes = (storm.agent, storm.process), deque([Crash(storm.last, 0.0, storm.what)], maxlen=MEMORY)
        self.programs[key] = Watched(crashes, storm)
        self.raging.setdefault(place_of(storm), {})[key] = self.programs[key]

    def crash(self, key: Key, crash: Crash, service: str = "") -> list[Storm]:
        """One crash of a program."""
        one = self.programs.pop(key, None) or Watched()
        self.programs[key] = one
        self._bound()
        before = one.crashes[-1] if one.crashes else None
        if before is not None and crash.at < before.at:
            return []  # a replay of old facts: what is older than what was counted tells nothing new
        one.crashes.append(crash)
        backoff = None if before is None else max(crash.at - crash.run - before.at, 0.0)
        rate = _rate(one.crashes)
        if one.storm is not None:
            exits = one.storm.exits + 1
            one.storm = one.storm._replace(exits=exits, last=crash.at, rate=rate, what=crash.what, backoff=backoff)
            return []
        counted, place = _met(one.crashes), (service, key[1])
        if not counted:
            return []
        began = one.crashes[-counted].at
        number, fleet = f"{key[0][:12]}-{began:.3f}-{key[1]}", self.fleet.get(place)
        one.storm = Storm(
            number, *key, service, began, crash.at, counted, crash.at, rate, backoff, crash.what,
            fleet.id if fleet else "",
        )  # fmt: skip
        self.raging.setdefault(place, {})[key] = one
        return [one.storm, *self._joined(one.storm)]

    def settle(self, key: Key, at: float, reason: str) -> list[Storm]:
        """The program cannot crash again by itself: given up, stopped, or its agent left."""
        one = self.programs.get(key)
        if one is None:
            return []
        one.crashes.clear()
        return self._end(one, at, reason)

    def leave(self, agent: str, at: float, reason: str) -> list[Storm]:
        """An agent left: its storms end with it."""
        mine = [key for key in self.programs if key[0] == agent]
        ended = [storm for key in mine for storm in self.settle(key, at, reason)]
        for key in mine:
            del self.programs[key]
        return ended

    def tick(self, now: float) -> list[Storm]:
        """The storms that silence ended."""
        raging = [one for place in self.raging.values() for one in place.values()]
        quiet = [one for one in raging if now >= quiet_at(one)]
        return [storm for one in quiet for storm in self._end(one, None, "no crash any more")]

    def _end(self, one: Watched, at: float | None, reason: str) -> list[Storm]:
        if one.storm is None:
            return []
        ended = one.storm._replace(ended=max(one.storm.last, at or 0.0), reason=reason)
        place = place_of(ended)
        self.raging[place].pop((ended.agent, ended.process), None)
        one.storm = None
        one.crashes.clear()
        return [ended, *self._left(place, ended)]

    # -- fleet storms ------------------------------------------------------------------------------------------------

    def _members(self, place: Place) -> list[Storm]:
        return [one.storm for one in self.raging.get(place, {}).values() if one.storm is not None]

    def _joined(self, storm: Storm) -> list[Storm]:
        place = place_of(storm)
        known, members = self.fleet.get(place), self._members(place)
        if known is not None:
            known = known if storm.agent in known.members else known._replace(members=(*known.members, storm.agent))
            self.fleet[place] = known
        if known is not None or len(members) < ALIKE:
            return []
        began, agents = min(one.began for one in members), tuple(one.agent for one in members)
        number = f"fleet-{began:.3f}-{'-'.join(place)}"
        self.fleet[place] = storm._replace(id=number, agent="", began=began, fleet="", members=agents, exits=0)
        return [self._summed(self.fleet[place])]

    def _summed(self, fleet: Storm) -> Storm:
        """A fleet storm with the figures of its members that go on."""
        members = self._members(place_of(fleet))
        if not members:
            return fleet
        return fleet._replace(
            exits=fleet.exits + sum(one.exits for one in members),
            last=max(one.last for one in members),
            rate=sum(one.rate for one in members),
        )

    def _left(self, place: Place, ended: Storm) -> list[Storm]:
        if not self.raging[place]:
            del self.raging[place]
        known = self.fleet.get(place)
        if known is None:
            return []
        self.fleet[place] = known = known._replace(last=max(known.last, ended.last), exits=known.exits + ended.exits)
        if place in self.raging:
            return []
        del self.fleet[place]
        return [known._replace(ended=max(known.last, ended.ended or 0.0), reason=ended.reason)]

    def _bound(self) -> None:
        if len(self.programs) > KEPT:
            calm = (key for key, one in self.programs.items() if one.storm is None)
            self.programs.pop(next(calm, next(iter(self.programs))))


def place_of(storm: Storm) -> Place:
    """Where storms are alike."""
    return storm.service, storm.process


def _met(crashes: Iterable[Crash]) -> int:
    """How many of the last crashes make a storm; 0 for none."""
    times = [crash.at for crash in crashes]
    met = [n for n, span in RULES if len(times) >= n and times[-1] - times[-n] <= span]
    return max(met, default=0)


def _rate(crashes: deque[Crash]) -> float:
    """Crashes a minute over those that are remembered, and over RATE_SECONDS at least."""
    return 60.0 * (len(crashes) - 1) / max(crashes[-1].at - crashes[0].at, RATE_SECONDS)


def quiet_at(one: Watched) -> float:
    """When a storm is over if nothing crashes until then."""
    last = one.crashes[-1].at
    interval = last - one.crashes[-2].at if len(one.crashes) > 1 else 0.0
    return last + min(max(QUIET_SECONDS, PATIENCE * interval), MOST_QUIET)
