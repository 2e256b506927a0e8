"""What people are told: alerts of one rule and place become one notice, told once, and again when it is over.  Pure.

Theory.  A group is (rule, place).  Its first alert waits WAIT_SECONDS for company, and after a notice the group says
nothing for PAUSE_SECONDS, so forty containers of a host that died make one notice, not forty.  What is told is the
difference to what was told before: new alerts, and those that ended; the last end resolves the group.  Alerts that
began and ended in between, or that are silenced, are never told; what was told is always resolved, and not before it
is over: a silence that begins later only keeps the group from saying more.

Each notice has an epoch, above all before it: (group, epoch) names it for ever, and who gets it twice can tell.  It is
the time in milliseconds, or one more than the last, so it grows over restarts too.  Where every agent of a place is
silent, the notice says that the host may be off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from hub.alerts.machine import Alert
from wire._record import Record

__all__ = ["Group", "Groups", "Item", "Notice"]

WAIT_SECONDS = 5.0
"""From the first alert of a group to its notice."""
PAUSE_SECONDS = 30.0
"""Between two notices of one group."""
REFRESH_SECONDS = 60.0
"""Alertmanager forgets what is not repeated (resolve_timeout, 5 min by default)."""
ITEMS = 20
"""Most alerts that one notice spells out."""

Key = tuple[str, str]
"""Rule and place."""


class Item(Record):
    """One alert in a notice."""

    subject: str
    summary: str
    names: Mapping[str, str]
    since: float
    ended: float | None = None


class Notice(Record):
    """One thing that is told."""

    group: str
    """Name of the group: the same from its beginning to its end."""
    epoch: int
    state: str
    """`firing`, `resolved`, `refresh` (nothing new, for those who forget) or `test`."""
    rule: str
    place: str
    severity: str
    summary: str
    firing: tuple[Item, ...]
    """What goes on, the newest last; bounded."""
    ended: tuple[Item, ...]
    """What is over since the last notice; bounded."""
    going: int
    """How many alerts go on, spelled out or not."""
    at: float
    hub: str = ""
    common: bool = False
    """Every hub of a cluster finds it: one tells for all."""


@dataclass(slots=True)
class Group:
    """One group and what was told of it."""

    rule: str
    place: str
    severity: str
    epoch: int = 0
    told: dict[str, Item] = field(default_factory=dict)
    wants: float | None = None
    """Since when there is something to tell."""
    sent: float = float("-inf")


class Groups:
    """All groups.  `hub` is this hub's name, which stands in names of groups; not for `common` rules, see Notice."""

    def __init__(self, hub: str, common: Set[str] = frozenset()) -> None:
        self.hub, self.common = hub, common
        self.groups: dict[Key, Group] = {}
        self.epoch = 0
        """The highest given."""

    def restore(self, group: Group) -> None:
        """Takes over what was told before a restart."""
        self.groups[group.rule, group.place] = group
        self.epoch = max(self.epoch, group.epoch)

    def step(self, alerts: Iterable[tuple[Alert, bool]], off: Mapping[Key, str], at: float) -> list[Notice]:
        """The notices that are due now, given all alerts that fire, each with whether it is silenced.

        `off` says of a group, where that is so, in one sentence what is the matter with its whole place.
        """
        present: dict[Key, dict[str, Item]] = {}
        for alert, silenced in alerts:
            key = (alert.rule, alert.details.place)
            if silenced and (key not in self.groups or alert.subject not in self.groups[key].told):
                continue
            self.groups.setdefault(key, Group(*key, alert.severity)).severity = alert.severity
            present.setdefault(key, {})[alert.subject] = _item(alert)
        return [notice for key in list(self.groups) for notice in self._one(key, present.get(key, {}), off, at)]

    def _one(self, key: Key, present: Mapping[str, Item], off: Mapping[Key, str], at: float) -> list[Notice]:
        group = self.groups[key]
        if present.keys() == group.told.keys():
            group.wants = None
            if not group.told:
                del self.groups[key]
            elif at - group.sent >= REFRESH_SECONDS:
                group.sent, group.told = at, dict(present)
                return [self._notice(group, "refresh", present, (), off, at)]
            return []
        group.wants = at if group.wants is None else group.wants
        if at - group.wants < (0.0 if group.told else WAIT_SECONDS) or at - group.sent < PAUSE_SECONDS:
            return []
        return [self._tell(key, group, present, off, at)]

    def _tell(self, key: Key, group: Group, present: Mapping[str, Item], off: Mapping[Key, str], at: float) -> Notice:
        ended = [item._replace(ended=at) for subject, item in group.told.items() if subject not in present]
        self.epoch = max(self.epoch + 1, int(at * 1000))
        group.epoch, group.sent, group.wants = self.epoch, at, None
        notice = self._notice(group, "firing" if present else "resolved", present, ended, off, at)
        group.told = dict(present)
        if not present:
            del self.groups[key]
        return notice

    def _notice(
        self, group: Group, state: str, present: Mapping[str, Item], ended: Iterable[Item], off: Mapping[Key, str],
        at: float,
    ) -> Notice:  # fmt: skip
        firing, over = sorted(present.values(), key=lambda item: item.since), tuple(ended)
        words = summary(group, firing or list(over), off.get((group.rule, group.place), "") if firing else "")
        common = group.rule in self.common
        name = f"{group.rule}/{group.place}" if common else f"{self.hub}/{group.rule}/{group.place}"
        return Notice(
            name, group.epoch, state, group.rule, group.place, group.severity,
            words, tuple(firing[-ITEMS:]), over[:ITEMS], len(firing), at, self.hub, common,
        )  # fmt: skip


def summary(group: Group, items: list[Item], off: str) -> str:
    """One line for the whole group."""
    if off:
        return off
    if len(items) == 1:
        return items[0].summary
    return f"{len(items)} x {group.rule} on {group.place or 'the fleet'}: {items[0].summary}; ..."


def _item(alert: Alert) -> Item:
    return Item(alert.subject, alert.details.summary, alert.details.names, alert.since)


def kept(group: Group) -> dict[str, Any]:
    """What the store keeps of a group."""
    told = [[i.subject, i.summary, dict(i.names), i.since] for i in list(group.told.values())[:1000]]
    return {"rule": group.rule, "place": group.place, "severity": group.severity, "epoch": group.epoch, "told": told}


def group_of(body: Mapping[str, Any]) -> Group:
    """The group that was kept; raises ValueError, KeyError or TypeError for what is none."""
    told = {subject: Item(subject, words, dict(names), float(since)) for subject, words, names, since in body["told"]}
    return Group(str(body["rule"]), str(body["place"]), str(body["severity"]), int(body["epoch"]), told)
