"""Rotation in the core: asked for, told to everybody, ended in time; and warnings before a key or token ends.

Theory.  While the hub has two keys every heartbeat is answered with its new place, every answer to a client and every
item of the feed says it too.  The change ends at its time, but not before the hub was up for a while: a hub that was
away during the grace still tells everybody who comes back.  What comes to its end is told 30, 7 and 1 days before,
each once in a life of the hub process, as a notice that is kept; a hub's own key is never refused for its age.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.clock import Instant
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.store.rows import AuditRow, TokenRow
from hub.trust.roles import Subject
from hub.trust.rotation import LIFE_SECONDS, Standing, placed
from hub.words import Asked, Effects, Publish, Rotate, Say, Send, Store, Then
from wire import limits
from wire.messages import Answer, Query, Refused
from wire.model import FactKind

DAY = 86400.0
GRACE_SECONDS = 7 * DAY
"""Time for clients that seldom come; agents are through within two periods."""
GRACE_MOST = 90 * DAY
NOW_PERIODS = 5.0
"""`now`: as long as it takes until every agent that is there was told, and has moved."""
UP_SECONDS = 120.0
"""A change does not end sooner after the hub's start."""
WARN_DAYS = (30, 7, 1)
LOOK_SECONDS = 3600.0
"""Pause between two looks for what comes to its end."""
BOOK = "keys"
"""Under this name notices about keys are kept."""


