"""What ended, why, and how often: exits over the fleet, `why`, and crash storms; joined to the store and the feed.

The thinking is in hub.monitor (inquest, why, storms), which is pure; here facts are fed to it, its storms are kept as
facts and told on the feed, and its questions are asked of the store one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.orders import Orders
from hub.commands.selectors import Chosen, containers, processes
from hub.discovery.registry import Agent
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.monitor.history import History
from hub.monitor.inquest import GROUPS, Wanted, doer, ending, fields_of, grouped, wanted_of
from hub.monitor.storms import ENDS, Crash, Storm, Storms, is_crash
from hub.monitor.why import TREND_SECONDS, Trend, last_end, timeline, trend_of, verdict
from hub.plain import plain
from hub.queries import matcher
from hub.recall import LIMIT, MOST, SEARCHED, Recall, agent_of, answer, first, maybe, number
from hub.store.rows import CommandRow, FactRow
from hub.trust.roles import Subject
from hub.words import Asked, Effects, Publish, Say, Send, Store
from wire.messages import Answer, Query
from wire.model import Exit, Fact, FactKind, StateChange, full_name

Row = dict[str, Any]
BOOK = "storms"
"""Under this the storms are kept as facts: one is about an agent, or about many."""
MEMBERS = 100
"""Most agents that a fleet storm's fact names."""
TICK_SECONDS = 1.0
RESTORED_SECONDS = 86400.0
"""A storm that began longer ago and was never ended is not taken up again after a restart."""
WHY_SECONDS = 86400.0
WHY_FACTS = 1000
WHY_COMMANDS = 5000


