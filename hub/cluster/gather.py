"""Answers that need other hubs: figures are at the hub that an agent speaks to, containers at the one that polls them.

Theory.  What all hubs know (agents, programs, presence) is answered from this hub's own picture, page by page.  Of the
agents on that page that speak elsewhere, their hubs are asked for the same rows, and these take the place of ours; for
containers and engines every hub is asked for its page, and the pages are joined in the order of their keys.  All this
has one deadline.  A hub that does not answer by then is named in the answer (`missing`), and what this hub knows of its
agents is shown, without figures.  Every row says in `hub` who told it.

Who asks is judged twice: here, and with the role and scope that go along, by the same check there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.cluster.links import Heard, Links
from hub.commands.rolls import Rolls
from hub.commands.selectors import Candidate
from hub.commands.shown import audit_of_refusal
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.pages import ROWS
from hub.queries import Queries, Row
from hub.trust.roles import TOLD, Role, Subject, require
from hub.words import Asked, Effects, Send, Store
from wire.messages import Answer, Query, Refused

GATHER_SECONDS = 1.0
"""How long an answer waits for other hubs."""
KEYS = {"containers": "id", "hosts": "engine", "rolls": "id"}
"""Operations whose rows each hub has its own of -> what names a row."""


class Gather:
    """`where`: the other hub that an agent speaks to, "" = none."""

    def __init__(self, fleet: Fleet, queries: Queries, rolls: Rolls, links: Links, where: Callable[[str], str]) -> None:
        self.fleet, self.links, self.where, self.rolls, self.orders = fleet, links, where, rolls, queries.orders
        self.sources: dict[str, Callable[[Mapping[str, Any], Subject, Instant], list[Row]]] = {
            **queries.handlers, "rolls": rolls.rows,
        }  # fmt: skip
        self.changes = {op: rolls.handlers[op] for op in ("roll.cancel", "roll.resume")}
        self.handlers = {**dict.fromkeys(self.sources, self.answer), **dict.fromkeys(self.changes, self.pass_on)}
        self.handlers["command"] = self.order
        self.sources["boxes"] = self._boxes

    def answer(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """A client's question.  Raises Refusal."""
        rows = self._rows(query.op, query.args, subject, now)
        wanted: dict[str, dict[str, Any]] = {}
        if query.op in KEYS:
            wanted = {hub: dict(query.args) for hub in self.links.peers}
        else:
            for hub, agents in self._elsewhere(rows).items():
                wanted[hub] = {**_whole(query.args), "only": tuple(agents)}
        return _Round(self, asked, query, rows, list(wanted)).start(wanted, subject, now)

    def _elsewhere(self, rows: list[Row]) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for agent in dict.fromkeys(str(row["agent"]) for row in rows):
            hub = self.where(agent)
            if hub:
                found[hub].append(agent)
        return found

    def _rows(self, op: str, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        rows = self.sources[op](args, subject, now)
        return [{"hub": self.fleet.settings.hub, **row} for row in rows]

    def pass_on(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """A change of a roll, which the hub that carries it out makes; the others know of no such roll."""
        if str(query.args.get("id", "")) in self.rolls.rolls or not self.links.peers:
            return self.changes[query.op](asked, query, subject, now)
        return _Search(asked, query, len(self.links.peers)).start(self, subject, now)

    def order(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """A command; which containers one means is judged with those of all hubs in view."""
        if query.args.get("container") is not True or not self.links.peers:
            return self.orders.take(asked, query, subject, now)
        return _Survey(self, asked, query, subject).start(now)

    def _boxes(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        """The containers of this hub's engines that exist for the subject, as targets."""
        found = self.orders.container_candidates(subject)
        return [{"id": one.key, "name": one.name, "engine": one.place, "labels": dict(one.labels)} for one in found]

    def ask(self, hub: str, op: str, args: Mapping[str, Any], subject: Subject, then: Heard, now: Instant) -> Effects:
        """Have another hub tell something, on behalf of this subject."""
        who = {"name": subject.name, "role": subject.role.value, "scope": dict(subject.scope)}
        question = {"op": op, "args": dict(args), "who": who}
        return self.links.ask(hub, "hub.tell", question, GATHER_SECONDS, then, now)

    def tell(self, asked: Asked, query: Query, now: Instant) -> Effects:
        """Another hub's question, on behalf of a client of its own.  Raises Refusal."""
        op, args, who = (query.args.get(name) for name in ("op", "args", "who"))
        if op not in TOLD or not isinstance(args, Mapping):
            raise Refusal("unknown-operation", f"hubs are not told {str(op)[:40]!r}")
        subject = _subject(who)
        require(subject, "containers" if op == "boxes" else str(op))
        if op in self.changes:
            return self.changes[str(op)](asked, Query(query.id, str(op), dict(args)), subject, now)
        return [Send(asked.route, Answer(query.id, self._rows(str(op), args, subject, now)))]


class _Round:
    """One answer while others are asked for their part of it."""

    def __init__(self, gather: Gather, asked: Asked, query: Query, rows: list[Row], hubs: list[str]) -> None:
        self.gather, self.asked, self.query, self.rows = gather, asked, query, rows
        self.waiting, self.missing = set(hubs), list[str]()
        self.heard: dict[str, list[Row]] = {}

    def start(self, wanted: Mapping[str, dict[str, Any]], subject: Subject, now: Instant) -> Effects:
        """Ask them all; the answer goes out with the last of their answers."""
        if not wanted:
            return self._finish()
        effects: Effects = []
        for hub, args in wanted.items():
            effects += self.gather.ask(hub, self.query.op, args, subject, self._take(hub), now)
        return effects

    def _take(self, hub: str) -> Callable[[Any, str, Instant], Effects]:
        def heard(result: Any, error: str, now: Instant) -> Effects:
            self.waiting.discard(hub)
            good = not error and isinstance(result, (tuple, list)) and all(isinstance(row, dict) for row in result)
            if good:
                self.heard[hub] = [{"hub": hub, **row} for row in result]
            else:
                self.missing.append(hub)
            return [] if self.waiting else self._finish()

        return heard

    def _finish(self) -> Effects:
        try:
            rows = self._joined() if self.query.op in KEYS else self._replaced()
        except Refusal as refusal:
            return [Send(self.asked.route, Refused(self.query.id, refusal.code, refusal.message, refusal.hint))]
        return [Send(self.asked.route, Answer(self.query.id, rows, missing=tuple(sorted(self.missing))))]

    def _replaced(self) -> list[Row]:
        """Our rows; those of agents that another hub told of are its."""
        told: defaultdict[str, list[Row]] = defaultdict(list)
        for rows in self.heard.values():
            for row in rows:
                told[str(row.get("agent"))].append(row)
        found: list[Row] = []
        for row in self.rows:
            agent = str(row["agent"])
            if agent not in told:
                found.append(row)
            elif told[agent]:
                found += told[agent]
                told[agent] = []
        return found

    def _joined(self) -> list[Row]:
        """Everybody's rows in the order of their keys, of two about one thing the one that is not stale."""
        key = KEYS[self.query.op]
        found: dict[str, Row] = {}
        for row in (*self.rows, *(row for hub in sorted(self.heard) for row in self.heard[hub])):
            name = str(row.get(key))
            if name not in found or (found[name].get("stale") and not row.get("stale")):
                found[name] = row
        limit = self.query.args.get("limit")
        rows = [found[name] for name in sorted(found)]
        if limit is None and len(rows) > ROWS:
            hint = f"ask with limit (at most {ROWS}) and after"
            raise Refusal("too-large", f"{len(rows)} rows are more than one answer holds ({ROWS})", hint)
        return rows if limit is None else rows[: int(limit)]


class _Survey:
    """All hubs are asked for their containers before an order for some is judged; one that is missing stops it."""

    def __init__(self, gather: Gather, asked: Asked, query: Query, subject: Subject) -> None:
        self.gather, self.asked, self.query, self.subject = gather, asked, query, subject
        self.waiting, self.missing = set(gather.links.peers), list[str]()
        self.found: dict[str, tuple[str, Candidate]] = {}

    def start(self, now: Instant) -> Effects:
        """Ask them all."""
        effects: Effects = []
        for hub in tuple(self.gather.links.peers):
            effects += self.gather.ask(hub, "boxes", {}, self.subject, self._take(hub), now)
        return effects

    def _take(self, hub: str) -> Callable[[Any, str, Instant], Effects]:
        def heard(result: Any, error: str, now: Instant) -> Effects:
            self.waiting.discard(hub)
            try:
                boxes = [] if error else [_candidate(row) for row in result]
                self.found |= {one.key: (hub, one) for one in boxes}
            except (TypeError, KeyError, AttributeError):
                error = "it told no containers"
            self.missing += [hub] if error else []
            return [] if self.waiting else self._judge(now)

        return heard

    def _judge(self, now: Instant) -> Effects:
        orders, asked, query = self.gather.orders, self.asked, self.query
        if self.missing:
            words = f"{', '.join(sorted(self.missing))} does not answer: which containers are meant cannot be told"
            refusal = Refusal("busy", words, "try again; hubctl hubs shows the hubs")
            row = audit_of_refusal(query.args, self.subject, asked.peer, refusal, now)
            refused = Refused(query.id, refusal.code, refusal.message, refusal.hint)
            return [Send(asked.route, refused), Store("append_audit", (row,))]
        orders.boxes = {key: hub for key, (hub, _) in self.found.items()}
        orders.foreign = tuple(one for _, one in self.found.values())
        try:
            return orders.take(asked, query, self.subject, now)
        finally:
            orders.foreign = ()


def _candidate(row: Mapping[str, Any]) -> Candidate:
    labels = {str(label): str(value) for label, value in row["labels"].items()}
    key = str(row["id"])
    return Candidate(key, str(row["name"]), (key,), "", labels, (), str(row["engine"]))


class _Search:
    """A question that one of the others can answer: the first answer counts, else what one of them said instead."""

    def __init__(self, asked: Asked, query: Query, asked_of: int) -> None:
        self.asked, self.query, self.asked_of = asked, query, asked_of
        self.refused: list[str] = []

    def start(self, gather: Gather, subject: Subject, now: Instant) -> Effects:
        """Ask them all."""
        effects: Effects = []
        for hub in tuple(gather.links.peers):
            effects += gather.ask(hub, self.query.op, self.query.args, subject, self._take, now)
        return effects

    def _take(self, result: Any, error: str, now: Instant) -> Effects:
        if not error:
            return [Send(self.asked.route, Answer(self.query.id, result))]
        self.refused.append(error)
        if len(self.refused) < self.asked_of:
            return []
        telling = [text for text in self.refused if not text.startswith("unknown-command")]
        code, _, words = (telling or self.refused)[0].partition(": ")
        known = (code, words) if words else ("unreachable", code)
        return [Send(self.asked.route, Refused(self.query.id, known[0], known[1], "see hubctl rolls --all"))]


def _whole(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without what makes pages: the page is settled already."""
    return {name: value for name, value in args.items() if name not in ("limit", "after", "only")}


def _subject(who: Any) -> Subject:
    try:
        scope = {str(label): str(value) for label, value in who["scope"].items()}
        return Subject(str(who["name"]), Role(who["role"]), scope)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise Refusal("bad-argument", "this does not say on whose behalf it is asked") from None
