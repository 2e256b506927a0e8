"""What is said, and what is kept, of a request that is refused."""

from __future__ import annotations

from hub.clock import Instant
from hub.errors import Refusal
from hub.store.rows import AuditRow
from hub.trust.roles import Subject
from hub.words import Asked
from wire import limits
from wire.messages import Query, Refused


def refused(asked: Asked, refusal: Refusal) -> Refused:
    """The answer."""
    number = asked.message.id if isinstance(asked.message, Query) else ""
    return Refused(number, refusal.code, refusal.message[: limits.TEXT_CHARS], refusal.hint[: limits.TEXT_CHARS])


def audited(asked: Asked, query: Query, subject: Subject, refusal: Refusal, now: Instant) -> AuditRow:
    """The row of the audit."""
    action, why = query.op.replace(".", " "), f"{refusal.code}: {refusal.message}"[: limits.TEXT_CHARS]
    return AuditRow(now.wall, subject.name, action, _meant(query), "refused", why, "", asked.peer)


def _meant(query: Query) -> str:
    """Whom a question of an admin was about, as far as it says so."""
    return str(query.args.get("name") or query.args.get("id") or "")[: limits.NAME_CHARS]