class Weather:
    """The storms of this hub's agents: what is heard of programs goes in, notices and facts come out."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.storms = Storms()
        self.due = 0.0

    def start(self, now: Instant) -> Store:
        """Takes up the storms that went on when the hub stopped."""

        def found(rows: Any, error: str, now: Instant) -> Effects:
            for storm in still_open(() if error else rows):
                self.storms.restore(storm)
            return []

        return Store("facts", (None, BOOK, now.wall - RESTORED_SECONDS, SEARCHED), found)

    def hear(self, agent: Agent, fact: Fact) -> Effects:
        """A fact that was not heard before."""
        body, at = fact.body, fact.at + agent.offset
        if isinstance(body, Exit) and is_crash(body):
            service = self.fleet.labels_of(agent).get("service", "")
            crash = Crash(at, body.run_time, ending(body))
            return self._told(self.storms.crash((agent.id, full_name(body.group, body.name)), crash, service))
        if isinstance(body, StateChange) and body.state in ENDS:
            reason = f"it is {body.state}" + (f", by {body.by}" if body.by else "")
            return self._told(self.storms.settle((agent.id, full_name(body.group, body.name)), at, reason))
        return []

    def tick(self, now: Instant) -> Effects:
        """What silence ended; storms of agents that left end with them."""
        if now.mono < self.due:
            return []
        self.due = now.mono + TICK_SECONDS
        agents = self.fleet.registry.agents
        raging = {storm.agent for storm in self.storms.open() if storm.agent}
        left = [agent for agent in raging if agent not in agents or not agents[agent].listed]
        ended = [one for agent in left for one in self.storms.leave(agent, now.wall, "its agent left")]
        return self._told([*ended, *self.storms.tick(now.wall)])

    def _told(self, storms: Sequence[Storm]) -> Effects:
        return [effect for storm in storms for effect in self._one(storm)]

    def _one(self, storm: Storm) -> Effects:
        body = self.shown(storm)
        at = storm.told if storm.ended is None else storm.ended
        where = body["name"] if storm.agent else f"{len(storm.members)} agents"
        line = f"crash storm {storm.phase}: {storm.process} of {where}, {storm.exits} exits, {storm.words()}"
        kept = Store("record_fact", (BOOK, at, FactKind.NOTE, body))
        return [Publish("notice/storms", body), kept, Say(line)]

    def shown(self, storm: Storm) -> Row:
        """A storm as it is told and kept."""
        fields = {**plain(storm), "members": storm.members[:MEMBERS], "storm": storm.id}
        del fields["id"]
        name = self.fleet.name(storm.agent) if storm.agent else "fleet"
        return {"note": "storm", "name": name, "phase": storm.phase, "words": storm.words(), **fields}


def still_open(rows: Sequence[FactRow]) -> list[Storm]:
    """Storms out of their facts, less those that ended."""
    found: dict[str, Storm] = {}
    for row in rows:
        if isinstance(row.body, dict) and row.body.get("note") == "storm":
            storm = _storm(row.body)
            found[storm.id] = storm
    return [storm for storm in found.values() if storm.ended is None]


def _storm(body: Mapping[str, Any]) -> Storm:
    known = {name: body[name] for name in Storm._fields if name in body}
    return Storm(**{**known, "id": str(body["storm"]), "members": tuple(body["members"])})


class Forensics:
    """Answers what ended and why."""

    def __init__(self, fleet: Fleet, orders: Orders, recall: Recall, weather: Weather) -> None:
        self.fleet, self.orders, self.recall, self.weather = fleet, orders, recall, weather
        self.handlers: dict[str, Callable[[Asked, Query, Subject, Instant], Effects]] = {
            "exits": self.exits,
            "exit_groups": self.exit_groups,
            "why": self.why,
            "storms": self.storms,
        }

    # -- exits -------------------------------------------------------------------------------------------------------

    def exits(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Exit records, newest last: `target`, `since`, `until`, `program`, `cause`, `code`, `signal`, `text`..."""
        limit, after = int(number(query.args, "limit", LIMIT, 1, MOST)), maybe(query.args, "after")

        def rows(found: Sequence[FactRow], wanted: Callable[[FactRow], bool], now: Instant) -> Any:
            mine = [row for row in found if wanted(row)]
            return [self._exit(row, now) for row in (mine[-limit:] if after is None else mine[:limit])]

        return [self._search(asked, query, subject, rows)]

    def exit_groups(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """The same, counted by the fields of `group_by`; each group with an example."""
        fields = fields_of(query.args.get("group_by"))

        def groups(found: Sequence[FactRow], wanted: Callable[[FactRow], bool], now: Instant) -> Any:
            counted = grouped([self._exit(row, now) for row in found if wanted(row)], fields)
            whole = len(found) < SEARCHED
            shown = [{**group, "at": group["last"], "age": max(now.wall - group["last"], 0.0)} for group in counted]
            head = {"groups": shown[:GROUPS], "left_out": max(len(shown) - GROUPS, 0)}
            return {**head, "searched": len(found), "whole": whole, "at": now.wall, "age": 0.0}

        return [self._search(asked, query, subject, groups)]

    def _search(self, asked: Asked, query: Query, subject: Subject, shape: Callable[..., Any]) -> Store:
        args = query.args
        wanted, meant = wanted_of(args), matcher(args.get("target"), self.fleet)
        after, since = maybe(args, "after"), maybe(args, "since")

        def is_meant(row: FactRow) -> bool:
            body = row.body
            assert isinstance(body, Exit)
            seen = self.recall.sees(subject, row.agent)
            return seen and wanted.means(body, row.at) and meant(row.agent, body.group, body.name)

        narrowed = args.get("target") or subject.scope or wanted != Wanted() or query.op != "exits"
        limit = SEARCHED if narrowed else int(number(args, "limit", LIMIT, 1, MOST))
        call = (None if after is None else int(after), None, None, since, limit)
        return Store("exits", call, answer(asked, query, lambda found, now: shape(found, is_meant, now)))

    def _exit(self, row: FactRow, now: Instant) -> Row:
        assert isinstance(row.body, Exit)
        return {**self.recall.fact(row, now), "end": ending(row.body), "who": doer(row.body)}

    # -- storms ------------------------------------------------------------------------------------------------------

    def storms(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Crash storms that go on; with `all` or `since`, those that ended too, newest last."""
        meant = matcher(query.args.get("target"), self.fleet)

        def sees(body: Mapping[str, Any]) -> bool:
            agent = str(body.get("agent") or "")
            return self.recall.sees(subject, agent) and meant(agent, "", str(body.get("process")))

        def shown(body: Row, at: float) -> Row:
            return {**body, "at": at, "age": max(now.wall - at, 0.0)}

        current = [shown(self.weather.shown(storm), storm.last) for storm in self.weather.storms.open()]
        since = maybe(query.args, "since")
        if since is None and query.args.get("all") is not True:
            return [Send(asked.route, Answer(query.id, [row for row in current if sees(row)][:MOST]))]

        def rows(found: Sequence[FactRow], now: Instant) -> Any:
            bodies = [(row.body, row.at) for row in found if isinstance(row.body, dict)]
            past = [shown(dict(body), at) for body, at in bodies if body.get("phase") == "ended"]
            return [row for row in (*past, *current) if sees(row)][-MOST:]

        return [Store("facts", (None, BOOK, since, SEARCHED), answer(asked, query, rows))]

    # -- why ---------------------------------------------------------------------------------------------------------

    def why(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """One timeline of an agent, a container or a program, and a verdict: `target`, `since`."""
        since = maybe(query.args, "since")
        chosen, program = self._target(query.args.get("target"), subject)
        inquiry = _Inquiry(asked, query, chosen, program, now.wall - WHY_SECONDS if since is None else since)
        inquiry.container = self.fleet.picture.container_of.get(chosen.key, chosen.key)
        return [Store("facts", (None, chosen.key, inquiry.since, WHY_FACTS), inquiry.facts_found)]

    def _target(self, target: object, subject: Subject) -> tuple[Chosen, str]:
        """The agent (or container without one) that is meant, and the program, "" for all."""
        live, left = self.orders.candidates(subject), self._newest(subject)
        if isinstance(target, str) and "/" in target:
            found = first(processes, target, live, left)
            if len(found) != 1 or len(found[0].programs) != 1:
                raise Refusal("bad-target", "why is asked of one program", "name one AGENT/PROGRAM")
            return found[0], found[0].programs[0]
        found = first(containers, target, live, left, self.orders.container_candidates(subject))
        if len(found) != 1:
            raise Refusal("bad-target", "why is asked of one agent or container", "name one AGENT or AGENT/PROGRAM")
        return found[0], ""

    def _newest(self, subject: Subject) -> list[Any]:
        """Of the agents that left, the last of each name: a container made anew hides its predecessors."""
        agents = self.fleet.registry.agents
        by_age = sorted(self.orders.candidates(subject, everyone=True), key=lambda one: agents[one.key].since)
        return list({one.name: one for one in by_age}.values())


class _Inquiry:
    """Asks the store one thing after the other: facts, storms, commands, samples; then answers."""

    def __init__(self, asked: Asked, query: Query, chosen: Chosen, program: str, since: float) -> None:
        self.asked, self.query, self.chosen, self.program, self.since = asked, query, chosen, program, since
        self.container = ""
        self.facts: list[FactRow] = []
        self.commands: list[CommandRow] = []

    def facts_found(self, found: Any, error: str, now: Instant) -> Effects:
        """The agent's own facts are here; next the storms."""
        self.facts = [] if error else list(found)
        return [Store("facts", (None, BOOK, self.since, SEARCHED), self.storms_found)]

    def storms_found(self, found: Any, error: str, now: Instant) -> Effects:
        """Next the commands."""
        mine = [row for row in (() if error else found) if _touches(row, self.chosen.key, self.program)]
        self.facts = sorted([*self.facts, *mine], key=lambda row: row.at)
        return [Store("commands", (self.since, WHY_COMMANDS), self.commands_found)]

    def commands_found(self, found: Any, error: str, now: Instant) -> Effects:
        """Next the samples before the last end."""
        keys = (self.chosen.key, self.container)
        self.commands = [row for row in (() if error else found) if row.agent in keys or row.container in keys]
        end = last_end(self.facts, self.program)
        at = now.wall if end is None else end.at
        name = self.program
        if end is not None and isinstance(end.body, Exit):
            name = full_name(end.body.group, end.body.name)
        call = (at - TREND_SECONDS, at + 1.0, None)
        if name:
            return [Store("process_history", (self.chosen.key, *call, name), self.samples_found)]
        return [Store("container_history", (self.container, *call), self.samples_found)]

    def samples_found(self, found: History | None, error: str, now: Instant) -> Effects:
        """All is here."""
        end = last_end(self.facts, self.program)
        trend: Trend | None = None if error else trend_of(found, now.wall if end is None else end.at + 0.5)
        entries = timeline(self.facts, self.commands, trend, self.program)
        result = {
            "target": f"{self.chosen.name}/{self.program}" if self.program else self.chosen.name,
            "agent": self.chosen.key,
            "since": self.since,
            "entries": [plain(entry) for entry in entries],
            "memory": plain(trend),
            "verdict": verdict(self.facts, trend, self.program),
            "at": now.wall,
            "age": 0.0,
        }
        return [Send(self.asked.route, Answer(self.query.id, result))]


def _touches(row: FactRow, agent: str, program: str) -> bool:
    """Whether a storm's fact is about this agent (and program), as its own or as one of many."""
    body: Mapping[str, Any] = row.body if isinstance(row.body, dict) else {}
    mine = agent_of(row) == agent or agent in (body.get("members") or ())
    return mine and (not program or body.get("process") == program)
