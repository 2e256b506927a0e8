"""Container commands of this hub: given to their engine once, and ended by evidence where their hub died in between.

Theory.  Before an order goes to its engine the store knows, in the command's row, which *life* of which hub gives it
(name and epoch of its lease), when, and how the container stood: the *mark*.  So an open row without a mark was never
given, and one whose life is over was given at most once, by nobody any more; it is never given again.  Whoever takes it
over (hub.commands.heirs; a hub that is alone, at its start) looks at what the engine lists of the container
(hub.engines.evidence): what is certain ends it as done, at once; else it has failed at its deadline, with what is seen.
Before the deadline nothing is said to have failed, since an engine may take its time, and a hub that was stopped with
the order in its hand may still wake up; after the deadline no hub begins it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.commands.router import ENDS, Command, Router
from hub.commands.shown import revived
from hub.engines.evidence import Finding, Given, judge
from hub.engines.reports import EngineCommand, OrderResult
from hub.fleet import Fleet
from hub.store.rows import CommandRow
from hub.words import Effects, Order, Store
from wire._record import Record
from wire.model import CommandState

LATE_SECONDS = 2.0
"""After the deadline: the engine may have been at it until then, and its list comes after that."""
FIRST_SECONDS = 10.0
"""At least so long an engine is waited for, whatever the deadline was: it is listed within two pulses."""
GONE = "the hub that gave the order ended before the engine answered"

End = Callable[..., Effects]


class Orphan(Record):
    """A command whose hub is gone."""

    given: Given
    until: float
    """Monotonic: what is not certain by then has failed."""


class Containers:
    """`told` tells a change of a command, `end` ends one."""

    def __init__(self, fleet: Fleet, router: Router, told: Callable[[Command, Instant], Effects], end: End) -> None:
        self.fleet, self.router, self.told, self.end = fleet, router, told, end
        self.life: Callable[[], int] = lambda: 0
        """Epoch of this hub's present life, 0 where it is alone."""
        self.marks: dict[str, Mapping[str, object]] = {}
        self.orphans: dict[str, Orphan] = {}

    # -- to an engine ------------------------------------------------------------------------------------------------

    def give(self, command: Command, now: Instant) -> Effects:
        """Has the engine carry it out, once the store knows who gives it."""
        order = EngineCommand(
            command.id, command.verb, command.container, command.args, now.wall + command.deadline - now.mono
        )
        mark = self.marks[command.id] = self._mark(command, now)
        moved = self.router.move(command.id, CommandState.DELIVERED, now.wall)

        def kept(row: CommandRow | None, error: str, now: Instant) -> Effects:
            if command.id not in self.router.flying:
                return []
            if error or row is None or row.state in ENDS:
                why = error or ("it was ended elsewhere" if row else "it does not know the command")
                return self._fail(command.id, f"the store did not take down who gives it: {why}; not carried out", now)
            by_relay = self.fleet.relayed.get(command.engine)
            return by_relay(order, now) if by_relay else [Order(command.engine, order)]

        change = (command.id, CommandState.DELIVERED, now.wall, mark, "")
        return [*(self.told(moved, now) if moved else []), Store("update_command", change, kept)]

    def _mark(self, command: Command, now: Instant) -> dict[str, object]:
        known = self.fleet.containers.get(command.container)
        state, started = (known.row.state, known.row.started_at) if known else ("", None)
        at = now.wall - self.fleet.ahead(command.engine)
        return {
            "hub": self.fleet.settings.hub, "born": self.life(), "at": at, "state": state, "started": started or 0.0,
        }  # fmt: skip

    def ordered(self, result: OrderResult, now: Instant) -> Effects:
        """An engine's word about one of its orders."""
        state = CommandState.DONE if result.ok else CommandState.FAILED
        words = "" if result.ok else f"{result.error}: {result.detail}"
        return self.end(result.id, state, now, result.detail if result.ok else None, words)

    # -- whose hub is gone -------------------------------------------------------------------------------------------

    def inherit(self, row: CommandRow, now: Instant) -> Effects:
        """An open command that no other hub has any more; it must not be given again."""
        given = _given(row)
        command = self.router.flying.get(row.id) or self.router.accept(revived(row, self.fleet, now))
        if given is None:
            never = row.engine and row.state is CommandState.ACCEPTED
            words = "it was not carried out" if never else "it may have been executed"
            return self._fail(row.id, f"its hub ended before it was carried out or told how it ended; {words}", now)
        until = now.mono + max(row.deadline - now.wall + LATE_SECONDS, FIRST_SECONDS)
        late = command._replace(state=CommandState.DELIVERED, sent_at=now.mono, deadline=until + LATE_SECONDS)
        self.router.flying[row.id] = late
        self.orphans[row.id] = Orphan(given, until)
        return self._look(late, self.orphans[row.id], now)

    def tick(self, now: Instant) -> Effects:
        """Looks at the engines' lists for what became of commands whose hub is gone."""
        self.marks = {key: mark for key, mark in self.marks.items() if key in self.router.flying}
        self.orphans = {key: one for key, one in self.orphans.items() if key in self.router.flying}
        looks = (self._look(self.router.flying[key], one, now) for key, one in list(self.orphans.items()))
        return [effect for look in looks for effect in look]

    def _look(self, command: Command, orphan: Orphan, now: Instant) -> Effects:
        found = self._found(command, orphan.given)
        if found is not None and found.done:
            return self.end(command.id, CommandState.DONE, now, found.words)
        if now.mono < orphan.until:
            return []
        seen = found.words if found else f"engine {command.engine} has not told of the container since"
        return self._fail(command.id, f"{GONE}: {seen}; it may have been executed", now)

    def _found(self, command: Command, given: Given) -> Finding | None:
        known = self.fleet.containers.get(command.container)
        if known is None or known.engine != command.engine:
            return None
        listed_after = known.at >= given.at + self.fleet.ahead(command.engine)
        return judge(command.verb, command.args, given, known.row) if listed_after else None

    def _fail(self, command_id: str, error: str, now: Instant) -> Effects:
        return self.end(command_id, CommandState.FAILED, now, error=error)


def life_of(row: CommandRow) -> tuple[str, int] | None:
    """The life that gave a container command to its engine; None where it was not given, or by an older release."""
    mark: Any = row.result if row.engine and row.state is CommandState.DELIVERED else None
    try:
        return str(mark["hub"]), int(mark["born"])
    except (TypeError, KeyError, ValueError):
        return None


def _given(row: CommandRow) -> Given | None:
    mark: Any = row.result
    try:
        return Given(float(mark["at"]), str(mark["state"]), float(mark["started"])) if life_of(row) else None
    except (TypeError, KeyError, ValueError):
        return None
