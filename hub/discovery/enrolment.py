"""How a container becomes an agent: a token is shown, a key is kept; and how keys are forgotten again.

Theory.  The key is the one libzmq proved for the connection, never a field of the message.  The same key may show the
same token twice (its answer was lost) and gets the same agent id without another use of the token; who asks again
while the store still works on the first request is not admitted twice, and the one answer goes to where it asked last.
Keys that came with a service token belong to containers nobody counts, so they are forgotten when the engine destroys
the container, or a day after the agent was last there; an invite's key was wanted by a person and stays until revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.clock import Instant
from hub.discovery.notices import note
from hub.discovery.relay_names import RelayNames
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.store.rows import AuditRow, KeyRow, TokenRow
from hub.trust import tokens
from hub.words import Admit, Asked, Effects, Route, Say, Send, Store
from wire import limits
from wire.messages import Enrol, Enrolled, Refused
from wire.model import FactKind

UNDERWAY_SECONDS = 30.0
"""A request that the store has not answered by then is taken for lost, and the next one of that key begins anew."""
NEW_SECONDS = 60.0
"""A key this young counts as a live agent: it will register in a moment."""


class Enrolment:
    """Admits new agents; `new_id` makes an id nobody had before."""

    def __init__(self, fleet: Fleet, new_id: Callable[[], str]) -> None:
        self.fleet, self.relays = fleet, RelayNames(fleet)
        self.new_id = new_id
        self.service: set[str] = set()
        """Ids of service tokens."""
        self.underway: dict[tuple[str, str], tuple[Route, float]] = {}
        """(key, token) of requests at work, with where the answer goes and when they began."""

    def restore(self, rows: Iterable[TokenRow]) -> None:
        """Takes over what the store knew of tokens."""
        self.service.update(row.id for row in rows if row.kind == tokens.TokenKind.SERVICE)

    def take(self, asked: Asked, now: Instant) -> Effects:
        """One request of the enrolment port; raises Refusal for anything but Enrol."""
        enrol = asked.message
        if not isinstance(enrol, Enrol):
            raise Refusal("unexpected", "only Enrol is heard here")
        place = (asked.user, enrol.token)
        _, begun = self.underway.get(place, (asked.route, -UNDERWAY_SECONDS))
        if now.mono - begun < UNDERWAY_SECONDS:
            self.underway[place] = (asked.route, begun)
            return []
        self.underway[place] = (asked.route, now.mono)

        def found(token: Any, error: str, now: Instant) -> Effects:
            return self._guarded(asked, enrol, now, error, lambda: self._judge(asked, enrol, token, now))

        return [Store("token", (enrol.token,), found)]

    def _judge(self, asked: Asked, enrol: Enrol, token: TokenRow | None, now: Instant) -> Effects:
        known = self.fleet.keys.get(asked.user)
        if known is not None and known.kind == enrol.role and known.token == enrol.token:
            tokens.prove(token, enrol.secret)
            return self._answer(asked, enrol.token, known)
        if known is not None:
            raise Refusal("bad-key", "this key is known here under another token or role", "make a new key")
        self._check_role(tokens.prove(token, enrol.secret), enrol)
        live = self._live(enrol.token, now) + self.relays.live(enrol.token, now)
        tokens.check(token, enrol.secret, live, now.wall)

        def looked(row: Any, error: str, now: Instant) -> Effects:
            return self._guarded(asked, enrol, now, error, lambda: self._use(asked, enrol, token, row, now.wall))

        return [Store("key", (asked.user,), looked)]

    def _check_role(self, token: TokenRow, enrol: Enrol) -> None:
        """An agent never becomes a relay, nor a relay an agent, by a join string in the wrong place."""
        admitted = "relay" if token.kind == tokens.TokenKind.RELAY else "agent"
        if enrol.role != admitted:
            hint = "hubctl token create --relay makes one for a relay, without --relay for agents"
            raise Refusal("wrong-token", f"token {token.id} is for a {admitted}", hint)

    def _use(self, asked: Asked, enrol: Enrol, token: TokenRow | None, row: KeyRow | None, at: float) -> Effects:
        """Takes one use, for a key that was never here or was forgotten; one that was revoked stays out."""
        if row is not None and row.revoked_at is not None:
            raise Refusal("bad-key", "this key was revoked", "make a new key; revoke the token too to keep it out")
        if row is not None and row.kind == enrol.role and row.token == enrol.token:  # another hub let it in just now
            self.fleet.add_key(row)
            return [Admit(self.fleet.admissions()), *self._answer(asked, enrol.token, row)]

        def used(taken: Any, error: str, now: Instant) -> Effects:
            return self._guarded(asked, enrol, now, error, lambda: self._admit(asked, enrol, token, taken, now))

        return [Store("use_token", (enrol.token, at), used)]

    def _admit(self, asked: Asked, enrol: Enrol, token: TokenRow | None, taken: Any, now: Instant) -> Effects:
        if token is None or not taken:
            raise Refusal("token-used", "the token was used up in this moment", "make a new one: hubctl token create")
        relay = token.kind == tokens.TokenKind.RELAY
        superseded: list[KeyRow] = []
        if relay:
            name = self.relays.name(enrol.hostname, token.id, now)
            superseded = self.relays.superseded(name, token, now)
        row = KeyRow(
            public=asked.user,
            kind="relay" if relay else "agent",
            subject=name if relay else self.new_id(),
            created_at=now.wall,
            scope=dict(token.labels),  # for an agent's key these are the labels it has
            token=token.id,
            container=enrol.container or None,
        )

        def kept(_: Any, error: str, now: Instant) -> Effects:
            self.relays.reserved.discard(row.subject)
            return self._guarded(asked, enrol, now, error, lambda: self._kept(asked, enrol, row, superseded, now))

        return [Store("put_key", (row,), kept)]

    def _kept(self, asked: Asked, enrol: Enrol, row: KeyRow, superseded: list[KeyRow], now: Instant) -> Effects:
        for old in superseded:
            self.fleet.remove_key(old.public)
        self.fleet.add_key(row)
        audit = AuditRow(
            now.wall, f"token {enrol.token}", "enrol", row.subject, "accepted", enrol.hostname, "", asked.peer
        )
        admit = Admit(self.fleet.admissions())
        body = {"note": "enrolled", "agent": row.subject, "public": row.public}
        told = Store("record_fact", (row.subject, now.wall, FactKind.NOTE, body))
        return [
            admit,
            *([told] if self.fleet.settings.shared else []),
            *self._answer(asked, enrol.token, row),
            Store("append_audit", (audit,)),
            Say(f"enrolled {row.kind} {row.subject}"),
            *(Store("drop_key", (old.public,)) for old in superseded),
        ]

    def _answer(self, asked: Asked, token: str, row: KeyRow) -> Effects:
        mine = self.fleet.settings.addresses  # first: the others do not know the key in this moment
        others = tuple(hub for hub in self.fleet.hubs_of(row.subject) if hub not in mine)
        answer = Enrolled(row.subject, (*mine, *others)[: limits.HUBS], dict(row.scope))
        return [Send(self._route(asked, token), answer)]

    def _route(self, asked: Asked, token: str) -> Route:
        """Where the answer goes; the request is no more at work."""
        return self.underway.pop((asked.user, token), (asked.route, 0.0))[0]

    def _guarded(self, asked: Asked, enrol: Enrol, now: Instant, error: str, story: Callable[[], Effects]) -> Effects:
        """The story's effects; a refusal or a store that fails becomes an answer and an audit row."""
        try:
            if error:
                raise Refusal("store", "the hub cannot write to its store now", "try again")
            return story()
        except Refusal as refusal:
            row = AuditRow(
                now.wall, f"token {enrol.token}", "enrol", enrol.hostname, "refused", refusal.code, "", asked.peer
            )
            answer = Refused("", refusal.code, refusal.message, refusal.hint)
            return [Send(self._route(asked, enrol.token), answer), Store("append_audit", (row,))]

    def _live(self, token: str, now: Instant) -> int:
        listed = {agent.id for agent in self.fleet.of_token(token)}
        young = {
            row.subject
            for row in self.fleet.agent_keys.values()
            if row.token == token and now.wall - row.created_at < NEW_SECONDS
        }
        left = {agent.id for agent in self.fleet.registry.agents.values() if not agent.listed}
        return len(listed | (young - left))

    # -- forgetting --------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> Effects:
        """Forgets the keys of service tokens whose agents are away for `keep_lost`, and requests without an end."""
        lately = now.mono - UNDERWAY_SECONDS
        self.underway = {place: work for place, work in self.underway.items() if work[1] > lately}
        old = [row for row in self.fleet.agent_keys.values() if self._is_stale(row, now)]
        return self._forget(old, "away for so long", now)

    def destroyed(self, container: str, now: Instant) -> Effects:
        """The engine destroyed a container: its agent's key can never be used again."""
        agent = self.fleet.picture.agent_of.get(container) or self._last_agent(container)
        row = self.fleet.agent_keys.get(agent or "")
        mine = [row] if row is not None and row.token in self.service else []
        return self._forget(mine, "its container was destroyed", now)

    def _last_agent(self, container: str) -> str | None:
        joined = [agent for agent, held in self.fleet.picture.container_of.items() if held == container]
        claims = [a for a in self.fleet.registry.agents.values() if a.verified == container]
        return joined[0] if joined else claims[0].id if claims else None

    def _is_stale(self, row: KeyRow, now: Instant) -> bool:
        if row.token not in self.service:
            return False
        agent = self.fleet.registry.agents.get(row.subject)
        keep = self.fleet.settings.keep_lost
        if agent is None:
            return now.wall - row.created_at > keep
        return not agent.listed and now.wall - agent.since > keep

    def _forget(self, rows: list[KeyRow], why: str, now: Instant) -> Effects:
        if not rows:
            return []
        effects: Effects = []
        for row in rows:
            both = [row, self.fleet.elder(row)]
            self.fleet.remove_key(row.public)
            effects += [Store("drop_key", (one.public,)) for one in both if one is not None]
            agent = self.fleet.registry.agents.get(row.subject)
            if agent is not None:
                effects += note(agent, {"note": "key forgotten", "agent": agent.id, "reason": why}, now.wall)
        return [*effects, Admit(self.fleet.admissions())]
