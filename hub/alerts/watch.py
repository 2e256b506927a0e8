"""Rules held against the fleet, round by round, and against what happens, as it happens.

Theory.  A round looks at every subject once, a few agents at each pass of the loop, so that ten thousand agents never
hold it up; one begins every ROUND_SECONDS at most.  What had an alert and is no subject any more when the round ends
has left, and its alert is over - but not in the first GRACE_SECONDS of a hub's life, while agents and engines are still
coming in, and not for what belongs to an agent that is silent: of that nothing is known.  Events come from the hub's
own effects, the same that make the feed, so nothing needs to be told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from functools import partial
from typing import Any

from hub.alerts.expressions import Past, holds
from hub.alerts.fields import field_of
from hub.alerts.machine import Details, Machine, Sign
from hub.alerts.rules import Rule
from hub.alerts.template import fill, harmless, shown
from hub.alerts.things import Look, Thing, Things
from hub.clock import Instant
from hub.words import Effects, Order, Publish
from wire.model import Cause, Presence, Verb, full_name

__all__ = ["Watch"]

ROUND_SECONDS = 5.0
"""Between the beginnings of two rounds: as often as samples come."""
SPREAD_SECONDS = 4.0
"""Time over which a round is spread, where the loop has as many passes."""
AT_ONCE, FEW = 20, 5
"""Most agents between two of the loop's passes, at a tick and at others: 4 ms, 1 ms."""
GRACE_SECONDS = 60.0
INNOCENT = frozenset({Cause.STOPPED.value, Cause.RENEWAL.value, Cause.DEPENDENCY.value})
"""Ends that somebody wanted, or that are another program's fault."""
PRESENT = frozenset({Presence.LIVE, Presence.GONE})
"""Of these it is known what they have, once they have shown their roster."""
HALTS = frozenset({Verb.STOP, Verb.KILL, Verb.PAUSE})
HALTED, RESUMED = frozenset({"stop", "kill", "pause"}), frozenset({"start", "unpause", "restart", "destroy"})
"""An engine's words for what somebody did to a container."""
WORDS = {"agent": "presence", "program": "state"}
"""The fields that decide without a second look."""
OOM_NOTE = "oom of the whole container"
Key = tuple[str, str]


