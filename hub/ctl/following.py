"""What `-f` does: look again whenever the hub's bell rings, at whichever hub there is, and say what happens meanwhile.

Theory.  The live feed says *that* something happened (wire.bell), the store says *what*: rows have positions, so who
reads on from the last one misses nothing, whatever was lost on the way and whichever hub died.  An item is told before
it is stored; so after a ring it is looked several times, a bit later each time.  A gap in the feed rings, too.
Where no hub answers, that is said once, with the time since when; and once more when one does.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NoReturn

from hub.ctl.anyhub import AnyHub
from hub.ctl.tables import Row
from hub.ctl.text import safe
from wire.bell import Bell
from wire.client import RefusedError, Unreachable

TOPICS = ("fact/", "notice/")
SETTLE = (0.02, 0.2, 1.0)
"""After a ring it is looked so many seconds later: a fact is told first and stored then."""
LEAST = 0.1
"""Between two looks, however often it rings."""
IDLE = 10.0
"""And the longest, however quiet it is."""
AGAIN = 1.0
"""Between two tries while no hub answers."""
PASSING = frozenset({"store", "busy", "too-large", "stale-hub"})
"""Refusals that pass by themselves."""
PAGE = 1000
KNOWN = 2000
"""Rows remembered, to know those that come a second time after the store lost its last writes."""


class Trail:
    """The facts of a target, read on from where the reading stopped."""

    def __init__(self, hub: AnyHub, target: str | None) -> None:
        self._hub, self._target = hub, target
        self._position = 0
        self._known: deque[tuple[Any, ...]] = deque(maxlen=KNOWN)

    def newest(self, since: float | None, number: int) -> list[Row]:
        """Where it begins."""
        found = self._ask(since=since, limit=number)
        self._position = found["position"]
        return self._new(found["rows"])

    def more(self) -> Iterator[list[Row]]:
        """What came since, in pages.  Raises Unreachable, RefusedError."""
        while True:
            found = self._ask(after=self._position, limit=PAGE)
            back = found["position"] < self._position
            before, self._position = self._position, found["position"]
            if back:  # the store forgot its last writes; what agents told again has other positions
                self._position = max(0, found["position"] - PAGE)
            if rows := self._new(found["rows"]):
                yield rows
            if not back and self._position == before:
                return

    def _ask(self, **args: Any) -> Row:
        found = self._hub.query("events", target=self._target, place=True, **args)
        if isinstance(found, dict):
            return found
        rows = list(found)  # a hub of an earlier release does not tell how far it read
        return {"rows": rows, "position": max((int(row["position"]) for row in rows), default=self._position)}

    def _new(self, rows: Any) -> list[Row]:
        fresh = [row for row in rows if _name(row) not in self._known]
        self._known.extend(map(_name, fresh))
        return fresh


def _name(row: Row) -> tuple[Any, ...]:
    return row["agent"], row["boot"], row["seq"], row["agent_at"], row.get("note")


class Absence:
    """Since when no hub answers; told once at its beginning and once at its end."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say, self._since = say, 0.0

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.time() - self._since if self._since else 0.0

    def began(self, error: Exception, silent: float = 0.0) -> None:
        """No answer, and no sign of life for so many seconds before."""
        if not self._since:
            self._since = time.time() - silent
            when = time.strftime("%H:%M:%S", time.localtime(self._since))
            self._say(f"no answer since {when}: {error}; still trying")

    def ended(self, where: str) -> None:
        """An answer."""
        if self._since:
            self._say(f"{where} answers, after {time.time() - self._since:.0f} s; going on from where it stopped")
            self._since = 0.0


def say(line: str) -> None:
    """To whoever sits at the terminal."""
    print(safe(f"hubctl: {line}"), file=sys.stderr, flush=True)


def follow(hub: AnyHub, look: Callable[[], object], tell: Callable[[str], object] = say) -> NoReturn:
    """Calls `look` whenever there may be something new; never returns.  Raises RefusedError."""
    absence = Absence(tell)
    while True:
        with closing(Bell(hub.client.key, TOPICS)) as bell:
            _attend(hub, bell, look, absence, tell)


def _attend(
    hub: AnyHub, bell: Bell, look: Callable[[], object], absence: Absence, tell: Callable[[str], object]
) -> None:
    """As long as this bell hangs where the hub is."""
    looks, looked, missed = [0.0], 0.0, 0
    while bell.key == hub.client.key and not bell.deaf:
        now = time.monotonic()
        if now >= max(min(looks, default=looked + IDLE), looked + LEAST):
            looks, looked = [at for at in looks if at > now], now
            if not _looked(hub, look, absence, bell.silent):
                looks = [now + AGAIN]
        try:
            rang = bell.wait(min(max(looks[0] - time.monotonic(), LEAST / 5), AGAIN) if looks else AGAIN)
        except RefusedError as error:
            if error.code not in PASSING:
                raise
            absence.began(error)
            rang = False
        if rang:
            looks = [time.monotonic() + later for later in SETTLE]
        if bell.missed > missed:
            tell(f"{bell.missed - missed} items of the live feed were lost on the way; reading them from the store")
            missed = bell.missed


def _looked(hub: AnyHub, look: Callable[[], object], absence: Absence, silent: float) -> bool:
    try:
        look()
    except Unreachable as error:
        absence.began(error, silent)
    except RefusedError as error:
        if error.code not in PASSING:
            raise
        absence.began(error)
    else:
        absence.ended(hub.client.key.command)
        return True
    return False
