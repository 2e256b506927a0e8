"""Agents as rows of the store, and back: what must survive a restart of the hub."""

from __future__ import annotations

from typing import Any

from hub.discovery.liveness import Watch
from hub.discovery.registry import Agent, Process
from hub.fleet import Fleet
from hub.store.rows import AgentRow
from wire.messages import Register, Remote
from wire.model import full_name
from wire.records import STATUS

KEPT = 500
"""Most programs of an agent that its row tells other hubs of."""


def row_of(agent: Agent, fleet: Fleet) -> AgentRow:
    """The row that keeps this agent."""
    said = agent.said
    key = fleet.agent_keys.get(agent.id)
    return AgentRow(
        agent=agent.id,
        name=fleet.name_of(agent),
        boot=said.boot,
        presence=agent.presence,
        reason=agent.reason,
        first_seen=agent.first_seen,
        last_seen=agent.heard_at,
        since=agent.since,
        started_at=said.started_at,
        container=said.container or None,
        container_source=said.container_source,
        hostname=said.hostname,
        addresses=said.addresses,
        version=said.version,
        remote=said.remote.value,
        command_endpoint=said.command_endpoint,
        labels=dict(agent.labels),
        claimed_labels=dict(said.labels),
        key=key.public if key else "",
        token=agent.token,
        epoch=said.epoch,
        skew=-agent.offset if agent.offsets else None,
        more={
            "name": said.name,
            "peer": agent.peer,
            "pid1": said.pid1,
            "verified": agent.verified,
            "container_name": agent.container_name,
            **_shared(agent, fleet),
        },
    )


def _shared(agent: Agent, fleet: Fleet) -> dict[str, object]:
    """What other hubs need to show and command its programs, where there may be any."""
    if not fleet.settings.shared:
        return {}
    programs = [(process.seq, process.born, STATUS.write(process.status)) for process in agent.programs.values()]
    return {"programs": programs[:KEPT], "told": agent.told, "offset": agent.offset}


def _programs(row: AgentRow) -> dict[str, Process]:
    found: dict[str, Process] = {}
    kept: Any = row.more.get("programs", ())
    for seq, born, fields in kept:
        status = STATUS.read(fields)
        found[full_name(status.group, status.name)] = Process(status, int(seq), born)
    return found


def agent_of(row: AgentRow, period: float) -> Agent:
    """The agent a row keeps; it must register again before anything it reports is believed."""
    said = Register(
        boot=row.boot,
        container=row.container or "",
        container_source=row.container_source,
        hostname=row.hostname,
        addresses=tuple(row.addresses),
        started_at=row.started_at or 0.0,
        wall=row.last_seen,
        mono=0.0,
        version=row.version,
        remote=Remote(row.remote or Remote.OBSERVE),
        labels=dict(row.claimed_labels),
        epoch=row.epoch,
        last_seq=0,
        first_seq=0,
        command_endpoint=row.command_endpoint,
        name=str(row.more.get("name", "")),
        pid1=bool(row.more.get("pid1", True)),
    )
    watch = Watch(row.presence, 0.0, period)
    agent = Agent(
        id=row.agent,
        said=said,
        peer=str(row.more.get("peer", "")),
        watch=watch,
        labels=dict(row.labels),
        token=row.token,
        since=row.since,
        heard_at=row.last_seen,
        first_seen=row.first_seen,
        reason=row.reason,
        verified=str(row.more.get("verified", "")),
        container_name=str(row.more.get("container_name", "")),
    )
    agent.programs, agent.told = _programs(row), int(str(row.more.get("told", 0)))
    if "offset" in row.more:
        agent.offsets.append(float(str(row.more["offset"])))
    return agent