class Watch:
    """Looks at the fleet for one machine."""

    def __init__(self, machine: Machine, things: Things) -> None:
        self.machine, self.things, self.fleet = machine, things, things.fleet
        self.rules: dict[str, list[Rule]] = {}
        self.events: list[Rule] = [rule for rule in machine.rules.values() if rule.event]
        for rule in machine.rules.values():
            if not rule.event:
                self.rules.setdefault(rule.on, []).append(rule)
        self.wanted = {on: frozenset(t.field for r in rules for t in (*r.terms, *r.clear)) for on, rules in
                       self.rules.items()}  # fmt: skip
        self.words = {on: words for on, name in WORDS.items() if (words := _words(self.rules.get(on, ()), name))}
        self.past = {rule.name: Past() for rule in machine.rules.values()}
        self.round: Iterator[None] | None = None
        self.begun, self.looked = 0.0, 0
        """When the round began, and how many it has looked at."""
        self.due = self.started = 0.0
        self.seen: set[Key] = set()
        """Alerts whose subject was there in this round."""

    # -- rounds ------------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> bool:
        """Begins a round that is due and goes on with it; whether one has ended."""
        self.started = self.started or now.mono
        if self.round is None:
            if now.mono < self.due:
                return False
            self.due, self.seen = now.mono + ROUND_SECONDS, set()
            self.begun, self.looked = now.mono, 0
            self.things.begin()
            self.now = now
            self.round = self._steps()
        return self.go_on(now, AT_ONCE)

    def go_on(self, now: Instant, most: int = FEW) -> bool:
        """Looks at what is due of the round by now, at most so many; whether it has ended."""
        if self.round is None:
            return False
        total = len(self.fleet.registry.agents) + len(self.fleet.containers)
        due = total * (now.mono - self.begun) / SPREAD_SECONDS - self.looked
        quota = most if total <= AT_ONCE or due > most else max(0, int(due))
        self.now, self.looked = now, self.looked + quota
        if any(next(self.round, "over") == "over" for _ in range(quota + (total <= AT_ONCE))):
            self.round = None
            self._depart(now)
            return True
        return False

    def _steps(self) -> Iterator[None]:
        look = Look(self.wanted, self.words, {key.partition("/")[0] for _, key in self.machine.alerts})
        for agent in list(self.fleet.registry.agents.values()):
            for thing in self.things.of_agent(agent, look, self.now):
                self._look(thing)
            yield
        for key in list(self.fleet.containers) if "container" in self.rules else ():
            known = self.fleet.containers.get(key)
            found = self.things.of_container(key, known, look, self.now) if known else None
            if found is not None:
                self._look(found)
            yield
        for thing in self.things.of_hosts(self.now) if "host" in self.rules else ():
            self._look(thing)
        if "hub" in self.rules:
            self._look(self.things.of_hub(self.now))

    def _look(self, thing: Thing) -> None:
        for rule in self.rules.get(thing.on, ()):
            if rule.where.pairs and not rule.where.means(thing.names()):
                continue
            found = self._sign(rule, thing), partial(self._details, rule, thing), self.now.wall
            if self.machine.find(rule.name, thing.key, *found) is not None:
                self.seen.add((rule.name, thing.key))

    def _sign(self, rule: Rule, thing: Thing) -> Sign:
        look = self.past[rule.name].look(thing.key, self.now.mono)
        verdict = holds(rule.terms, thing.values, look)
        if verdict is True:
            return Sign.TRUE
        if rule.clear:
            clear = holds(rule.clear, thing.values, look)
            return Sign.UNKNOWN if clear is None else Sign.CLEAR if clear else Sign.BETWEEN
        return Sign.UNKNOWN if verdict is None else Sign.CLEAR

    def _details(self, rule: Rule, thing: Thing) -> Details:
        names = thing.names()
        units = {name: field_of(rule.on, name) for name in thing.values}
        values = {name: shown(thing.values[name], field.unit) for name, field in units.items() if field}
        values["value"] = values.get(rule.terms[0].field, "-")
        return _details(rule, names, values, thing.place)

    def _depart(self, now: Instant) -> None:
        """Subjects with an alert that were not seen in the whole round have left."""
        if now.mono - self.started < GRACE_SECONDS:
            return
        level = {rule.name for rules in self.rules.values() for rule in rules}
        for rule, key in [one for one in self.machine.alerts if one not in self.seen and one[0] in level]:
            agent = self.fleet.registry.agents.get(key.partition("/")[0])
            silent = agent is not None and (agent.presence not in PRESENT or not agent.roster_number)
            unknown = silent and self.machine.rules[rule].on != "agent"
            self.machine.find(rule, key, Sign.UNKNOWN if unknown else Sign.GONE, _never, now.wall)
            if not unknown:
                self.past[rule].forget(key)

    # -- events ------------------------------------------------------------------------------------------------------

    def calm(self, raging: Set[str], now: Instant) -> None:
        """Events that did not happen again come to their end; `raging` are the storms that go on (`storm_key`)."""
        for rule in self.events:
            for key in self.machine.subjects(rule.name):
                if rule.event != "storm" or key not in raging:
                    self.machine.find(rule.name, key, Sign.CLEAR, _never, now.wall)

    def hear(self, effects: Effects, now: Instant) -> None:
        """What is about to be told or done."""
        for effect in effects:
            if isinstance(effect, Publish) and isinstance(effect.body, dict):
                kind, _, subject = effect.topic.partition("/")
                if kind in ("fact", "notice", "container"):
                    self._heard(kind, subject, effect.body, now)
            elif isinstance(effect, Order) and effect.command.verb in HALTS:
                self.things.commanded.add(effect.command.container)

    def _heard(self, kind: str, subject: str, body: Mapping[str, Any], now: Instant) -> None:
        if kind == "container":
            action = body.get("action")
            if action in HALTED:
                self.things.commanded.add(subject)
            elif action in RESUMED or action == "removed":
                self.things.commanded.discard(subject)
            elif action == "oom":
                self._raise("oom", subject, self._box(subject), {}, now)
        elif kind == "fact":
            self._fact(subject, body.get("fact"), now)
        elif body.get("note") == "storm":
            self._storm(body, now)
        elif body.get("note") in ("clock skew", "facts dropped"):
            self._raise(str(body["note"]), subject, self.things.names_of(subject), {}, now)

    def _fact(self, agent: str, fact: Any, now: Instant) -> None:
        body = fact.get("body") if isinstance(fact, dict) else None
        if not isinstance(body, dict):
            return
        if fact.get("kind") == "note" and body.get("note") == OOM_NOTE:
            self._raise("exit", agent, self.things.names_of(agent), {"cause": Cause.OOM.value}, now)
        if fact.get("kind") != "exit" or body.get("expected") or body.get("cause") in INNOCENT:
            return
        name = full_name(str(body.get("group")), str(body.get("name")))
        said = {"cause": str(body.get("cause")), "detail": str(body.get("why") or "")}
        self._raise("exit", f"{agent}/{name}", self.things.names_of(agent, name), said, now)

    def _storm(self, body: Mapping[str, Any], now: Instant) -> None:
        """One alert for a storm; the members of a fleet storm are told by it alone."""
        agent, process, service = str(body.get("agent") or ""), str(body["process"]), str(body.get("service") or "")
        key, place = storm_key(agent, process, service), storm_place(process, service)
        if not agent:
            for member in body.get("members") or ():
                self._over("storm", f"{member}/{process}", now)
        if body.get("phase") != "begun":
            self._over("storm", key, now)
        elif not body.get("fleet"):
            names = self.things.names_of(agent, process) if agent else {
                "agent": "fleet", "program": process, "subject": f"fleet/{process}", "service": service,
            }  # fmt: skip
            said = {"detail": str(body.get("words") or "")}
            self._raise("storm", key, names, said, now, place)

    def _over(self, event: str, key: str, now: Instant) -> None:
        for rule in self.events:
            if rule.event == event:
                self.machine.find(rule.name, key, Sign.GONE, _never, now.wall)

    def _raise(
        self, event: str, key: str, names: dict[str, str], said: dict[str, str], now: Instant, place: str | None = None
    ) -> None:
        """An event happened."""
        for rule in self.events:
            if rule.event == event and self._fits(rule, names, said):
                where = names.get("host", "") if place is None else place
                self.machine.find(rule.name, key, Sign.TRUE, partial(_details, rule, names, said, where), now.wall)

    def _fits(self, rule: Rule, names: Mapping[str, str], said: Mapping[str, str]) -> bool:
        return rule.where.means(names) and (not rule.causes or said.get("cause") in rule.causes)

    def _box(self, container: str) -> dict[str, str]:
        known = self.fleet.containers.get(container)
        if known is None:
            return {"container": container[:12], "subject": container[:12]}
        found = {"container": known.row.name, "subject": known.row.name, "host": known.engine}
        return {**self.fleet.labels_of_container(container), **found}


def _details(rule: Rule, names: dict[str, str], values: Mapping[str, str], place: str) -> Details:
    names = {**names, "rule": rule.name, "severity": rule.severity}
    labels = {f"label.{name}": text for name, text in names.items()}
    kept = {harmless(name)[:128]: harmless(text)[:256] for name, text in names.items()}
    return Details(fill(rule.summary, {**labels, **values, **names}), kept, place)


def _words(rules: Iterable[Rule], field: str) -> frozenset[str]:
    """The words outside which none of the rules can be true; empty where any word will do."""
    found = [{str(t.value) for t in rule.terms if t.field == field and t.op == "=="} for rule in rules]
    return frozenset().union(*found) if found and all(found) else frozenset()


def _never() -> Details:
    raise AssertionError("only a true finding needs details")


def storm_key(agent: str, process: str, service: str) -> str:
    """Subject of a storm's alert; the same from begin to end."""
    return f"{agent}/{process}" if agent else f"fleet:{storm_place(process, service)}"


def storm_place(process: str, service: str) -> str:
    """What storms are grouped by."""
    return f"{service}/{process}" if service else process
