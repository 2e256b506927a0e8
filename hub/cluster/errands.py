"""Commands for agents of other hubs: given here, sent by the hub that the agent speaks to, ended here again.

Theory.  A command is claimed in the shared store before it is sent, whichever hub it was asked of, and that hub has
judged the right to give it and keeps who asked.  Where the agent has no route here, its hub is asked to carry the
command (`hub.carry`, over hub.cluster.links); it answers when the command has ended, and keeps the end.

Where that hub cannot be reached, holds no lease, or does not have the agent either, a word among the facts asks all
others: who has the route takes the command from the store and lets it fly as its own; another word tells the end.  The
word is repeated while the command waits, so a hub that died with it is followed by the next.  Both ways may be taken,
and words may come late or twice: a hub lets an id fly once, and the agent's PID 1 carries it out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.cluster.links import Links
from hub.cluster.tidings import BOOK, Errand
from hub.commands.orders import Orders
from hub.commands.router import ENDS, Command
from hub.commands.shown import shown
from hub.commands.wishes import CONTAINER_ARGS, PROCESS_ARGS, check_args
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import CommandRow
from hub.words import Asked, Effects, Publish, Route, Send, Store
from wire import limits
from wire.messages import Answer, Query
from wire.model import CommandState, FactKind
from wire.shapes import IDENT

ASK_SECONDS = 2.0
"""Pause before the others are asked again: the agent may have been on its way."""
LATE_SECONDS = 1.0
"""How long after a command's deadline its hub may still tell the end."""
TEXTS = ("id", "order", "actor", "verb", "agent", "engine", "container", "target", "peer", "follow")
"""Fields of a command that are texts, as hubs tell each other."""
SEND, ENDED = "send", "ended"


class Errands:
    """Joins the orders of this hub to those of the others.

    `where` says which other hub an agent speaks to ("" = unknown), `acts` whether this hub may act now.
    """

    def __init__(
        self,
        fleet: Fleet,
        orders: Orders,
        links: Links,
        where: Callable[[str], str],
        acts: Callable[[Instant], bool],
    ) -> None:
        self.fleet, self.orders, self.links, self.where, self.acts = fleet, orders, links, where, acts
        self.asked: dict[str, float] = {}
        """Command -> when the others were asked last."""
        self.taken: set[str] = set()
        """Commands that another hub asked for by a word, and that fly here."""
        self.owed: dict[str, list[tuple[Route, str]]] = {}
        """Command -> the questions of other hubs that its end answers."""
        self.handlers: dict[str, Errand] = {SEND: self._send, ENDED: self._ended}
        orders.abroad = self.abroad

    def listen(self) -> None:
        """Hear of every end, besides who does already."""
        before = self.orders.listener
        self.orders.listener = lambda command, now: [*self._told(command, now), *before(command, now)]

    # -- what is asked of others -------------------------------------------------------------------------------------

    def abroad(self, command: Command, now: Instant) -> Effects:
        """The agent is not here: ask its hub; where that leads nowhere, ask all, now and then."""
        if command.engine:
            return self._to_engine(command, now)
        if now.mono < self.asked.get(command.id, float("-inf")) + ASK_SECONDS:
            return []
        first, self.asked[command.id] = command.id not in self.asked, now.mono
        hub = self.where(command.agent) if first else ""
        if not hub:
            return [self._word(SEND, command, now)]
        left = max(command.deadline - now.mono, 0.0)
        return self.links.ask(
            hub, "hub.carry", _described(command, left), left + LATE_SECONDS, self._carried(command), now
        )

    def _to_engine(self, command: Command, now: Instant) -> Effects:
        """An engine's order is given once, by the hub that polls the engine; there is no other way.

        Where that hub dies with it, another one finds out what became of it (hub.commands.heirs) and tells by a word.
        """
        hub, left = self.orders.boxes.get(command.container, ""), max(command.deadline - now.mono, 0.0)
        asked: list[bool] = []

        def heard(result: Any, error: str, now: Instant) -> Effects:
            end = _end_of(result)
            if not error and end is not None:
                return self._finish(command.id, *end, now)
            if asked and ": " not in error:  # it may have given the order
                return []
            return self.orders.fail(command, f"hub {hub or 'unknown'}: {error}; not carried out", now)

        effects = self.links.ask(hub, "hub.carry", _described(command, left), left + LATE_SECONDS, heard, now)
        asked.append(True)
        return effects

    def _carried(self, command: Command) -> Callable[[Any, str, Instant], Effects]:
        def heard(result: Any, error: str, now: Instant) -> Effects:
            if command.id not in self.orders.router.flying:
                return []
            end = _end_of(result)
            if error or end is None:
                self.asked[command.id] = now.mono
                return [self._word(SEND, command, now)]
            return self._finish(command.id, *end, now)

        return heard

    def _word(self, word: str, command: Command, now: Instant) -> Store:
        body: dict[str, object] = {"note": word, "id": command.id, "agent": command.agent}
        return Store("record_fact", (BOOK, now.wall, FactKind.NOTE, body))

    def _told(self, command: Command, now: Instant) -> Effects:
        """A command that flew here has ended: whoever asked for it is told."""
        self.asked.pop(command.id, None)
        effects: Effects = [
            Send(route, Answer(number, self._end_shown(command))) for route, number in self.owed.pop(command.id, ())
        ]
        if command.id in self.taken:
            self.taken.discard(command.id)
            effects.append(self._word(ENDED, command, now))
        return effects

    def _end_shown(self, command: Command) -> dict[str, Any]:
        end = {"state": str(command.state), "result": plain(command.result), "error": command.error}
        return {"hub": self.fleet.settings.hub, "id": command.id, "at": command.changed_at, **end}

    # -- what others ask ---------------------------------------------------------------------------------------------

    def carry(self, asked: Asked, query: Query, now: Instant) -> Effects:
        """Another hub has claimed a command for an agent that speaks to this one.  Raises Refusal."""
        command = _command(query.args, now)
        known = self.orders.router.get(command.id)
        if known is not None and known.state in ENDS:
            return [Send(asked.route, Answer(query.id, self._end_shown(known)))]
        if known is None and not self._here(command):
            what = f"container {command.container[:12]}" if command.engine else f"agent {command.agent}"
            raise Refusal("not-here", f"{what} is not with this hub")
        if not self.acts(now):
            raise Refusal("no-lease", "this hub has no lease now")
        self.owed.setdefault(command.id, []).append((asked.route, query.id))
        return self.orders.launch(command, now) if known is None else []

    def _here(self, command: Command) -> bool:
        box = self.fleet.containers.get(command.container)
        return command.agent in self.fleet.routes if not command.engine else bool(box and box.engine == command.engine)

    def _send(self, body: dict[str, object], now: Instant) -> Effects:
        command_id, agent = str(body.get("id")), str(body.get("agent"))
        known = self.orders.router.get(command_id)
        if known is not None and known.state in ENDS:
            return [self._word(ENDED, known, now)]
        if known is not None and command_id in self.owed:
            self.taken.add(command_id)
        if known is not None or agent not in self.fleet.routes:
            return []
        return [Store("command", (command_id,), self._take(agent))]

    def _take(self, agent: str) -> Callable[[CommandRow | None, str, Instant], Effects]:
        def read(row: CommandRow | None, error: str, now: Instant) -> Effects:
            if error or row is None or row.agent != agent or row.state in ENDS or row.engine:
                return []
            if self.orders.router.get(row.id) is not None:
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
        return self._finish(row.id, row.state, row.updated_at, row.result, row.error, now)

    def _finish(
        self, command_id: str, state: CommandState, at: float, result: Any, error: str, now: Instant
    ) -> Effects:
        moved = self.orders.router.move(command_id, state, at, result, error)
        if moved is None:
            return []
        self.orders.ended.update([moved.state])
        told = Publish(f"command/{moved.id}", shown(moved, self.fleet))
        return [*self.orders.waits.ended(moved, now), told, *self.orders.listener(moved, now)]


