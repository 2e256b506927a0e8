"""The claims of one order: each command's id is taken in the store before it flies, then the client is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.clock import Instant
from hub.commands.router import Command
from hub.commands.shown import answered, shown
from hub.plain import plain
from hub.store.rows import CommandRow
from hub.words import Asked, Effect, Effects, Store
from wire import messages as M
from wire.model import CommandState

if TYPE_CHECKING:
    from hub.commands.orders import Orders


class Claims:
    """Claims the commands of one order one after the other, then answers the client."""

    def __init__(self, orders: Orders, asked: Asked, query: M.Query, order_id: str, made: list[Command]) -> None:
        self.orders, self.asked, self.query, self.order_id = orders, asked, query, order_id
        self.waiting = {command.id: command for command in made}
        self.answers: list[dict[str, object]] = []

    def start(self) -> Effects:
        """One claim for each command."""
        return [self._claim(command) for command in self.waiting.values()]

    def _claim(self, command: Command) -> Effect:
        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            return self._claimed(command, taken, error, now)

        return self.orders.claim(command, claimed)

    def _claimed(self, command: Command, taken: Any, error: str, now: Instant) -> Effects:
        if error:
            failed = command._replace(state=CommandState.FAILED, error=f"the store refused it: {error}")
            return self._done(command, shown(failed, self.orders.fleet), [], now)
        if not taken:
            return [Store("command", (command.id,), lambda row, error, now: self._known(command, row, now))]
        if command.follow:
            self.orders.trails.looked(command, now)
        effects = self.orders.launch(command, now)
        return self._done(command, shown(command, self.orders.fleet), effects, now)

    def _known(self, command: Command, row: CommandRow | None, now: Instant) -> Effects:
        known = plain(row) if row is not None else shown(command, self.orders.fleet)
        return self._done(command, {**known, "repeated": True}, [], now)

    def _done(self, command: Command, answer: dict[str, object], effects: Effects, now: Instant) -> Effects:
        self.waiting.pop(command.id, None)
        self.answers.append(answer)
        if self.waiting or self.orders.waits.hold(self.asked, self.query, self.order_id, now):
            return effects
        return [answered(self.asked, self.query, self.order_id, self.answers), *effects]
