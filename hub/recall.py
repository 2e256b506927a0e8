"""The questions of the query port that the store answers: exits, events, histories, commands, audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.orders import Orders
from hub.commands.selectors import Candidate, Chosen, containers, processes
from hub.commands.shown import row_of, shown, summary
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.monitor.history import History
from hub.plain import plain
from hub.queries import matcher
from hub.store.rows import CommandRow, FactRow
from hub.trust.roles import Subject
from hub.words import Asked, Effects, Send, Store
from wire.messages import Answer, Query, Refused
from wire.model import Exit, StateChange

Row = dict[str, Any]
LIMIT = 100
"""Rows where the asker names no number."""
MOST = 2000
"""Most rows of one answer: exit records with their last lines are 5 KiB each."""
SEARCHED = 20000
"""Most rows read to find those that a target means."""
BOOKS = frozenset({"storms", "rolls"})
"""What the hub keeps facts under that belong to no single agent."""
POINTS = 4000
"""Most points of a history: 40 numbers each take the loop a tenth of a second."""
HISTORY_SECONDS = 3600.0
"""Length of a history where no start is given."""


class Recall:
    """Answers from the store."""

    def __init__(self, fleet: Fleet, orders: Orders) -> None:
        self.fleet = fleet
        self.orders = orders
        self.handlers: dict[str, Callable[[Asked, Query, Subject, Instant], Effects]] = {
            "events": self.events,
            "history": self.history,
            "container_history": self.container_history,
            "commands": self.commands,
            "command_state": self.command_state,
            "audit": self.audit,
        }

    def events(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Facts of all kinds, the hub's own notes too; with `place` also how far was read, to read on from there."""
        args, limit = query.args, number(query.args, "limit", LIMIT, 1, MOST)
        meant = matcher(args.get("target"), self.fleet)
        narrowed = args.get("target") or subject.scope
        after, since = maybe(args, "after"), maybe(args, "since")
        position = None if after is None else int(after)
        read = SEARCHED if narrowed else int(limit)
        call = (position, None, since, read)

        def rows(found: Sequence[FactRow], now: Instant) -> Any:
            mine = [row for row in found if self.sees(subject, agent_of(row)) and meant(agent_of(row), *_names(row))]
            mine = mine[-int(limit) :] if position is None else mine[: int(limit)]
            return [self.fact(row, now) for row in mine]

        if args.get("place") is not True:
            return [Store("facts", call, answer(asked, query, rows))]

        def placed(found: Sequence[FactRow], end: int, now: Instant) -> Any:
            shown = rows(found, now)
            whole = position is None or len(shown) < limit
            reached = found[-1].position if found else end if position is None else min(end, position)
            return {"rows": shown, "position": reached if whole else shown[-1]["position"]}

        return [_ended(asked, query, call, placed)]

    def sees(self, subject: Subject, agent_id: str) -> bool:
        """Whether an agent, present or left, exists for this subject."""
        agent = self.fleet.registry.agents.get(agent_id)
        return subject.may_see(self.fleet.labels_of(agent) if agent else {})

    def fact(self, row: FactRow, now: Instant) -> Row:
        """A kept fact as clients see it."""
        agent = agent_of(row)
        named = {"agent": agent, "agent_name": self.fleet.name(agent), "age": max(now.wall - row.at, 0.0)}
        head = {key: plain(getattr(row, key)) for key in ("position", "boot", "seq", "at", "agent_at", "kind")}
        return {**named, **head, **_hub_time(plain(row.body), row.at - row.agent_at)}

    def history(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Samples of one process: `target` AGENT/PROGRAM, `start`, `end`, `step`."""
        live, everyone = self.orders.candidates(subject), self.orders.candidates(subject, everyone=True)
        chosen = first(processes, query.args.get("target"), live, everyone)
        if len(chosen) != 1 or len(chosen[0].programs) != 1:
            raise Refusal("bad-target", "a history is of one process", "name one AGENT/PROGRAM")
        start, end, step = _span(query.args, now)
        call = (chosen[0].key, start, end, step, chosen[0].programs[0])
        return [Store("process_history", call, answer(asked, query, _points))]

    def container_history(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Samples of one container: `target`, `start`, `end`, `step`; where no engine lists it, its agent's."""
        listed, alone = self.orders.container_candidates(subject), self.orders.unlisted(subject)
        chosen = first(containers, query.args.get("target"), listed, alone)
        if len(chosen) != 1:
            raise Refusal("bad-target", "a history is of one container", "name one container")
        start, end, step = _span(query.args, now)
        call = (chosen[0].key, start, end, step)
        return [Store("container_history", call, answer(asked, query, _points))]

    def commands(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """The newest commands; `since`, `limit`."""
        call = (maybe(query.args, "since"), int(number(query.args, "limit", LIMIT, 1, MOST)))

        def rows(found: Sequence[CommandRow], now: Instant) -> Any:
            return [_command(row, now) for row in found if self._sees_command(subject, row)]

        return [Store("commands", call, answer(asked, query, rows))]

    def _sees_command(self, subject: Subject, row: CommandRow) -> bool:
        if row.container:
            known = row.container in self.fleet.containers
            return subject.may_see(self.fleet.labels_of_container(row.container) if known else {})
        return self.sees(subject, row.agent or "")

    def command_state(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """One command, or all commands of one order, by `id`."""
        wanted = query.args.get("id")
        if not isinstance(wanted, str) or not wanted:
            raise Refusal("bad-argument", "id is missing")
        flying = self.orders.router.order(wanted)
        one = self.orders.router.get(wanted)
        if len(flying) > 1 and all(self._sees_command(subject, row_of(c, 0)) for c in flying):
            rows = tuple(shown(command, self.fleet) for command in flying)
            result = {"id": wanted, "state": summary([str(row["state"]) for row in rows]), "commands": rows}
            return [Send(asked.route, Answer(query.id, result))]
        if one is not None and self._sees_command(subject, row_of(one, 0)):
            return [Send(asked.route, Answer(query.id, shown(one, self.fleet)))]

        def row(found: CommandRow | None, now: Instant) -> Any:
            if found is None or not self._sees_command(subject, found):
                raise Refusal("unknown-command", f"no command has the id {wanted[:64]!r}", "see hubctl audit")
            return _command(found, now)

        return [Store("command", (wanted,), answer(asked, query, row))]

    def audit(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Audit rows; `since`, `after`, `limit`."""
        after = maybe(query.args, "after")
        position, limit = None if after is None else int(after), int(number(query.args, "limit", LIMIT, 1, MOST))
        call = (position, maybe(query.args, "since"), limit)

        def rows(found: Sequence[Any], now: Instant) -> Any:
            return [{**plain(row), "age": max(now.wall - row.at, 0.0)} for row in found]

        return [Store("audit", call, answer(asked, query, rows))]


def answer(asked: Asked, query: Query, shape: Callable[[Any, Instant], Any]) -> Callable[[Any, str, Instant], Effects]:
    """A continuation that answers with what the store found."""

    def arrived(found: Any, error: str, now: Instant) -> Effects:
        if error:
            return [
                Send(asked.route, Refused(query.id, "store", f"the store cannot answer: {error}"[:512], "try again"))
            ]
        try:
            return [Send(asked.route, Answer(query.id, shape(found, now)))]
        except Refusal as refusal:
            return [Send(asked.route, Refused(query.id, refusal.code, refusal.message, refusal.hint))]

    return arrived


def _ended(asked: Asked, query: Query, call: Any, shape: Callable[[Any, int, Instant], Any]) -> Store:
    """A reading of facts, after one of where they end: what comes between both is read, never left out."""

    def arrived(last: Any, error: str, now: Instant) -> Effects:
        if error:
            return answer(asked, query, lambda found, now: None)(None, error, now)
        end = last[-1].position if last else 0
        return [Store("facts", call, answer(asked, query, lambda found, now: shape(found, end, now)))]

    return Store("facts", (None, None, None, 1), arrived)


def first(
    select: Callable[[Sequence[str], Sequence[Candidate]], tuple[Chosen, ...]],
    target: object,
    *places: Sequence[Candidate],
) -> tuple[Chosen, ...]:
    """What a target means in the first place that knows it: what is there hides what left under the same name."""
    refusal = Refusal("bad-target", "no target is given", "name one")
    for candidates in places if isinstance(target, str) else ():
        try:
            return select([str(target)], candidates)
        except Refusal as fault:
            refusal = fault if refusal.code == "bad-target" else refusal
            if not fault.code.startswith("unknown-"):
                break
    raise refusal


def _points(found: History, now: Instant) -> Any:
    """A history as it is sent; one that is too long is refused, because it would hold up everybody else."""
    if len(found.times) > POINTS:
        hint = "give a larger step, or a shorter time"
        raise Refusal("too-large", f"{len(found.times)} points are more than one answer holds ({POINTS})", hint)
    return plain(found)


def agent_of(row: FactRow) -> str:
    """The agent a fact is about; one in a book of the hub names it itself, "" for the fleet."""
    if row.agent not in BOOKS:
        return row.agent
    return str(row.body.get("agent") or "") if isinstance(row.body, dict) else ""


def _names(row: FactRow) -> tuple[str, str]:
    return (row.body.group, row.body.name) if isinstance(row.body, (StateChange, Exit)) else ("", "")


def _hub_time(body: Any, offset: float) -> Row:
    """The body's fields; its own times moved to hub time."""
    fields = dict(body) if isinstance(body, Mapping) else {"note": body}
    for name in ("started_at", "ended_at"):
        if isinstance(fields.get(name), float):
            fields[name] += offset
    fields.pop("at", None)
    fields.pop("agent", None)
    return fields


def _command(row: CommandRow, now: Instant) -> Row:
    return {**plain(row), "at": row.updated_at, "age": max(now.wall - row.updated_at, 0.0)}


def maybe(args: Mapping[str, Any], name: str) -> float | None:
    """A time or a position in the arguments, None where there is none.  Raises Refusal."""
    return None if args.get(name) is None else number(args, name, 0.0, -1e12, 1e12)


def number(args: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    """A number in the arguments, within bounds.  Raises Refusal."""
    value = args.get(name)
    if value is None:
        return default
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal("bad-argument", f"{name} must be a number from {least:g} to {most:g}")
    return value


def _span(args: Mapping[str, Any], now: Instant) -> tuple[float, float, float | None]:
    end = number(args, "end", now.wall, 0, 1e12)
    start = number(args, "start", end - HISTORY_SECONDS, 0, 1e12)
    step = None if args.get("step") is None else number(args, "step", 0, 1, 86400 * 31)
    if start >= end:
        raise Refusal("bad-argument", "start must be before end")
    return start, end, step