class Turning:
    """See the module's docstring."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.handlers = {"key.rotate": self.rotate}
        self.look_at = 0.0
        self.tokens: tuple[TokenRow, ...] = ()
        self.told: set[tuple[str, int]] = set()
        """(what, days) of warnings that were given."""
        self.busy = False
        """An order to the sockets is under way."""

    @property
    def standing(self) -> Standing:
        """Where the rotation stands."""
        return self.fleet.settings.standing

    @property
    def moved(self) -> dict[str, str] | None:
        """During a change: where clients are to dial from now on."""
        settings = self.fleet.settings
        if not self.standing.next:
            return None
        return {"command": settings.client, "feed": settings.feed, "server_key": self.standing.next}

    def stamp(self, effects: Effects) -> Effects:
        """The same effects, with answers to clients that say where to go."""
        moved = self.moved
        if moved is None:
            return effects
        return [
            one._replace(message=one.message._replace(moved=moved))
            if isinstance(one, Send) and isinstance(one.message, Answer)
            else one
            for one in effects
        ]

    # -- asked -------------------------------------------------------------------------------------------------------

    def rotate(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`grace` seconds, or `now`: a next key on the other ports; during a change, its end is moved."""
        if self.busy:
            raise Refusal("busy", "the hub's key is being changed at this moment", "ask again")
        begun, until = not self.standing.next, now.wall + self._grace(query.args)

        def done(standing: Any, error: str, now: Instant) -> Effects:
            self.busy = False
            outcome = "failed" if error else "done"
            row = AuditRow(now.wall, subject.name, "key rotate", self.standing.key, outcome, error, "", asked.peer)
            if error:
                answer = Refused(query.id, "failed", error[: limits.TEXT_CHARS])
                return [Send(asked.route, answer), Store("append_audit", (row,))]
            self._place(standing)
            told = self._told("key rotation begun" if begun else "key rotation moved", now) if standing.next else []
            return [*told, Send(asked.route, Answer(query.id, self.about(now))), Store("append_audit", (row,))]

        return self._order(until, done)

    def _grace(self, args: Mapping[str, Any]) -> float:
        if args.get("now") is True:
            return max(NOW_PERIODS * self.fleet.settings.period, 5.0)
        grace = args.get("grace", GRACE_SECONDS)
        if not isinstance(grace, (int, float)) or isinstance(grace, bool) or not 1.0 <= grace <= GRACE_MOST:
            raise Refusal("bad-argument", f"grace must be 1 s to {GRACE_MOST / DAY:.0f} d")
        return float(grace)

    def _order(self, until: float | None, done: Then) -> Effects:
        self.busy = True
        return [Rotate(until, done)]

    def _place(self, standing: Standing) -> None:
        self.fleet.settings = placed(self.fleet.settings, standing)

    # -- time --------------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> Effects:
        """Ends a change that is over, and warns."""
        effects: Effects = []
        ready = now.mono - self.fleet.started.mono >= min(UP_SECONDS, 20 * self.fleet.settings.period)
        if self.standing.next and not self.busy and now.wall >= self.standing.until and ready:
            effects += self._order(None, self._ended)
        if now.mono >= self.look_at:
            self.look_at = now.mono + LOOK_SECONDS
            effects.append(Store("tokens", (), self._warn))
        return effects

    def _ended(self, standing: Any, error: str, now: Instant) -> Effects:
        self.busy = False
        if error:
            self.fleet.settings = self.fleet.settings._replace(
                standing=self.standing._replace(until=now.wall + NOW_PERIODS * self.fleet.settings.period)
            )
            return [Say(f"the change of the hub's key cannot end yet: {error}")]
        self._place(standing)
        self.told = set()
        return self._told("key rotation ended", now)

    def _warn(self, tokens: Any, error: str, now: Instant) -> Effects:
        self.tokens = self.tokens if error else tuple(tokens)
        effects: Effects = []
        for what, ends, left in self._ending(now):
            step = next((days for days in reversed(WARN_DAYS) if left <= days * DAY), None)
            if step is not None and (what, step) not in self.told:
                self.told.add((what, step))
                effects += self._told("expiry", now, what=what, expires_at=ends, days=max(left, 0.0) // DAY)
        return effects

    def _ending(self, now: Instant) -> Iterable[tuple[str, float, float]]:
        """What ends: name, when, in how many seconds."""
        yield "key of the hub", self._expires(), self._expires() - now.wall
        for token in self.tokens:
            if token.kind == "service" and token.expires_at and not token.revoked_at and token.expires_at > now.wall:
                yield f"token {token.id}", token.expires_at, token.expires_at - now.wall

    def _expires(self) -> float:
        return self.standing.made_at + LIFE_SECONDS

    def _told(self, text: str, now: Instant, **more: object) -> Effects:
        standing = self.standing
        change: dict[str, object] = {} if more else {"key": standing.key, "next": standing.next or None}
        body: dict[str, object] = {"note": text, "hub": self.fleet.settings.hub, **change, **more}
        line = f"{text}: " + ", ".join(f"{name} {value}" for name, value in body.items() if name != "note")
        kept = Store("record_fact", (BOOK, now.wall, FactKind.NOTE, body))
        return [Publish(f"notice/{BOOK}", body), kept, Say(line)]

    # -- looking -----------------------------------------------------------------------------------------------------

    def about(self, now: Instant) -> dict[str, Any]:
        """The hub's key, its age, the change under way, and what ends within 30 days."""
        standing, settings = self.standing, self.fleet.settings
        soon = [
            {"what": what, "expires_at": ends, "days": max(left, 0.0) // DAY}
            for what, ends, left in self._ending(now)
            if left <= WARN_DAYS[0] * DAY
        ]
        return {
            "key": standing.key or settings.addresses[0].key,
            "made_at": standing.made_at,
            "age": max(now.wall - standing.made_at, 0.0),
            "expires_at": self._expires(),
            "next": standing.next or None,
            "until": standing.until or None,
            "ends": {"command": settings.client, "feed": settings.feed},
            "warnings": soon,
        }

    def rows(self, now: Instant) -> list[dict[str, Any]]:
        """The hub's own keys as rows of `key.list`."""
        about, hub = self.about(now), self.fleet.settings.hub
        head: dict[str, Any] = {"kind": "hub", "subject": hub, "role": "", "scope": {}, "token": "", "container": None}
        rows = [{**head, "public": about["key"], "created_at": about["made_at"], "age": about["age"]}]
        rows[0]["expires_at"] = about["until"] or about["expires_at"]
        if about["next"]:
            rows.append({**head, "public": about["next"], "created_at": None, "age": None, "expires_at": None})
            rows[1]["role"] = "next"
        return [{**row, "revoked_at": None} for row in rows]
