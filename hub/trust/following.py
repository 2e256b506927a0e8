"""The live feed cut to a key's scope: items sent to who asked for them at the client port.

Theory.  The feed (7405) is an XPUB: it does not know its readers apart, so a key with a scope is not let in there.  It
says `follow` at the client port instead, where each message carries its key, and gets every item of the topics it
named that is inside its scope, over the connection it asked by.  A follower lasts for SECONDS and is renewed by asking
again, since a ROUTER does not tell who went.  Each item is judged when it is told, by the same tables as the questions
about what it tells of: what no question would answer is not told, and what belongs to no agent or container of the
scope is of the whole fleet.  A container that was taken away has no labels any more; who saw it hears of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.commands.rolls import Rolls
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.recall import Recall
from hub.trust.roles import Role, Subject
from hub.words import Asked, Effects, Publish, Route, Send
from wire import limits
from wire import messages as M

SECONDS = 10.0
"""How long a follower lasts where it names no time of its own."""


class Follower:
    """One connection that follows."""

    def __init__(self, route: Route, name: str, containers: set[str]) -> None:
        self.route, self.name, self.containers = route, name, containers
        self.topics: tuple[str, ...] = ()
        self.quiet = False
        """It only watches: items are not sent."""
        self.until, self.seq = 0.0, 0


class Following:
    """Who follows what; `moved` says where the hub is to be found while it changes its key."""

    def __init__(self, fleet: Fleet, recall: Recall, rolls: Rolls, moved: Callable[[], dict[str, str] | None]) -> None:
        self.fleet, self.recall, self.rolls, self.moved = fleet, recall, rolls, moved
        self.followers: dict[tuple[bytes, ...], Follower] = {}
        self.handlers = {"follow": self.follow}
        self.families: dict[str, Callable[[Subject, str, Any], bool]] = {
            "fact": self._agents,
            "sample": self._agents,
            "notice": self._notices,
            "container": lambda subject, key, body: self._sees_container(subject, key),
            "command": self._commands,
            "hub": lambda subject, key, body: True,
        }
        fleet.followed = self.watches

    # -- asking ------------------------------------------------------------------------------------------------------

    def follow(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        """`topics` (prefixes; none: no more), `seconds` until it must be renewed, `quiet`: only watch."""
        topics, seconds = _topics(query.args.get("topics", ("",))), _seconds(query.args.get("seconds", SECONDS))
        place = asked.route.envelope
        if not topics:
            self.followers.pop(place, None)
            return [Send(asked.route, M.Answer(query.id, {"seconds": 0.0, "seq": 0}))]
        one = self.followers.get(place)
        if one is None or one.name != subject.name:
            self._room(subject.name, now)
            one = Follower(asked.route, subject.name, self._seen(subject))
            self.followers[place] = one
            self.fleet.followers = len(self.followers)
        one.topics, one.until, one.quiet = topics, now.mono + seconds, query.args.get("quiet") is True
        return [Send(asked.route, M.Answer(query.id, {"seconds": seconds, "seq": one.seq}))]

    def _room(self, name: str, now: Instant) -> None:
        self.tick(now)
        mine = sum(one.name == name for one in self.followers.values())
        if mine >= limits.FOLLOWERS_OF_KEY or len(self.followers) >= limits.FOLLOWERS:
            raise Refusal("busy", f"{mine} connections of key {name!r} follow already", "close some, or wait 10 s")

    def _seen(self, subject: Subject) -> set[str]:
        """The containers that exist for this subject; without a scope none need be remembered."""
        if not subject.scope:
            return set()
        return {key for key in self.fleet.containers if self._sees_container(subject, key)}

    # -- telling -----------------------------------------------------------------------------------------------------

    def tell(self, effects: Effects, now: Instant) -> Effects:
        """The same effects, with what the followers are sent behind each item."""
        if not self.followers:
            return effects
        told: Effects = []
        for effect in effects:
            told.append(effect)
            if isinstance(effect, Publish):
                told += [send for one in self.followers.values() for send in self._send(one, effect, now)]
        return told

    def _send(self, one: Follower, item: Publish, now: Instant) -> Effects:
        if one.quiet or one.until < now.mono or not item.topic.startswith(one.topics):
            return []
        if not self._hears(one, item):
            return []
        one.seq += 1
        return [Send(one.route, M.Feed(item.topic, now.wall, one.seq, item.body, self.moved()))]

    def _hears(self, one: Follower, item: Publish) -> bool:
        subject = self._subject(one)
        if subject is None or not subject.scope:
            return subject is not None
        family, _, key = item.topic.partition("/")
        judge = self.families.get(family)
        seen = judge is not None and judge(subject, key, item.body)
        if family == "container" and seen:
            one.containers.add(key)
        elif family == "container" and key not in self.fleet.containers and key in one.containers:
            one.containers.discard(key)
            return True
        return seen

    def _subject(self, one: Follower) -> Subject | None:
        """Whose connection it is; None once the key was revoked."""
        key = self.fleet.client_keys.get(one.name)
        return None if key is None else Subject(key.subject, Role(key.role), key.scope)

    def watches(self, topic: str) -> bool:
        """Whether somebody follows this topic of an agent."""
        agent = topic.partition("/")[2]
        for one in self.followers.values():
            subject = self._subject(one) if topic.startswith(one.topics) else None
            if subject is not None and (not subject.scope or self.recall.sees(subject, agent)):
                return True
        return False

    def tick(self, now: Instant) -> Effects:
        """Forgets who did not ask again."""
        if self.followers:
            self.followers = {place: one for place, one in self.followers.items() if one.until >= now.mono}
            self.fleet.followers = len(self.followers)
        return []

    # -- what each family tells of -----------------------------------------------------------------------------------

    def _agents(self, subject: Subject, key: str, body: Any) -> bool:
        return self.recall.sees(subject, key)

    def _notices(self, subject: Subject, key: str, body: Any) -> bool:
        if key in self.fleet.registry.agents:
            return self.recall.sees(subject, key)
        row: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        if row.get("note") == "storm":
            return self.recall.sees(subject, str(row.get("agent") or ""))
        if row.get("note") == "roll":
            return self.rolls.visible(str(row.get("roll")), subject)
        if row.get("note") == "engine":
            mine = (one for one, known in self.fleet.containers.items() if known.engine == key)
            return any(self._sees_container(subject, one) for one in mine)
        return False

    def _sees_container(self, subject: Subject, key: str) -> bool:
        return key in self.fleet.containers and subject.may_see(self.fleet.labels_of_container(key))

    def _commands(self, subject: Subject, key: str, body: Any) -> bool:
        if key in self.rolls.rolls:
            return self.rolls.visible(key, subject)
        row: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        if row.get("container"):
            return self._sees_container(subject, str(row["container"]))
        return self.recall.sees(subject, str(row.get("agent") or ""))


def _topics(found: Any) -> tuple[str, ...]:
    listed = isinstance(found, (tuple, list)) and len(found) <= limits.FOLLOWED_TOPICS
    if not listed or not all(isinstance(one, str) and len(one) <= limits.ENVELOPE_BYTES for one in found):
        raise Refusal("bad-argument", f"topics must be at most {limits.FOLLOWED_TOPICS} texts")
    return tuple(found)


def _seconds(found: object) -> float:
    if isinstance(found, (int, float)) and not isinstance(found, bool) and 1.0 <= found <= limits.FOLLOW_SECONDS:
        return float(found)
    raise Refusal("bad-argument", f"seconds must be 1 to {limits.FOLLOW_SECONDS:g}")
