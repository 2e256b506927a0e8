"""What follows from a change of presence: a notice on the feed, a kept fact, a kept row, and a new picture."""

from __future__ import annotations

from collections.abc import Iterable

from hub.discovery.registry import Agent, Change
from hub.discovery.rows import row_of
from hub.fleet import Fleet
from hub.words import Effects, Publish, Say, Store
from wire.model import FactKind


def tell(changes: Iterable[Change], fleet: Fleet) -> Effects:
    """The effects of these changes; the picture is brought up to date first, so names are right."""
    changes = list(changes)
    if not changes:
        return []
    fleet.rejoin(agents={change.agent for change in changes})
    return [effect for change in changes for effect in _one(change, fleet)]


def _one(change: Change, fleet: Fleet) -> Effects:
    agent = fleet.registry.agents[change.agent]
    body: dict[str, object] = {
        "note": "presence",
        "agent": agent.id,
        "name": fleet.name_of(agent),
        "presence": change.presence.value,
        "previous": change.previous.value if change.previous else None,
        "reason": change.reason,
        "container": agent.said.container or None,
        "at": change.at,
    }
    return [*note(agent, body, change.at), keep(agent, fleet), Say(_line(body))]


def note(agent: Agent, body: dict[str, object], at: float) -> Effects:
    """Something the hub found out about an agent: told on the feed and kept as a fact."""
    return [Publish(f"notice/{agent.id}", body), Store("record_fact", (agent.id, at, FactKind.NOTE, body))]


def keep(agent: Agent, fleet: Fleet) -> Store:
    """Keeps the agent's row."""
    return Store("put_agent", (row_of(agent, fleet),))


def _line(body: dict[str, object]) -> str:
    return f"agent {body['name']} ({str(body['agent'])[:8]}): {body['presence']}, {body['reason']}"
