"""Tokens and client keys over the query port: made, listed, revoked; every change and every refusal is audited.

No secret is ever kept or made twice: a token's secret leaves once, inside its join string; a client makes its own key
pair and sends the public half only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.discovery.enrolment import Enrolment
from hub.discovery.notices import note, tell
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import AuditRow, KeyRow, TokenRow
from hub.trust import tokens
from hub.trust.roles import Role, Subject
from hub.words import Admit, Asked, Effects, Renew, Send, Store
from wire import limits
from wire.keys import JoinString, KeyFault, check_key
from wire.messages import Answer, Query, Refused
from wire.shapes import IDENT

JOINED = 8
"""Most enrolment ports that a join string names; the hub that was asked comes first."""
CAP_MOST = 100_000
SECONDS_MOST = 10 * 366 * 86400.0


class Admin:
    """Serves what only an admin may do."""

    def __init__(self, fleet: Fleet, enrolment: Enrolment) -> None:
        self.fleet = fleet
        self.enrolment = enrolment
        self.own_keys: Callable[[Instant], list[dict[str, Any]]] = lambda now: []
        """The hub's own keys as rows."""
        self.handlers: dict[str, Callable[[Asked, Query, Subject, Instant], Effects]] = {
            "token.create": self.create_token,
            "join": self.create_token,
            "token.list": self.list_tokens,
            "token.revoke": self.revoke_token,
            "key.create": self.create_key,
            "key.list": self.list_keys,
            "key.revoke": self.revoke_key,
        }

    # -- tokens ------------------------------------------------------------------------------------------------------

    def create_token(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`kind`, `labels`, `cap`, `seconds`, `uses` -> the token and its join string, which is shown only now."""
        args = query.args
        kind = _kind(args.get("kind", tokens.TokenKind.INVITE.value))
        cap = _whole(args, "cap", 1 if kind is tokens.TokenKind.RELAY else tokens.LIVE_AGENTS, CAP_MOST)
        seconds = args.get("seconds")
        life = None if seconds is None else float(_whole(args, "seconds", 1, int(SECONDS_MOST)))
        uses = None if args.get("uses") is None else _whole(args, "uses", 1, CAP_MOST)
        labels = _labels(args.get("labels", {}), "labels")
        token, secret = tokens.create(kind, labels, cap, subject.name, now.wall, life, uses)
        settings = self.fleet.settings
        others = (hub.enrol for hub in self.fleet.hubs_of(""))
        hubs = tuple(dict.fromkeys((*settings.enrol_addresses, *others)))[:JOINED]
        join = JoinString(hubs, settings.fleet_key, token.id, secret).format()

        def done(now: Instant) -> tuple[Any, Effects]:
            self.enrolment.restore([token])
            return {**_token(token, now), "join": join}, []

        call = Store("put_token", (token,), self._then(asked, query, subject, "token create", token.id, done))
        return [call]

    def list_tokens(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """All tokens, without anything secret."""

        def arrived(found: Any, error: str, now: Instant) -> Effects:
            if error:
                return [Send(asked.route, Refused(query.id, "store", error[: limits.TEXT_CHARS]))]
            rows = [{**_token(row, now), "live": len(list(self.fleet.of_token(row.id)))} for row in found]
            return [Send(asked.route, Answer(query.id, rows))]

        return [Store("tokens", (), arrived)]

    def revoke_token(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`id`: nobody enrols with it any more; agents that did stay."""
        token = _ident(query.args, "id")
        then = self._then(
            asked, query, subject, "token revoke", token, lambda now: ({"id": token}, []), "no live token"
        )
        return [Store("revoke_token", (token, now.wall), then)]

    # -- keys --------------------------------------------------------------------------------------------------------

    def create_key(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`name`, `role`, `public`, `scope`: admits a client; the answer holds what its key file needs besides."""
        args = query.args
        name, role = _ident(args, "name"), _role(args.get("role", Role.VIEWER.value))
        public = _public(args.get("public"))
        if name in self.fleet.client_keys or public in self.fleet.keys:
            raise Refusal(
                "exists", f"there is a live key {name!r}, or this public key is in use", "choose another name"
            )
        row = KeyRow(public, "client", name, now.wall, role=role.value, scope=_labels(args.get("scope", {}), "scope"))
        settings = self.fleet.settings

        def done(now: Instant) -> tuple[Any, Effects]:
            self.fleet.add_key(row)
            ends = {"command": settings.client, "feed": settings.feed, "server_key": settings.addresses[0].key}
            return {"name": name, "role": role.value, "scope": dict(row.scope), **ends}, [
                Admit(self.fleet.admissions())
            ]

        return [Store("put_key", (row,), self._then(asked, query, subject, "key create", name, done))]

    def list_keys(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Live keys of clients; with `all`, those of agents too."""
        everyone = query.args.get("all") is True
        chosen = [row for row in self.fleet.keys.values() if everyone or row.kind != "agent"]
        rows = [{**plain(row), "age": max(now.wall - row.created_at, 0.0)} for row in chosen]
        rows = sorted(rows, key=lambda row: (row["kind"], row["subject"]))
        return [Send(asked.route, Answer(query.id, rows + self.own_keys(now)))]

    def revoke_key(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """`name` of a client, or id of an agent: refused from its next message on."""
        name = _ident(query.args, "name")
        fleet = self.fleet
        row = fleet.client_keys.get(name) or fleet.agent_keys.get(name) or fleet.relay_keys.get(name)
        if row is None:
            raise Refusal("unknown-key", f"there is no live key of {name!r}", "see hubctl keys list")
        if row.subject == subject.name and row.kind == "client":
            raise Refusal("own-key", "a key cannot revoke itself", "use another admin's key")

        def done(now: Instant) -> tuple[Any, Effects]:
            elder = self.fleet.elder(row)
            self.fleet.remove_key(row.public)
            if row.kind == "client":
                self.fleet.watched.clear()  # the readers that come back subscribe anew
            again: Effects = [Renew()] if row.kind == "client" else self._cut_off(name, now)
            both: Effects = [Store("revoke_key", (elder.public, now.wall))] if elder else []
            return {"name": name, "kind": row.kind}, [Admit(self.fleet.admissions()), *both, *again]

        then = self._then(asked, query, subject, "key revoke", name, done, "no live key")
        return [Store("revoke_key", (row.public, now.wall), then)]

    def _cut_off(self, agent_id: str, now: Instant) -> Effects:
        """A revoked agent is gone at once, whatever its open connections still send."""
        agent = self.fleet.registry.agents.get(agent_id)
        if agent is None:
            return []
        why = "its key was revoked"
        left = tell(self.fleet.registry.leave(agent_id, why, now), self.fleet)
        return [*left, *note(agent, {"note": "key revoked", "agent": agent_id, "reason": why}, now.wall)]

    # -- shared ------------------------------------------------------------------------------------------------------

    def _then(
        self,
        asked: Asked,
        query: Query,
        subject: Subject,
        action: str,
        target: str,
        done: Callable[[Instant], tuple[Any, Effects]],
        missing: str = "",
    ) -> Callable[[Any, str, Instant], Effects]:
        """Answers and audits once the store has written; `missing` says what a False of the store means."""

        def arrived(found: Any, error: str, now: Instant) -> Effects:
            if not error and missing and found is False:
                error = f"{missing} {target!r}"
            if error:
                row = AuditRow(now.wall, subject.name, action, target, "failed", error[:200], "", asked.peer)
                answer = Refused(query.id, "failed", error[: limits.TEXT_CHARS])
                return [Send(asked.route, answer), Store("append_audit", (row,))]
            result, effects = done(now)
            row = AuditRow(now.wall, subject.name, action, target, "done", "", "", asked.peer)
            return [*effects, Send(asked.route, Answer(query.id, result)), Store("append_audit", (row,))]

        return arrived


def _token(row: TokenRow, now: Instant) -> dict[str, Any]:
    shown = plain(row._replace(digest=""))
    shown.pop("digest")
    return {**shown, "age": max(now.wall - row.created_at, 0.0)}


def _kind(value: object) -> tokens.TokenKind:
    try:
        return tokens.TokenKind(str(value))
    except ValueError:
        raise Refusal("bad-argument", "kind must be invite, service or relay") from None


def _role(value: object) -> Role:
    try:
        return Role(str(value))
    except ValueError:
        raise Refusal("bad-argument", "role must be viewer, operator or admin") from None


def _public(value: object) -> str:
    try:
        return check_key(value)
    except KeyFault as fault:
        raise Refusal("bad-argument", f"public: {fault}") from None


def _ident(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or IDENT.fullmatch(value) is None:
        raise Refusal("bad-argument", f"{name} must be 1 to 64 letters, digits, '_', '.' or '-'")
    return value


def _labels(value: object, what: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > limits.LABELS:
        raise Refusal("bad-argument", f"{what} must be at most {limits.LABELS} pairs")
    if not all(
        isinstance(item, str) and len(item) <= limits.LABEL_CHARS and item.isprintable() for item in value.values()
    ):
        raise Refusal("bad-argument", f"{what} must have printable values of at most {limits.LABEL_CHARS} characters")
    if not all(IDENT.fullmatch(key) for key in value):
        raise Refusal("bad-argument", f"{what} must have names of letters, digits, '_', '.' or '-'")
    return dict(value)


def _whole(args: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise Refusal("bad-argument", f"{name} must be a whole number from 1 to {most}")
    return value
