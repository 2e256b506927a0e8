"""A file of rules and sinks read again while the hub runs: what would change, and the change.  Pure.

Theory.  The file is read whole and checked before anything happens: a bad one changes nothing.  What is the same goes
on as it is: alerts that fire, what was told, the past of rates.  A rule that is gone, or is about other things now,
ends its alerts, and people are told that they are over; a rule with another condition judges its alerts by it from the
next round on.  Each hub has a file of its own, so each is told to read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.alerts.expressions import Term
from hub.alerts.rules import Book, Rule, Sink
from hub.alerts.watch import Watch
from hub.clock import Instant
from hub.errors import Refusal
from hub.store.rows import AuditRow
from hub.trust.roles import Subject
from hub.words import Asked, Effects, Employ, Reread, Say, Send, Store
from wire import limits
from wire.messages import Answer, Query, Refused

if TYPE_CHECKING:
    from hub.alerts.room import Alerts

__all__ = ["Reloading", "changes"]

OPTIONS = {"terms": "if", "hold": "for", "causes": "cause"}
"""Field of a rule -> its name in the file, where that is another."""
SECRET = frozenset({"url"})
"""Options whose values are not shown: an address may be a key."""
Row = dict[str, Any]


def changes(old: Book, new: Book) -> list[Row]:
    """One row for each rule and sink that is not in both books as it is: kind, name, change, detail."""
    pairs = (("rule", old.rules, new.rules), ("sink", old.sinks, new.sinks))
    return [row for kind, before, after in pairs for row in _changed(kind, before, after)]


def _changed(kind: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> list[Row]:
    was, now = {one.name: one for one in before}, {one.name: one for one in after}
    rows = []
    for name in sorted(was | now):
        if name not in was or name not in now:
            rows.append({"kind": kind, "name": name, "change": "removed" if name in was else "added", "detail": ""})
        elif was[name] != now[name]:
            detail = "; ".join(_difference(was[name], now[name]))
            rows.append({"kind": kind, "name": name, "change": "changed", "detail": detail[: limits.TEXT_CHARS]})
    return rows


def _difference(was: Any, now: Any) -> list[str]:
    fields = [name for name in was._fields if getattr(was, name) != getattr(now, name)]
    return [f"{OPTIONS.get(name, name)}: {_shown(name, was)} -> {_shown(name, now)}" for name in fields]


def _shown(name: str, record: Rule | Sink) -> str:
    value = getattr(record, name)
    if name in SECRET:
        return "(not shown)"
    if name in ("terms", "clear"):
        return " and ".join(map(_term, value)) or "none"
    return str(getattr(value, "text", value)) or "none"


def _term(term: Term) -> str:
    field = f"{term.function}({term.field}, {term.span:g}s)" if term.function else term.field
    return f"{field} {term.op} {term.value}"


class Reloading:
    """Reads the file again for one room of alerts."""

    def __init__(self, alerts: Alerts, book: Book) -> None:
        self.alerts, self.book = alerts, book

    def ask(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`dry`: only say what would change."""
        if subject.scope:
            raise Refusal("forbidden", "rules are of the whole fleet", "ask for a key without a scope")
        dry = query.args.get("dry") is True

        def read(book: Any, error: str, now: Instant) -> Effects:
            if error:
                words = error[: limits.TEXT_CHARS]
                hint = "nothing was changed; hubctl alerts check FILE tells every problem"
                refused = Send(asked.route, Refused(query.id, "bad-file", words, hint))
                return [refused, self._audit(asked, subject, "refused", words, now)]
            rows = [{**row, "at": now.wall, "age": 0.0} for row in changes(self.book, book)]
            done = [] if dry else [*self.take(book), self._audit(asked, subject, "done", _counted(rows), now)]
            return [Send(asked.route, Answer(query.id, rows)), *done]

        return [Reread(read)]

    def again(self, book: Any, error: str, now: Instant) -> Effects:
        """The file was read because of a signal."""
        if error:
            return [Say(f"alerts: nothing is changed: {line}") for line in error.splitlines()[:20]]
        return self.take(book)

    def take(self, book: Book) -> Effects:
        """From now on these rules and sinks."""
        rows, alerts = changes(self.book, book), self.alerts
        before, watch = dict(alerts.rules), alerts.watch
        alerts.rules.clear()
        alerts.rules.update((rule.name, rule) for rule in book.rules)
        for key, alert in list(alerts.machine.alerts.items()):
            rule = alerts.rules.get(alert.rule)
            if rule is None or (rule.on, rule.event) != (before[alert.rule].on, before[alert.rule].event):
                del alerts.machine.alerts[key]
            else:
                alert.severity = rule.severity
        alerts.groups.common = {rule.name for rule in book.rules if rule.common}
        alerts.watch = Watch(alerts.machine, alerts.things)
        alerts.watch.started = watch.started
        same = [name for name, rule in alerts.rules.items() if before.get(name) == rule]
        alerts.watch.past.update((name, watch.past[name]) for name in same)
        self.book = book
        told = [Say(f"alerts: {row['kind']} {row['name']} {row['change']} {row['detail']}".rstrip()) for row in rows]
        return [*(told or [Say("alerts: the file was read again and says the same")]), Employ(book.sinks)]

    def _audit(self, asked: Asked, subject: Subject, outcome: str, why: str, now: Instant) -> Store:
        row = AuditRow(now.wall, subject.name, "alerts reload", "", outcome, why, "", asked.peer)
        return Store("append_audit", (row,))


def _counted(rows: list[Row]) -> str:
    return f"{len(rows)} changes: {' '.join(row['name'] for row in rows)}"[: limits.TEXT_CHARS]
