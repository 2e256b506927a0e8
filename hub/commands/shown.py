"""Commands as clients see them, as the store keeps them, and as the audit tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.router import Command
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import AuditRow, CommandRow
from hub.trust.roles import Subject
from hub.words import Asked, Effect, Send
from wire import limits
from wire import messages as M


def shown(command: Command, fleet: Fleet) -> dict[str, object]:
    """A command as clients see it."""
    names = (
        "id",
        "order",
        "actor",
        "verb",
        "args",
        "agent",
        "engine",
        "container",
        "target",
        "state",
        "result",
        "error",
        "follow",
    )
    row = {name: plain(getattr(command, name)) for name in names}
    name = fleet.name(command.agent) if command.agent else command.target
    return {
        **row,
        "name": name,
        "accepted_at": command.created_at,
        "updated_at": command.changed_at,
        "ttl": command.ttl,
    }


def row_of(command: Command, epoch: int) -> CommandRow:
    """A command as the store keeps it."""
    return CommandRow(
        id=command.id,
        actor=command.actor,
        verb=command.verb,
        target=command.target,
        agent=command.agent or None,
        container=command.container or None,
        engine=command.engine or None,
        args=dict(command.args),
        state=command.state,
        accepted_at=command.created_at,
        deadline=command.created_at + command.ttl,
        updated_at=command.changed_at,
        epoch=epoch,
    )


def revived(row: CommandRow, fleet: Fleet, now: Instant) -> Command:
    """A command as the store kept it, to fly on."""
    agent = fleet.registry.agents.get(row.agent or "")
    return Command(
        id=row.id,
        order=row.id.partition(".")[0],
        actor=row.actor,
        verb=row.verb,
        args=row.args,
        agent=row.agent or "",
        engine=row.engine or "",
        container=row.container or "",
        target=row.target,
        created_at=row.accepted_at,
        deadline=now.mono + row.deadline - now.wall,
        ttl=row.deadline - row.accepted_at,
        state=row.state,
        boot=agent.said.boot if agent else "",
    )


def answered(asked: Asked, query: M.Query, order_id: str, rows: Sequence[Mapping[str, Any]]) -> Effect:
    """The answer about one order: the row of its only command, or a summary; all rows stand in `commands`."""
    head = dict(rows[0]) if len(rows) == 1 else {"id": order_id, "state": summary([row["state"] for row in rows])}
    return Send(asked.route, M.Answer(query.id, {**head, "order": order_id, "commands": tuple(rows)}))


def summary(states: Sequence[str]) -> str:
    """One state for many: what is still under way counts first, then what went wrong."""
    rank = ("accepted", "delivered", "failed", "expired", "done")
    return min(states, key=rank.index, default="done")


def audit_row(command: Command, now: Instant) -> AuditRow:
    """What the audit keeps of a command as it stands."""
    outcome = command.state.value
    return AuditRow(
        now.wall, command.actor, command.verb, command.target, outcome, command.error, command.id, command.peer
    )


def audit_of_refusal(args: Mapping[str, Any], subject: Subject, peer: str, refusal: Refusal, now: Instant) -> AuditRow:
    meant = args.get("targets", args.get("target", ""))
    texts = meant if isinstance(meant, (tuple, list)) else (meant,)
    target, verb = " ".join(map(str, texts))[: limits.TEXT_CHARS], str(args.get("verb", ""))[:40]
    return AuditRow(now.wall, subject.name, verb, target, "refused", f"{refusal.code}: {refusal.message}", "", peer)
