"""One picture of agents and containers: whose container an agent's claim really names, and where both disagree.

Theory.  An agent *claims* a container id, and a claim is only words: a container can write any id into its
environment.  It is believed only if an engine lists that container as running, its start agrees with PID 1's own start
within START_SECONDS (both are stamped by the same kernel, so this needs no clock offset), and no live agent holds the
container already.  Whoever holds one keeps it for as long as its claim stays true, so a later impostor gets nothing.
An unverified agent is shown as such and is never the target of a container command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wire._record import Record

START_SECONDS = 2.0
"""Largest difference between the container's start and PID 1's: the runtime's own set-up takes less than one."""


class Claim(Record):
    """One agent's claim."""

    agent: str
    container: str
    """Full id, or "" where it found none."""
    started_at: float
    live: bool
    """Whether the agent is in the live list."""


class Listed(Record):
    """One container as an engine lists it."""

    container: str
    engine: str
    running: bool
    started_at: float | None


class Picture(Record):
    """Agents and containers joined."""

    container_of: Mapping[str, str]
    """Agent -> verified container."""
    agent_of: Mapping[str, str]
    """Container -> the live agent that holds it."""
    doubts: Mapping[str, str]
    """Agent -> why its claim is not believed."""
    silent: Mapping[str, str]
    """Running container -> its agent that is silent."""


class Board:
    """The picture as it stands, changed part by part: a change touches only what it is about."""

    def __init__(self) -> None:
        self.container_of: dict[str, str] = {}
        self.agent_of: dict[str, str] = {}
        self.doubts: dict[str, str] = {}
        self.silent: dict[str, str] = {}

    def absorb(self, agents: Iterable[str], containers: Iterable[str], part: Picture) -> None:
        """Replaces all that is known of these agents and containers by `part`."""
        for agent in agents:
            self.container_of.pop(agent, None)
            self.doubts.pop(agent, None)
        for container in containers:
            self.agent_of.pop(container, None)
            self.silent.pop(container, None)
        self.container_of.update(part.container_of)
        self.agent_of.update(part.agent_of)
        self.doubts.update(part.doubts)
        self.silent.update(part.silent)


EMPTY = Picture({}, {}, {}, {})


def join(claims: Iterable[Claim], listed: Mapping[str, Listed], before: Picture | Board = EMPTY) -> Picture:
    """The picture now; `before` decides who holds a container that several claim."""
    container_of: dict[str, str] = {}
    agent_of: dict[str, str] = {}
    doubts: dict[str, str] = {}
    silent: dict[str, str] = {}
    for claim in sorted(claims, key=lambda c: (not c.live, before.agent_of.get(c.container) != c.agent, c.agent)):
        doubt = _doubt(claim, listed.get(claim.container), agent_of.get(claim.container))
        if doubt:
            doubts[claim.agent] = doubt
            continue
        container_of[claim.agent] = claim.container
        if claim.live:
            agent_of[claim.container] = claim.agent
        elif claim.container not in agent_of:
            silent[claim.container] = claim.agent
    return Picture(container_of, agent_of, doubts, silent)


def _doubt(claim: Claim, container: Listed | None, holder: str | None) -> str:
    if not claim.container:
        return "it found no container id"
    if container is None:
        return "no engine lists its container"
    if not container.running:
        return "its container is not running"
    if container.started_at is None or abs(container.started_at - claim.started_at) > START_SECONDS:
        return "its start differs from the container's"
    if claim.live and holder is not None:
        return f"agent {holder} holds the container"
    return ""
