"""Silences: until when which alerts are not told, by whom and why.  They outlive the hub's restart as facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.alerts import selector
from hub.alerts.selector import Selector
from hub.store.rows import FactRow
from wire._record import Record

__all__ = ["BOOK", "MOST_SECONDS", "Silence", "Silences"]

BOOK = "silences"
"""Under this they are kept as facts."""
MOST_SECONDS = 30 * 86400.0
"""Longest silence; what should never alert is a rule's `where` or `enabled = no`."""
KEPT = 1000
"""Most silences at a time."""


class Silence(Record):
    """One silence."""

    id: str
    selector: Selector
    begun_at: float
    until: float
    by: str
    reason: str

    def row(self, now: float) -> dict[str, Any]:
        """As it is answered and kept."""
        fields = {"id": self.id, "selector": self.selector.text, "begun_at": self.begun_at, "until": self.until}
        times = {"at": self.begun_at, "age": max(now - self.begun_at, 0.0), "left": max(self.until - now, 0.0)}
        return {**fields, "pairs": dict(self.selector.pairs), "by": self.by, "reason": self.reason, **times}


class Silences:
    """Those that are in force."""

    def __init__(self) -> None:
        self.all: dict[str, Silence] = {}

    def restore(self, rows: Iterable[FactRow], now: float) -> None:
        """Takes up what was kept, less what ended."""
        for row in rows:
            body: Mapping[str, Any] = row.body if isinstance(row.body, dict) else {}
            if body.get("note") == "silence" and float(body["until"]) > now:
                chosen = Selector(str(body["selector"]), tuple(dict(body["pairs"]).items()))
                times = (float(body["begun_at"]), float(body["until"]))
                self.all[str(body["id"])] = Silence(
                    str(body["id"]), chosen, *times, str(body["by"]), str(body["reason"])
                )
            elif body.get("note") == "silence ended":
                self.all.pop(str(body["id"]), None)

    def begin(
        self, id: str, text: str, scope: Mapping[str, str], seconds: float, by: str, why: str, now: float
    ) -> Silence:
        """A new one; raises ValueError.  A scoped key silences only what is in its scope."""
        if len(self.all) >= KEPT:
            raise ValueError(f"{KEPT} silences are in force; end some")
        chosen = selector.parse(text)
        chosen = Selector(chosen.text, (*chosen.pairs, *scope.items()))
        self.all[id] = Silence(id, chosen, now, now + seconds, by, why)
        return self.all[id]

    def tick(self, now: float) -> None:
        """Forgets what is over."""
        for one in [one for one in self.all.values() if one.until <= now]:
            del self.all[one.id]

    def quiets(self, names: Mapping[str, str]) -> str:
        """Id of a silence that means these names, "" for none."""
        return next((one.id for one in self.all.values() if one.selector.means(names)), "")
