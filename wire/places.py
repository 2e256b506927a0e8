"""Where to be: the hubs that an agent or a relay knows, by key, and when to go from one to another (wire.homing).

Theory.  A hub may have several names; its key says which hub it is, so that an agent does not move between two names of
its home.  Silence for two periods means the next hub; a hub that was dialled only now has longer, twice as long after
each vain try, for where a whole fleet comes at once all handshakes end late.  Longer still has one whose machine took
the connection: it is busy, and who goes on only makes the next one busy, too.  But who left a hub that served it, to go
home, turns back soon: a hub that was stopped takes connections, too.  A hub that does not know our key is left
like a silent one: it may not have heard of the enrolment yet; only where none of them knows it, it is void.
A hub that changes its key is a new place at the same address for enrolment; the old place is forgotten after the move.

Knocking.  To dial anew takes five round trips, and in bad air each of them may take a second; meanwhile the old hub's
answer may only be late, and the next hub may be as blind as this one.  So who can hold two connections goes nowhere
before it is let in (`knock`): the hub that served it until now is *kept*, and goes on hearing it, until the other one
has answered.  If the kept one answers first (`still`), silence was bad air, and blindness is over: there it stays.

    served --look--> knocking --answered--> served, by the other hub
      ^-- the kept hub answers, though it was left for silence, or sees the store again --|
      ^-- the other one is silent, turns us away, or does not know us: and the next one of the list is the kept one
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from wire.address import HubAddress
from wire.homing import Homing

SILENT_PERIODS = 2.0
"""One heartbeat without an answer, and the time until it was due."""

FIRST_SECONDS = 3.0
"""Least time for connections, handshakes and a registration at a hub that was dialled only now."""

REACHED_SECONDS = 30.0
"""The same, from when the connection was taken: as long as a handshake may last."""

VAIN = 4
"""So many times that is doubled."""

SPREAD = 0.25
"""Part of a period over which agents on their way spread."""


class Places:
    """Times are monotonic seconds."""

    def __init__(self, hubs: Sequence[HubAddress], now: float, draw: Callable[[], float] = random.random) -> None:
        """Raises ValueError where there is none.  The first to visit is `at`; `draw` gives parts of 1 to spread by."""
        self._draw = draw
        keys = list(dict.fromkeys(hub.key for hub in hubs))
        self._names: dict[str, tuple[HubAddress, ...]] = {}
        self._homing = Homing(keys)
        self._name(hubs)
        self._last: HubAddress | None = None
        self._vain = 0
        self._since, self._answers = now, False
        self.reached = False
        """The present hub's machine has taken a connection since we turned to it."""
        self._served = False
        """A hub served us until we turned to the present one."""
        self._strangers: set[str] = set()
        self.met = False
        """The hub that we are connected to has answered: another one is to be knocked at, not visited."""
        self.kept: HubAddress | None = None
        """Where we stay connected while we knock at `at`."""
        self._kept_at = now
        """When the kept hub answered last."""
        self.why = ""
        """Why the last hub was left, for people."""

    @property
    def at(self) -> str:
        """Key of the hub that is visited."""
        return self._homing.at

    @property
    def order(self) -> tuple[str, ...]:
        """Keys of all hubs, home first."""
        return self._homing.hubs

    @property
    def several(self) -> bool:
        """Whether there is anywhere else to go."""
        return sum(map(len, self._names.values())) > 1

    def visit(self, now: float) -> HubAddress:
        """The address to dial now, and no other: another name of that hub each time."""
        self.kept, self.met, self._served = None, False, self._answers
        return self._dialled(now)

    def knock(self, now: float) -> HubAddress:
        """The same, beside the hub that served us until now, which is kept."""
        if self.kept is None:
            self.kept, self._kept_at = self._last, self._since
        self._served = False
        return self._dialled(now)

    def _dialled(self, now: float) -> HubAddress:
        names = self._names[self._homing.at]
        self._since, self._answers, self.reached = now, False, False
        last = names.index(self._last) if self._last in names else -1
        self._last = names[(last + 1) % len(names)]
        return self._last

    def returning(self) -> None:
        """Some hub served us until just now, and only we began anew: so it is not busy with a whole fleet that comes.

        Where it takes our connection and says no more it was stopped, and we are not to wait for long.
        """
        self._served = not self.met

    def told(self, hubs: Sequence[HubAddress], now: float) -> None:
        """A hub's answer brought this list, home first."""
        self._homing.told(list(dict.fromkeys(hub.key for hub in hubs)), now)
        keys, doors = {hub.key for hub in hubs}, {hub.enrol for hub in hubs}
        older = {key: names for key, names in self._names.items() if key not in keys}
        self._homing.forget({key for key, names in older.items() if doors.issuperset(hub.enrol for hub in names)})
        self._name(hubs)

    def answered(self, now: float) -> None:
        """The present hub answers: who knocked there is in."""
        self._since, self._answers, self._vain = now, True, 0
        self.met, self.kept = True, None
        self._strangers.clear()
        self._homing.answered()

    def still(self, now: float, sees: bool) -> bool:
        """The kept hub answers, `sees` unless it sends us away; whether that ends the knocking, and it is present."""
        if self.kept is None:
            return False
        self._kept_at = now
        self._strangers.clear()
        if sees and self.kept.key in self._homing.held:
            self._turn_back(now)
        return self.kept is None

    def lost(self) -> None:
        """The kept hub does not know our key any more: only the one where we knock is left."""
        if self.kept is not None:
            self._strangers.add(self.kept.key)
        self.kept, self.met = None, False

    def connected(self, now: float) -> None:
        """The present hub's machine took our connection; only the first time counts, for a hub may die each time."""
        if not self.reached and not self._served:
            self.reached, self._since = True, now

    def away(self, now: float, period: float) -> None:
        """The present hub answers, but sends us elsewhere; where all do that, who knocked stays where it was."""
        self._since, self._answers, self._vain = now, True, 0
        self.met = self.met or self.kept is None
        if self.several and self._homing.move_at is None:
            self._answers = False  # where all are sent at once, the next hub is busy
            self.why = "it sends us elsewhere"
            self._homing.away(now, self._draw() * SPREAD * period)
        if self.kept is not None and self._homing.move_at is None:
            self._turn_back(now)

    def unknown(self, now: float) -> bool:
        """The present hub does not know our key; False if none of the others does."""
        self._strangers.add(self._homing.at)
        if self._strangers >= set(self._homing.hubs):
            self._strangers.clear()
            return False
        self.refused(now, "it does not know our key")
        return True

    def refused(self, now: float, why: str) -> None:
        """The present hub does not let us in: on to the next one."""
        self.why = why
        self._homing.silent(now, 0.0)

    def look(self, now: float, period: float) -> bool:
        """Whether to `visit` another hub, or to `knock` there, now; asked at `next`."""
        if self._homing.move(now) is not None:
            kept = self.kept is not None and self.kept.key == self._homing.at
            if kept and now - self._kept_at < SILENT_PERIODS * period:
                self._turn_back(now)
                return False
            return True
        if self._homing.move_at is None and self.several:
            if now - self._since >= self._patience(period):
                self.why = f"no answer for {now - self._since:.1f} s"
                self._vain += not self._answers
                self._answers = False
                self._homing.silent(now, self._draw() * SPREAD * period)
            elif self._answers:
                self.why = "home is another"
                self._homing.look(now, self._draw() * SPREAD * period)
        return False

    def next(self, now: float, period: float) -> float:
        """When to look again."""
        due = self._homing.move_at if self._homing.move_at is not None else self._since + self._patience(period)
        return max(now + 0.02, min(due, now + period))

    def _turn_back(self, now: float) -> None:
        """The kept hub is the present one again."""
        assert self.kept is not None
        self._homing.back(self.kept.key)
        self._last, self.kept = self.kept, None
        self._since, self._answers, self._vain = now, True, 0

    def _patience(self, period: float) -> float:
        if self._answers:
            return SILENT_PERIODS * period
        least = REACHED_SECONDS if self.reached else FIRST_SECONDS
        return max(SILENT_PERIODS * period, least) * (1 << min(self._vain, VAIN))

    def _name(self, hubs: Sequence[HubAddress]) -> None:
        fresh = {key: tuple(hub for hub in hubs if hub.key == key) for key in {hub.key for hub in hubs}}
        self._names = {key: names for key, names in (self._names | fresh).items() if key in self._homing.hubs}
