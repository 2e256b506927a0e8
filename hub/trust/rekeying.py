"""An agent or a relay changes its own key: an admin asks, the present connection offers, the first use proves it.

Theory.  The agent makes the pair, keeps it, and offers the public half (Rekey) over the connection that its present
key opened; no token is needed.  The hub keeps the new row first and admits both keys; the gate tells of the first
handshake under the new one, which proves that the agent holds its secret, and only then the old row is revoked.  Each
step may be lost and comes again: an offer is repeated until it is answered, the wish until the new key was used; a hub
that starts between finds two live keys of one agent and takes the younger for the new one.  Among several hubs each is
told of the wish, since any of them may be the one that the agent talks to, and of the key that was offered.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from hub.clock import Instant
from hub.cluster.tidings import BOOK, REPLACED
from hub.discovery.notices import note
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.queries import matcher
from hub.store.rows import AuditRow, KeyRow
from hub.trust.roles import Subject
from hub.words import Admit, Asked, Effects, Send, Store
from wire.keys import KeyFault, check_key
from wire.messages import Answer, Query, Refused, Rekey, Rekeyed
from wire.model import FactKind

REKEY = "rekey"
"""Word of the errand: that agents are to change their keys."""

PAUSE_SECONDS = 60.0
"""An agent that was not asked may offer a key this often: what it can make the hub write is bounded."""


class Rekeying:
    """See the module's docstring."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.handlers = {"agent.rekey": self.ask}
        self.offered_at: dict[str, float] = {}

    def ask(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`target`: agents that are to change their key; those that are away do it when they are back."""
        target = query.args.get("target")
        if not isinstance(target, str) or not target:
            raise Refusal("bad-argument", "target must name agents: a name, a glob or LABEL=VALUE; '*' for all")
        rows = self._wish(target)
        if not rows:
            raise Refusal("unknown-target", f"there is no agent or relay {target[:80]!r}", "see hubctl agents")
        detail = f"{len(rows)} asked"
        row = AuditRow(now.wall, subject.name, "agent rekey", target[:200], "accepted", detail, "", asked.peer)
        told = self._tell(BOOK, {"note": REKEY, "target": target}, now)
        return [Send(asked.route, Answer(query.id, rows)), Store("append_audit", (row,)), *told]

    def _wish(self, target: str) -> list[dict[str, str]]:
        """Agents and relays that are meant; they are asked with the next answer."""
        meant = matcher(target, self.fleet)
        chosen = [agent for agent in self.fleet.registry.live() if meant(agent.id, "", "")]
        rows = [{"agent": agent.id, "name": self.fleet.name_of(agent)} for agent in chosen]
        rows += [{"agent": name, "name": name} for name in sorted(self.fleet.relay_keys) if fnmatchcase(name, target)]
        self.fleet.rekeying |= {row["agent"] for row in rows}
        return rows

    def wished(self, body: dict[str, object], now: Instant) -> Effects:
        """Another hub was asked."""
        self._wish(str(body.get("target", "")))
        return []

    def take(self, asked: Asked, said: Rekey, now: Instant) -> Effects:
        """An agent offers its next key."""
        present = self.fleet.agent_keys.get(asked.user) or self.fleet.relay_keys[asked.user]
        if said.public in self.fleet.keys:
            if self.fleet.keys[said.public].subject != asked.user:
                raise Refusal("bad-key", "this key belongs to somebody else", "make another one")
            return [Send(asked.route, Rekeyed(said.public))]
        self._check(asked.user, said.public, now)
        self.offered_at[asked.user] = now.mono
        elder = self.fleet.fresh.get(present.public)
        row = present._replace(public=said.public, created_at=max(now.wall, present.created_at + 1e-3))

        def kept(_: Any, error: str, now: Instant) -> Effects:
            if error:
                return [Send(asked.route, Refused("", "store", "the hub cannot write to its store now", "try again"))]
            unused: Effects = [] if elder is None else self._drop(present, now)
            self.fleet.add_key(row)
            told = self._tell(row.subject, {"note": "enrolled", "agent": row.subject, "public": row.public}, now)
            return [Admit(self.fleet.admissions()), *unused, *told, Send(asked.route, Rekeyed(said.public))]

        def looked(known: Any, error: str, now: Instant) -> Effects:
            if error or known is not None:
                code = "store" if error else "bad-key"
                return [Send(asked.route, Refused("", code, "this key cannot be taken", "make another one"))]
            return [Store("put_key", (row,), kept)]

        return [Store("key", (said.public,), looked)]

    def _tell(self, about: str, body: dict[str, object], now: Instant) -> Effects:
        """The other hubs of this store read it; a new key as they do where one was enrolled."""
        told = Store("record_fact", (about, now.wall, FactKind.NOTE, body))
        return [told] if self.fleet.settings.shared else []

    def _check(self, agent: str, public: str, now: Instant) -> None:
        try:
            check_key(public)
        except KeyFault as fault:
            raise Refusal("bad-key", str(fault)) from None
        lately = now.mono - self.offered_at.get(agent, -PAUSE_SECONDS) < PAUSE_SECONDS
        if lately and agent not in self.fleet.rekeying:
            raise Refusal("too-soon", f"one new key in {PAUSE_SECONDS:.0f} s", "come again later")

    def _drop(self, row: KeyRow, now: Instant) -> Effects:
        """A key of an agent that has another one: the agent and its route stay."""
        self.fleet.drop_key(row.public)
        return [Store("revoke_key", (row.public, now.wall))]

    def used(self, public: str, error: str, now: Instant) -> Effects:
        """The gate let a new key in for the first time: the old one has served."""
        row, old = self.fleet.keys.get(public), self.fleet.fresh.get(public)
        if row is None or old is None:
            return []
        elder = self.fleet.keys.get(old)
        effects: Effects = [] if elder is None else self._drop(elder, now)
        self.fleet.fresh.pop(public, None)
        self.fleet.rekeying.discard(row.subject)
        agent = self.fleet.registry.agents.get(row.subject)
        if agent is not None:
            effects += note(agent, {"note": "key changed", "agent": agent.id}, now.wall)
        audit = AuditRow(
            now.wall, f"{row.kind} {row.subject}", "agent rekey", row.subject, "done", f"{public} for {old}"
        )
        told = self._tell(row.subject, {"note": REPLACED, "agent": row.subject, "public": old}, now)
        return [Admit(self.fleet.admissions()), *effects, Store("append_audit", (audit,)), *told]
