"""Questions that a client asks for somebody else: a console for the people who are logged in there.

Theory.  A console has one key and many users, and the hub is where rights are judged and the audit is kept.  So the
console names with each question who asks, from where, and what that user may do; the hub answers as if a key with the
*lesser* of both roles and the labels of *both* scopes had asked.  A client can only take rights from itself this way.
It is an operation of its own, not a part of the question: a hub that does not know it refuses, where one that did not
know a part would pass over it and answer with all of the console's rights.
The audit names both, `ann via console`: what a console says of its users is its word, and its key is what was proved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.errors import Refusal
from hub.trust.roles import Role, Subject, holds
from hub.words import Asked, Effects
from wire import limits
from wire.messages import Query

BEHALF = "behalf"

Serve = Callable[[Asked, Query, Subject, Instant], Effects]


def on_behalf(serve: Serve) -> Serve:
    """The handler of the operation; `serve` judges and answers the question in it."""

    def take(asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        inner, user = _question(query), narrowed(subject, query.args)
        return serve(asked._replace(message=inner, peer=_text(query.args, "address")), inner, user, now)

    return take


def narrowed(subject: Subject, args: Mapping[str, Any]) -> Subject:
    """Who asks: what both the key and its user may do.  Raises Refusal."""
    try:
        role = Role(str(args.get("role")))
    except ValueError:
        raise Refusal("bad-argument", "role must be viewer, operator or admin") from None
    scope = args.get("scope", {})
    if not isinstance(scope, Mapping) or not all(isinstance(text, str) for pair in scope.items() for text in pair):
        raise Refusal("bad-argument", "scope must be a map of labels")
    if any(subject.scope.get(key, value) != value for key, value in scope.items()):
        raise Refusal(
            "forbidden", f"nothing is in the scope of both {subject.name} and its user", "look at both scopes"
        )
    name = f"{_text(args, 'user')} via {subject.name}"
    if len(name) > limits.NAME_CHARS:  # cut off, it would not name the key
        raise Refusal("bad-argument", f"names of user and key may have {limits.NAME_CHARS - 5} characters together")
    return Subject(name, role if holds(subject.role, role) else subject.role, {**subject.scope, **scope})


def _question(query: Query) -> Query:
    op, args = query.args.get("op"), query.args.get("args", {})
    if not isinstance(op, str) or op == BEHALF or not isinstance(args, Mapping):
        raise Refusal("bad-argument", "op must name another operation, args be a map")
    return Query(query.id, op, dict(args))


def _text(args: Mapping[str, Any], name: str) -> str:
    found = args.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= limits.NAME_CHARS or not found.isprintable():
        raise Refusal("bad-argument", f"{name} must be 1 to {limits.NAME_CHARS} printable characters")
    return found
