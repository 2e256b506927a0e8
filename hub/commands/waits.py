"""Clients that want to hear how their order ended: their answer is held back until it has, or their time is over.

A client that asks again and again hears of the end half a pause late and has the hub answer many times; one held answer
costs nothing while it waits.
"""

from __future__ import annotations

from hub.clock import Instant
from hub.commands.router import ENDS, Command, Router
from hub.commands.shown import answered, shown
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.words import Asked, Effects
from wire import limits
from wire._record import Record
from wire.messages import Query

MOST = 4
"""Answers held back for one order; a client that repeats more often is answered at once."""


class Held(Record):
    """One answer that waits."""

    asked: Asked
    query: Query
    until: float
    """Monotonic."""


def hold_of(args: dict[str, object]) -> float:
    """Seconds an answer may be held back.  Raises Refusal."""
    hold = args.get("hold", 0.0)
    if not isinstance(hold, (int, float)) or isinstance(hold, bool) or not 0 <= hold <= limits.COMMAND_SECONDS:
        raise Refusal("bad-argument", f"hold must be 0 to {limits.COMMAND_SECONDS:g} seconds")
    return float(hold)


class Waits:
    """The answers held back, by order."""

    def __init__(self, fleet: Fleet, router: Router) -> None:
        self.fleet, self.router = fleet, router
        self.held: dict[str, list[Held]] = {}

    def hold(self, asked: Asked, query: Query, order: str, now: Instant) -> bool:
        """Whether the answer is held back: the client wants it so, and something of its order is under way."""
        seconds = hold_of(query.args)
        known = self.router.order(order)
        waiting = self.held.get(order, [])
        if not seconds or not known or all(one.state in ENDS for one in known) or len(waiting) >= MOST:
            return False
        self.held[order] = [*waiting, Held(asked, query, now.mono + seconds)]
        return True

    def ended(self, command: Command, now: Instant) -> Effects:
        """A command ended; perhaps it was the last one of its order."""
        if command.order not in self.held or any(one.state not in ENDS for one in self.router.order(command.order)):
            return []
        return self._answers(command.order, self.held.pop(command.order))

    def tick(self, now: Instant) -> Effects:
        """Clients whose time is over hear how it stands."""
        effects: Effects = []
        for order, waiting in list(self.held.items()):
            over = [one for one in waiting if now.mono >= one.until]
            if over:
                effects += self._answers(order, over)
                self.held[order] = [one for one in waiting if one not in over]
                if not self.held[order]:
                    del self.held[order]
        return effects

    def _answers(self, order: str, waiting: list[Held]) -> Effects:
        rows = [shown(command, self.fleet) for command in self.router.order(order)]
        return [answered(one.asked, one.query, order, rows) for one in waiting]
