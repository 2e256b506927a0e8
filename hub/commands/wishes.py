"""What a client may ask of a command: the tables of verbs and arguments, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.commands.selectors import Chosen
from hub.errors import Refusal
from wire import limits
from wire._record import Record
from wire.model import Verb

TTL_SECONDS = 30.0
"""Deadline where the client names none: a stop with its grace period fits."""
TARGETS = 256
"""Most targets of one order as typed."""
PROCESS_ARGS: Mapping[str, frozenset[str]] = {
    Verb.START: frozenset({"wait"}),
    Verb.STOP: frozenset({"wait"}),
    Verb.RESTART: frozenset({"wait"}),
    Verb.SIGNAL: frozenset({"signal"}),
    Verb.TAIL: frozenset({"stream", "bytes"}),
}
"""Verb for processes -> arguments it may carry besides its names."""
CONTAINER_ARGS: Mapping[str, frozenset[str]] = {
    Verb.START: frozenset(),
    Verb.STOP: frozenset({"grace"}),
    Verb.RESTART: frozenset({"grace"}),
    Verb.KILL: frozenset({"signal"}),
    Verb.PAUSE: frozenset(),
    Verb.UNPAUSE: frozenset(),
}
"""Verb for containers -> arguments."""


def targets_of(args: Mapping[str, Any]) -> tuple[str, ...]:
    targets = args.get("targets", args.get("target"))
    targets = (targets,) if isinstance(targets, str) else targets
    if not isinstance(targets, (tuple, list)) or len(targets) > TARGETS or not all(isinstance(t, str) for t in targets):
        raise Refusal("bad-target", f"targets must be 1 to {TARGETS} texts", "e.g. shop/web")
    return tuple(targets)


def extra_of(args: Mapping[str, Any]) -> dict[str, object]:
    extra = args.get("args", {})
    if not isinstance(extra, Mapping):
        raise Refusal("bad-argument", "args must be a map")
    return dict(extra)


def ttl_of(args: Mapping[str, Any]) -> float:
    ttl = args.get("ttl", TTL_SECONDS)
    if not isinstance(ttl, (int, float)) or isinstance(ttl, bool) or not 0.1 <= ttl <= limits.COMMAND_SECONDS:
        raise Refusal("bad-argument", f"ttl must be 0.1 to {limits.COMMAND_SECONDS:g} seconds")
    return float(ttl)


def check_args(verb: str, extra: Mapping[str, object], allowed: Mapping[str, frozenset[str]], what: str) -> None:
    if verb not in allowed:
        raise Refusal("unknown-verb", f"{verb} is nothing to do with {what}", f"known: {', '.join(sorted(allowed))}")
    unknown = sorted(set(extra) - allowed[verb])
    if unknown:
        known = ", ".join(sorted(allowed[verb])) or "none"
        raise Refusal("bad-argument", f"{verb} takes no argument {unknown[0][:40]!r}", f"known: {known}")


class Draft(Record):
    """What one agent or one engine is to do."""

    args: Mapping[str, object]
    target: str
    agent: str = ""
    engine: str = ""
    container: str = ""


def drafts_of(verb: str, extra: Mapping[str, object], one: Chosen) -> list[Draft]:
    """What one agent gets: a command for all its programs, or, where each has its own answer, one for each."""
    if verb == Verb.TAIL:
        return [Draft({**extra, "name": name}, f"{one.name}/{name}", agent=one.key) for name in one.programs]
    target = " ".join(f"{one.name}/{name}" for name in one.programs)[: limits.TEXT_CHARS]
    return [Draft({**extra, "names": one.programs}, target, agent=one.key)]
