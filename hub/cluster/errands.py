"""Commands for agents of other hubs: given here, sent by the hub that the agent speaks to, ended here again.

Theory.  A command is claimed in the shared store before it is sent, whichever hub it was asked of, and that hub has
judged the right to give it.  Where the agent has no route here, a word among the facts asks the others: who has the
route takes the command from the store and lets it fly as its own; when it has ended, another word says so, and the hub
that was asked reads its end.  Both words may come late or twice: an id is carried out once, by the agent's PID 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.clock import Instant
from hub.cluster.tidings import BOOK, Errand
from hub.commands.orders import Orders
from hub.commands.router import ENDS, Command
from hub.commands.shown import shown
from hub.fleet import Fleet
from hub.store.rows import CommandRow
from hub.words import Effects, Publish, Store
from wire.model import FactKind

ASK_SECONDS = 2.0
"""Pause before the others are asked again: the agent may have been on its way."""
SEND, ENDED = "send", "ended"


class Errands:
    """Joins the orders of this hub to those of the others."""

    def __init__(self, fleet: Fleet, orders: Orders) -> None:
        self.fleet, self.orders = fleet, orders
        self.asked: dict[str, float] = {}
        """Command -> when the others were asked last."""
        self.taken: set[str] = set()
        """Commands of other hubs that fly here."""
        self.handlers: dict[str, Errand] = {SEND: self._send, ENDED: self._ended}
        orders.abroad = self.abroad

    def listen(self) -> None:
        """Hear of every end, besides who does already."""
        before = self.orders.listener
        self.orders.listener = lambda command, now: [*before(command, now), *self._told(command, now)]

    def abroad(self, command: Command, now: Instant) -> Effects:
        """The agent is not here: ask the others, now and then."""
        if now.mono < self.asked.get(command.id, float("-inf")) + ASK_SECONDS:
            return []
        self.asked[command.id] = now.mono
        return [self._word(SEND, command, now)]

    def _told(self, command: Command, now: Instant) -> Effects:
        self.asked.pop(command.id, None)
        if command.id not in self.taken:
            return []
        self.taken.discard(command.id)
        return [self._word(ENDED, command, now)]

    def _word(self, word: str, command: Command, now: Instant) -> Store:
        body: dict[str, object] = {"note": word, "id": command.id, "agent": command.agent}
        return Store("record_fact", (BOOK, now.wall, FactKind.NOTE, body))

    # -- what others ask ---------------------------------------------------------------------------------------------

    def _send(self, body: dict[str, object], now: Instant) -> Effects:
        command_id, agent = str(body.get("id")), str(body.get("agent"))
        if agent not in self.fleet.routes or self.orders.router.get(command_id) is not None:
            return []
        return [Store("command", (command_id,), self._take(agent))]

    def _take(self, agent: str) -> Callable[[CommandRow | None, str, Instant], Effects]:
        def read(row: CommandRow | None, error: str, now: Instant) -> Effects:
            if error or row is None or row.agent != agent or row.state in ENDS or row.engine:
                return []
            self.taken.add(row.id)
            return [*self.orders.restore([row], now), *self.orders.ready(agent, now)]

        return read

    def _ended(self, body: dict[str, object], now: Instant) -> Effects:
        command_id = str(body.get("id"))
        return [Store("command", (command_id,), self._end)] if command_id in self.orders.router.flying else []

    def _end(self, row: Any, error: str, now: Instant) -> Effects:
        """Its end as the other hub kept it: told here too, kept and audited there."""
        if error or row is None or row.state not in ENDS:
            return []
        moved = self.orders.router.move(row.id, row.state, row.updated_at, row.result, row.error)
        if moved is None:
            return []
        self.orders.ended.update([moved.state])
        return [Publish(f"command/{moved.id}", shown(moved, self.fleet)), *self.orders.listener(moved, now)]
