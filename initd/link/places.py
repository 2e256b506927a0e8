"""Where to be: the hubs that this agent knows, by key, and when to go from one to another (wire.homing).

Theory.  A hub may have several names; its key says which hub it is, so that an agent does not move between two names of
its home.  Silence for two periods means the next hub; a hub that was dialled only now has longer, twice as long after
each vain try, for where a whole fleet comes at once all handshakes end late.  A hub that does not know our key is left
like a silent one: it may not have heard of the enrolment yet; only where none of them knows it, it is void.
A hub that changes its key is a new place at the same address for enrolment; the old place is forgotten after the move.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from wire.homing import Homing
from wire.messages import HubAddress

SILENT_PERIODS = 2.0
"""One heartbeat without an answer, and the time until it was due."""

FIRST_SECONDS = 3.0
"""Least time for connections, handshakes and a registration at a hub that was dialled only now."""

VAIN = 4
"""So many times that is doubled."""

SPREAD = 0.25
"""Part of a period over which agents on their way spread."""


class Places:
    """Times are monotonic seconds."""

    def __init__(self, hubs: Sequence[HubAddress], now: float) -> None:
        """Raises ValueError where there is none.  The first to visit is `at`."""
        keys = list(dict.fromkeys(hub.key for hub in hubs))
        self._names: dict[str, tuple[HubAddress, ...]] = {}
        self._homing = Homing(keys)
        self._name(hubs)
        self._last: HubAddress | None = None
        self._vain = 0
        self._since, self._answers = now, False
        self._strangers: set[str] = set()

    @property
    def at(self) -> str:
        """Key of the hub that is visited."""
        return self._homing.at

    @property
    def several(self) -> bool:
        """Whether there is anywhere else to go."""
        return sum(map(len, self._names.values())) > 1

    def visit(self, now: float) -> HubAddress:
        """The address to dial now: another name of that hub each time."""
        names = self._names[self._homing.at]
        self._since, self._answers = now, False
        last = names.index(self._last) if self._last in names else -1
        self._last = names[(last + 1) % len(names)]
        return self._last

    def told(self, hubs: Sequence[HubAddress], now: float) -> None:
        """A hub's answer brought this list, home first."""
        self._homing.told(list(dict.fromkeys(hub.key for hub in hubs)), now)
        keys, doors = {hub.key for hub in hubs}, {hub.enrol for hub in hubs}
        older = {key: names for key, names in self._names.items() if key not in keys}
        self._homing.forget({key for key, names in older.items() if doors.issuperset(hub.enrol for hub in names)})
        self._name(hubs)

    def answered(self, now: float) -> None:
        """The present hub answers."""
        self._since, self._answers, self._vain = now, True, 0
        self._strangers.clear()
        self._homing.answered()

    def away(self, now: float, period: float) -> None:
        """The present hub sends us elsewhere."""
        if self.several and self._homing.move_at is None:
            self._homing.silent(now, random.random() * SPREAD * period)

    def unknown(self, now: float) -> bool:
        """The present hub does not know our key; False if none of the others does."""
        self._strangers.add(self._homing.at)
        if self._strangers >= set(self._homing.hubs):
            self._strangers.clear()
            return False
        self._homing.silent(now, 0.0)
        return True

    def look(self, now: float, period: float) -> bool:
        """Whether to `visit` another hub, now; asked at `next`."""
        if self._homing.move(now) is not None:
            return True
        if self._homing.move_at is None and self.several:
            if now - self._since >= self._patience(period):
                self._vain += not self._answers
                self._homing.silent(now, random.random() * SPREAD * period)
            elif self._answers:
                self._homing.look(now, random.random() * SPREAD * period)
        return False

    def next(self, now: float, period: float) -> float:
        """When to look again."""
        due = self._homing.move_at if self._homing.move_at is not None else self._since + self._patience(period)
        return max(now + 0.02, min(due, now + period))

    def _patience(self, period: float) -> float:
        if self._answers:
            return SILENT_PERIODS * period
        return max(SILENT_PERIODS * period, FIRST_SECONDS) * (1 << min(self._vain, VAIN))

    def _name(self, hubs: Sequence[HubAddress]) -> None:
        fresh = {key: tuple(hub for hub in hubs if hub.key == key) for key in {hub.key for hub in hubs}}
        self._names = {key: names for key, names in (self._names | fresh).items() if key in self._homing.hubs}
