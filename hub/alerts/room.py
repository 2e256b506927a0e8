"""Alerts in the hub: rules, machine, groups and silences joined; who asks is answered, what is due is told.

What was told is kept as facts (BOOK), so a hub that restarts neither tells it again nor forgets to say that it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.alerts.machine import Alert, Details, Machine, Phase
from hub.alerts.notices import Group, Groups, Item, Notice, group_of, kept
from hub.alerts.reload import Reloading
from hub.alerts.rules import Book
from hub.alerts.silences import BOOK as SILENCES
from hub.alerts.silences import MOST_SECONDS, Silences
from hub.alerts.things import Things
from hub.alerts.watch import Watch, storm_key
from hub.clock import Instant
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.forensics import Weather
from hub.store.rows import AuditRow
from hub.trust.roles import Subject
from hub.words import Asked, Effects, Event, Notify, Say, Send, Store
from wire import limits
from wire.messages import Answer, Query
from wire.model import FactKind

__all__ = ["Alerts"]

BOOK = "alerts"
"""Under this it is kept what was told."""
READ = 20_000
FOLLOW_SECONDS = 5.0
"""Between two looks for silences that another hub was asked for."""
STEP_SECONDS = 1.0
"""Between two looks at what is to be told."""
MEMBERS = 100
"""Most alerts of one group in an answer."""
Row = dict[str, Any]


class Alerts:
    """See the module's docstring.  `own` gives this hub's values for rules on = hub."""

    def __init__(
        self, fleet: Fleet, weather: Weather, new_id: Callable[[], str], own: Callable[[Instant], Row], book: Book
    ) -> None:
        self.fleet, self.weather, self.new_id = fleet, weather, new_id
        self.rules = {rule.name: rule for rule in book.rules}
        self.machine = Machine(self.rules)
        self.things = Things(fleet, own)
        self.watch = Watch(self.machine, self.things)
        self.groups = Groups(fleet.settings.hub, {rule.name for rule in book.rules if rule.common})
        self.silences = Silences()
        self.reloading = Reloading(self, book)
        self.due = self.follow_at = 0.0
        self.handlers: dict[str, Callable[[Asked, Query, Subject, Instant], Effects]] = {
            "alerts": self.alerts,
            "alerts.test": self.test,
            "alerts.reload": self.reloading.ask,
            "silence.create": self.create,
            "silence.list": self.list,
            "silence.end": self.end,
        }

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self, now: Instant) -> Effects:
        """Takes up what was told and what is silenced."""

        def told(found: Any, error: str, now: Instant) -> Effects:
            bodies = [row.body for row in (() if error else found) if isinstance(row.body, dict)]
            for body in {(body["rule"], body["place"]): body for body in bodies if "told" in body}.values():
                self._restore(group_of(body), now)
            return []

        def silenced(found: Any, error: str, now: Instant) -> Effects:
            self.silences.restore(() if error else found, now.wall)
            return []

        return [Store("facts", (None, BOOK, None, READ), told), Store("facts", (None, SILENCES, None, READ), silenced)]

    def _restore(self, group: Group, now: Instant) -> None:
        if not group.told:
            return
        self.groups.restore(group)
        self.machine.restore(_alert(group, item, now) for item in group.told.values())

    def tick(self, now: Instant) -> Effects:
        """Goes on looking; tells what is due."""
        self.watch.tick(now)
        if now.mono < self.due:
            return []
        self.due = now.mono + STEP_SECONDS
        self.silences.tick(now.wall)
        effects = self._follow(now)
        self.watch.calm(
            {storm_key(storm.agent, storm.process, storm.service) for storm in self.weather.storms.open()}, now
        )
        firing = [alert for alert in self.machine.alerts.values() if alert.firing]
        quiet = [(alert, bool(self.silences.quiets(alert.details.names))) for alert in firing]
        notices = self.groups.step(quiet, self._off(firing), now.wall)
        return [*effects, *(effect for notice in notices for effect in self._tell(notice))]

    def turn(self, now: Instant) -> list[Event]:
        """At each pass of the loop: a little of the round."""
        self.watch.go_on(now)
        return []

    def _follow(self, now: Instant) -> Effects:
        """Silences that other hubs of this store were asked for."""
        if not self.fleet.settings.shared or now.mono < self.follow_at:
            return []
        self.follow_at = now.mono + FOLLOW_SECONDS

        def found(rows: Any, error: str, now: Instant) -> Effects:
            if not error:
                self.silences.restore(rows, now.wall)
            return []

        return [Store("facts", (None, SILENCES, now.wall - MOST_SECONDS, READ), found)]

    def hear(self, effects: Effects, now: Instant) -> None:
        """What the hub is about to tell or do: events are among it."""
        self.watch.hear(effects, now)

    def _off(self, firing: Iterable[Alert]) -> dict[tuple[str, str], str]:
        """Places none of whose agents is heard, where that is what the alerts are about."""
        keys = {(one.rule, one.details.place) for one in firing if self.rules[one.rule].on == "agent"}
        if not keys:
            return {}
        live, silent = self.things.census()
        off = {}
        for rule, place in keys:
            if silent.get(place, 0) > 1 and not live.get(place):
                engine = self.fleet.engines.get(place)
                also = ", and its engine does not answer" if engine is not None and not engine.up else ""
                off[rule, place] = f"host {place} may be off: all {silent[place]} agents on it are silent{also}"
        return off

    def _tell(self, notice: Notice) -> Effects:
        effects: Effects = [Notify(notice)]
        if notice.state == "refresh":
            return effects
        group = self.groups.groups.get((notice.rule, notice.place))
        told = kept(group or Group(notice.rule, notice.place, notice.severity, notice.epoch))
        body: Row = {"note": "alert", "state": notice.state, "summary": notice.summary, **told}
        line = f"alert {notice.rule} {notice.state}: {notice.summary}"
        return [*effects, Say(line), Store("record_fact", (BOOK, notice.at, FactKind.NOTE, body))]

    # -- questions ---------------------------------------------------------------------------------------------------

    def alerts(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """What is wrong now, one row a group; with `all` also what is pending or silenced."""
        everything = query.args.get("all") is True
        rows: dict[tuple[str, str], list[tuple[Alert, str]]] = {}
        for alert in self.machine.alerts.values():
            silence = self.silences.quiets(alert.details.names)
            if subject.may_see(alert.details.names) and (everything or (alert.firing and not silence)):
                rows.setdefault((alert.rule, alert.details.place), []).append((alert, silence))
        off = self._off(alert for found in rows.values() for alert, _ in found) if not subject.scope else {}
        shown = [self._row(key, found, off.get(key, ""), now) for key, found in rows.items()]
        return [Send(asked.route, Answer(query.id, sorted(shown, key=lambda row: row["since"])))]

    def _row(self, key: tuple[str, str], found: list[tuple[Alert, str]], off: str, now: Instant) -> Row:
        found.sort(key=lambda one: one[0].since)
        first, (rule, place) = found[0][0], key
        states = [_state(alert, silence) for alert, silence in found]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return {
            "rule": rule,
            "host": place,
            "severity": first.severity,
            "state": "firing" if "firing" in states else states[0],
            "summary": off or first.details.summary + more,
            "count": len(found),
            "since": first.since,
            "alerts": [self._member(alert, silence) for alert, silence in found[:MEMBERS]],
            "at": max(alert.seen for alert, _ in found),
            "age": max(now.wall - max(alert.seen for alert, _ in found), 0.0),
        }

    def _member(self, alert: Alert, silence: str) -> Row:
        names = dict(alert.details.names)
        head = {"subject": names.get("subject", alert.subject), "state": _state(alert, silence), "since": alert.since}
        return {**head, "summary": alert.details.summary, "names": names, "silence": silence or None}

    def test(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Sends one notice to each sink and answers what became of it."""
        if subject.scope:
            raise Refusal("forbidden", "sinks are told of the whole fleet", "ask for a key without a scope")

        def done(outcomes: Any, error: str, now: Instant) -> Effects:
            times = {"at": now.wall, "age": 0.0}
            return [Send(asked.route, Answer(query.id, [{**outcome, **times} for outcome in outcomes]))]

        hub, self.groups.epoch = self.fleet.settings.hub, max(self.groups.epoch + 1, int(now.wall * 1000))
        words = f"test of the alerts of hub {hub}, asked for by {subject.name}"
        item = Item("test", words, {"rule": "test", "hub": hub, "severity": "info"}, now.wall)
        name = f"{hub}/test/{self.groups.epoch}"
        notice = Notice(name, self.groups.epoch, "test", "test", "", "info", words, (item,), (), 1, now.wall, hub)
        return [Notify(notice, done), self._audit(asked, subject, "alerts test", "", now)]

    # -- silences ----------------------------------------------------------------------------------------------------

    def create(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`selector`, `seconds`, `reason`: what it means is not told until then."""
        args = query.args
        text, why, seconds = args.get("selector"), args.get("reason"), args.get("seconds")
        if not isinstance(why, str) or not why.strip() or len(why) > limits.TEXT_CHARS:
            raise Refusal("bad-argument", "a silence needs a reason", "say it with --reason")
        number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if not number or not 1 <= float(seconds) <= MOST_SECONDS:  # type: ignore[arg-type]
            raise Refusal("bad-argument", f"seconds must be a number from 1 to {MOST_SECONDS:.0f}", "e.g. --for 2h")
        try:
            given = (self.new_id(), str(text or ""), subject.scope, float(str(seconds)), subject.name, why, now.wall)
            made = self.silences.begin(*given)
        except ValueError as error:
            raise Refusal("bad-argument", str(error)[: limits.TEXT_CHARS]) from None
        body = {"note": "silence", **made.row(now.wall)}
        kept = Store("record_fact", (SILENCES, now.wall, FactKind.NOTE, body))
        audit = self._audit(asked, subject, "silence create", made.selector.text, now, f"{made.id}: {why}")
        return [kept, audit, Send(asked.route, Answer(query.id, self._shown(made.id, now)))]

    def _shown(self, id: str, now: Instant) -> Row:
        one = self.silences.all[id]
        names = [alert.details.names for alert in self.machine.alerts.values() if alert.firing]
        return {**one.row(now.wall), "alerts": sum(one.selector.means(name) for name in names)}

    def list(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """The silences in force that touch the asker's scope only."""
        rows = [self._shown(one.id, now) for one in self.silences.all.values() if _within(one.selector.pairs, subject)]
        return [Send(asked.route, Answer(query.id, rows))]

    def end(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`id`: it is told again what it hid."""
        one = self.silences.all.get(str(query.args.get("id")))
        if one is None or not _within(one.selector.pairs, subject):
            raise Refusal("unknown-silence", "there is no such silence", "see hubctl silence list")
        row = self._shown(one.id, now)
        del self.silences.all[one.id]
        body = {"note": "silence ended", "id": one.id, "by": subject.name}
        kept = Store("record_fact", (SILENCES, now.wall, FactKind.NOTE, body))
        audit = self._audit(asked, subject, "silence end", one.selector.text, now, one.id)
        return [kept, audit, Send(asked.route, Answer(query.id, row))]

    def _audit(self, asked: Asked, subject: Subject, action: str, target: str, now: Instant, why: str = "") -> Store:
        words = (target[: limits.NAME_CHARS], "done", why[: limits.TEXT_CHARS], "", asked.peer)
        return Store("append_audit", (AuditRow(now.wall, subject.name, action, *words),))


def _within(pairs: Iterable[tuple[str, str]], subject: Subject) -> bool:
    """Whether a silence lies in the asker's scope."""
    named: Mapping[str, str] = dict(pairs)
    return all(named.get(name) == value for name, value in subject.scope.items())


def _state(alert: Alert, silence: str) -> str:
    return "silenced" if silence else "firing" if alert.firing else "pending"


def _alert(group: Group, item: Item, now: Instant) -> Alert:
    details = Details(item.summary, item.names, group.place)
    return Alert(group.rule, item.subject, group.severity, Phase.FIRING, item.since, now.wall, details, item.since)