def _described(command: Command, left: float) -> dict[str, Any]:
    """A command as another hub is told it."""
    names = (*TEXTS, "created_at", "ttl")
    return {**{name: getattr(command, name) for name in names}, "args": plain(command.args), "left": left}


def _command(args: Mapping[str, Any], now: Instant) -> Command:
    """The command that another hub tells of; raises Refusal where it is none that a hub could have claimed."""
    texts = {name: args.get(name, "") for name in TEXTS}
    numbers = {name: args.get(name) for name in ("left", "ttl", "created_at")}
    given = args.get("args")
    good = all(isinstance(text, str) and len(text) <= limits.TEXT_CHARS for text in texts.values())
    good = good and all(isinstance(number, float) for number in numbers.values())
    if not good or not isinstance(given, Mapping) or not IDENT.fullmatch(str(texts["id"])):
        raise Refusal("bad-argument", "this is no command")
    extra = {name: value for name, value in given.items() if name not in ("names", "name")}
    if texts["engine"]:
        check_args(str(texts["verb"]), extra, CONTAINER_ARGS, "a container")
    else:
        check_args(str(texts["verb"]), extra, PROCESS_ARGS, "a program")
    left = min(max(float(numbers["left"] or 0.0), 0.0), limits.COMMAND_SECONDS)
    words: dict[str, Any] = {name: str(text) for name, text in texts.items()}
    return Command(
        **words, args=dict(given), created_at=float(numbers["created_at"] or 0.0),
        deadline=now.mono + left, ttl=float(numbers["ttl"] or 0.0), changed_at=now.wall,
    )  # fmt: skip


def _end_of(result: Any) -> tuple[CommandState, float, Any, str] | None:
    """The end that another hub tells; None where it tells none."""
    try:
        state = CommandState(result["state"])
        return (state, float(result["at"]), result["result"], str(result["error"])) if state in ENDS else None
    except (TypeError, KeyError, ValueError):
        return None
