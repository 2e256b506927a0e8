"""Who may do what: three roles over a closed list of operations, and scopes by label.

Theory.  Default deny: an operation that stands in no table is refused for everyone.  Each role holds the rights of
the one before it.  A key may be scoped to labels; then every list, detail, tail and command passes the same check, on
the agent's path and on the engine's alike, and what is out of scope does not exist for that key.  Only labels that
the operator or the engine set count (a token's, or compose's service); what a container says of itself does not.
A scoped key never does what only an admin may: it could make itself one without a scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hub.errors import Refusal
from wire._record import Record


class Role(StrEnum):
    """What a client key may do at most."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_ORDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)

NEEDS: dict[str, Role] = {
    **dict.fromkeys(
        (
            *("about", "agents", "hosts", "containers", "ps", "exits", "events"),
            *("history", "container_history", "commands", "command_state", "metrics"),
            *("hubs", "exit_groups", "follow", "behalf", "why", "storms", "rolls", "alerts", "silence.list"),
        ),
        Role.VIEWER,
    ),
    "command": Role.VIEWER,
    **dict.fromkeys(("roll", "roll.cancel", "roll.resume", "silence.create", "silence.end"), Role.OPERATOR),
    **dict.fromkeys(("alerts.test", "alerts.reload", "drain"), Role.ADMIN),
    "audit": Role.ADMIN,
    **dict.fromkeys(("token.create", "token.list", "token.revoke", "join"), Role.ADMIN),
    **dict.fromkeys(("key.create", "key.list", "key.revoke", "key.rotate", "agent.rekey"), Role.ADMIN),
}
"""Operation of the query port -> least role.  `command` is decided by its verb, below."""

HUB_OPS = frozenset(("hub.carry", "hub.hasten", "hub.tell"))
"""What another hub of the cluster may ask, and nothing else; no client may, whatever its role."""
TOLD = frozenset(("agents", "ps", "containers", "hosts", "boxes", "rolls", "roll.cancel", "roll.resume"))
"""Operations that `hub.tell` answers on behalf of a client, whose role and scope come with it."""

VERB_NEEDS: dict[str, Role] = {
    "tail": Role.VIEWER,
    **dict.fromkeys(("start", "stop", "restart", "signal", "kill", "pause", "unpause"), Role.OPERATOR),
}
"""Verb of a command -> least role."""


class Subject(Record):
    """Who asks: the owner of an admitted client key."""

    name: str
    role: Role
    scope: Mapping[str, str]
    """Labels a thing must carry to exist for this key; empty = everything."""

    def may_see(self, labels: Mapping[str, str]) -> bool:
        """Whether a thing with these labels is inside the scope."""
        return all(labels.get(key) == value for key, value in self.scope.items())


def holds(role: Role, needed: Role) -> bool:
    """Whether a role includes another one."""
    return _ORDER.index(role) >= _ORDER.index(needed)


def require(subject: Subject, op: str) -> None:
    """Raises `Refusal` unless the subject may ask for this operation."""
    _require(subject, op, NEEDS.get(op), "unknown-operation", "operation")
    if subject.scope and NEEDS[op] is Role.ADMIN:
        hint = "ask for a key without a scope: tokens, keys and the audit are of the whole fleet"
        raise Refusal("forbidden", f"operation {op} needs a key without a scope; {subject.name!r} has one", hint)


def require_verb(subject: Subject, verb: str) -> None:
    """Raises `Refusal` unless the subject may give this command."""
    _require(subject, verb, VERB_NEEDS.get(verb), "unknown-verb", "command")


def _require(subject: Subject, word: str, needed: Role | None, code: str, what: str) -> None:
    if needed is None:
        raise Refusal(code, f"there is no {what} {word[:40]!r}")
    if not holds(subject.role, needed):
        hint = f"ask for a key with role {needed} (hubctl keys create NAME --role {needed})"
        raise Refusal("forbidden", f"{what} {word} needs role {needed}; key {subject.name!r} is {subject.role}", hint)
