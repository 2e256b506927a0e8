"""Who is there: the agents, what they said of themselves, and each change of their presence.

Theory.  An agent is one container instance, known by the id its key was enrolled with (never by a routing id or a
name).  The registry holds the last registration of each and a watch (hub.discovery.liveness); it answers every event
with the list of changes, which the core turns into notices, stored rows and answers.  Nothing else changes presence.
Agents that left stay in history for `keep` seconds; a new instance of the same name is a new agent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.clock import Instant
from hub.discovery.liveness import LATE_AFTER, LISTED, RETURNING, Sign, Watch, expect, overdue, step, wait_in_line
from wire._record import Record
from wire.messages import Register, Roster, Sample
from wire.model import Fact, Mount, Presence, RosterRow, State, StateChange, Status, full_name

ARCHIVE_SECONDS = 24 * 3600.0
"""How long a lost agent is shown, where nothing else is set, before it is only found in the store."""
OFFSETS = 16
"""Heartbeats from which the clock offset is estimated: half a minute at the default period."""
ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
"""States in which a process exists."""
SKEW_SECONDS = 2.0
"""Clock difference that is worth a notice."""


class Change(Record):
    """One change of an agent's presence."""

    agent: str
    previous: Presence | None
    """None: never seen before."""
    presence: Presence
    reason: str
    at: float


class Process(Record):
    """One configured process as last known."""

    status: Status
    seq: int
    """Newest fact this includes."""
    born: float | None
    """When it was spawned, by the agent's wall clock; None while there is none."""


@dataclass(slots=True)
class Agent:
    """One agent; only the registry changes it."""

    id: str
    said: Register
    peer: str
    """Address the hub sees it at."""
    watch: Watch
    labels: Mapping[str, str]
    """From its token: they count for scopes."""
    token: str
    since: float
    """Wall time of the last change of presence."""
    heard_at: float
    """Wall time of the last sign of life."""
    first_seen: float
    reason: str = ""
    verified: str = ""
    """Container that its claim was last found true for; stays when the container is gone."""
    container_name: str = ""
    """Name of that container."""
    durable: int = 0
    counted: int = 0
    """Which doubt about the store's memory `durable` was read after (hub.discovery.desk)."""
    last_seq: int = 0
    dropped: int = 0
    skewed: bool = False
    roster_lost: bool = False
    """The store lacks the roster that its samples name."""
    roster_number: int = 0
    roster: tuple[RosterRow, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """Column -> why it is unknown there."""
    mounts: tuple[Mount, ...] = ()
    programs: dict[str, Process] = field(default_factory=dict)
    """Every configured process by full name: from the roster, then changed by facts."""
    told: int = 0
    """Newest fact that was published."""
    sample: Sample | None = None
    """Its last sample, and when that was in hub time."""
    sampled_at: float = 0.0
    offsets: deque[float] = field(default_factory=lambda: deque(maxlen=OFFSETS))

    @property
    def presence(self) -> Presence:
        """Where it stands now."""
        return self.watch.presence

    @property
    def listed(self) -> bool:
        """Whether it is in the live list."""
        return self.watch.presence in LISTED

    def show(self, roster: Roster) -> None:
        """Takes a new picture of the container."""
        self.roster_number, self.roster, self.mounts = roster.number, roster.rows, roster.mounts
        self.notes, self.roster_lost = roster.notes, False
        newer = {name: process for name, process in self.programs.items() if process.seq > roster.last_seq}
        fresh = {full_name(status.group, status.name): _process(status, roster) for status in roster.programs}
        self.programs = {name: newer.get(name, process) for name, process in fresh.items()}

    def apply(self, fact: Fact) -> None:
        """Takes a state change into the picture; what the picture includes already changes nothing."""
        if not isinstance(fact.body, StateChange):
            return
        change, name = fact.body, full_name(fact.body.group, fact.body.name)
        process = self.programs.get(name)
        if process is None or fact.seq <= process.seq:
            return
        pid = change.pid if change.state in ALIVE else None
        same = pid is not None and pid == process.status.pid
        ticks = process.status.start_ticks if same else None
        born = None if pid is None else process.born if same else fact.at
        status = process.status._replace(state=change.state, pid=pid, start_ticks=ticks, since=fact.at, why=change.why)
        self.programs[name] = Process(status, fact.seq, born)

    @property
    def offset(self) -> float:
        """Seconds to add to its wall clock for the hub's: of the quickest messages, because delay only adds."""
        return min(self.offsets, default=0.0)


class Registry:
    """All agents by id."""

    def __init__(self, period: float, keep: float = ARCHIVE_SECONDS) -> None:
        self.period, self.keep = period, keep
        self._shortest = period
        """Nobody beats more often, so nobody is late sooner."""
        self.agents: dict[str, Agent] = {}
        self._claims: dict[str, set[str]] = {}
        self.met: set[str] = set()
        """Agents that registered since the hub's start: only these are known well enough to be heard."""
        self.touched: set[str] = set()
        """Agents that may be called otherwise than before, until hub.discovery.names takes note."""
        self._returned = 0.0
        """Attention when an agent that was expected last came back."""

    def restore(self, agents: Iterable[Agent], now: Instant) -> None:
        """Takes over what the store knew; whoever was in the live list is expected back, the rest is history."""
        for agent in agents:
            if agent.listed:
                agent.watch = expect(self.period, now.attention)
            self._enter(agent)

    def register(
        self, agent_id: str, said: Register, peer: str, labels: Mapping[str, str], token: str, now: Instant
    ) -> list[Change]:
        """A registration: always brings the agent into the live list."""
        known = self.agents.get(agent_id)
        watch = Watch(Presence.GONE, now.attention, self.period) if known is None else known.watch
        agent = Agent(
            agent_id, said, peer, watch, labels, token, since=now.wall, heard_at=now.wall, first_seen=now.wall
        )
        agent.last_seq = said.last_seq
        again = known is not None and known.said.boot == said.boot
        if known is not None and again:
            agent.durable, agent.offsets = known.durable, known.offsets
            agent.roster_number, agent.roster = known.roster_number, known.roster
            agent.programs, agent.told = known.programs, known.told
            agent.sample, agent.sampled_at, agent.mounts = known.sample, known.sampled_at, known.mounts
        if known is not None:
            agent.since, agent.reason, agent.first_seen = known.since, known.reason, known.first_seen
        self._enter(agent)
        self.met.add(agent_id)
        if watch.presence is Presence.EXPECTED and now.attention < RETURNING * self.period:
            self._returned = now.attention
        reason = "registered" if known is None else "registered again" if again else "started anew"
        return self._step(
            agent, Sign.REGISTERED, reason, now, previous=known.presence if known else None, told=not again
        )

    def hear(self, agent_id: str, boot: str, now: Instant) -> tuple[bool, list[Change]]:
        """A sign of life; the first value says whether the hub knows this boot of it (else it must register)."""
        agent = self.agents.get(agent_id)
        strange = agent_id not in self.met or agent is None or agent.said.boot != boot
        if agent is None or strange or agent.presence is Presence.GONE:
            return False, []
        agent.heard_at = now.wall
        if agent.watch.presence is Presence.LIVE:  # as nearly all are: `step`, in short
            agent.watch = Watch(Presence.LIVE, now.attention, self.period)
            return True, []
        return True, self._step(agent, Sign.HEARD, "heard again", now)

    def leave(self, agent_id: str, reason: str, now: Instant) -> list[Change]:
        """Goodbye, or the engine's word that its container died."""
        agent = self.agents.get(agent_id)
        return [] if agent is None else self._step(agent, Sign.LEFT, reason, now)

    def lose(self, agent_id: str, now: Instant) -> list[Change]:
        """The hubs agree that this agent is lost."""
        agent = self.agents.get(agent_id)
        return [] if agent is None else self._step(agent, Sign.SILENT, _silence(agent, now), now)

    def adopt(self, agent_id: str, presence: Presence, reason: str, at: float, now: Instant) -> None:
        """Another hub's word on an agent's presence, which it has told already."""
        agent = self.agents[agent_id]
        agent.watch = Watch(presence, now.attention, self.period)
        agent.since, agent.reason = at, reason

    def take_over(self, agent: Agent, now: Instant) -> None:
        """An agent as another hub wrote it: here it must register before it is heard."""
        agent.watch = Watch(agent.presence, now.attention, self.period)
        self.met.discard(agent.id)
        self._enter(agent)

    def tick(self, now: Instant, only: Iterable[str] | None = None) -> list[Change]:
        """The changes that silence brings; of `only` these, who are not lost by it: their hubs judge that together."""
        if only is not None:
            mine = [
                self.agents[one] for one in only if one in self.agents and self.agents[one].presence is Presence.LIVE
            ]
            late = [agent for agent in mine if overdue(agent.watch, now.attention)]
            return [change for one in late for change in self._step(one, Sign.OVERDUE, _silence(one, now), now)]
        since = now.attention - LATE_AFTER * self._shortest
        silent = [agent for agent in self.agents.values() if agent.watch.heard <= since and agent.listed]
        for agent in silent:
            agent.watch = wait_in_line(agent.watch, self._returned)
        due = [(agent, overdue(agent.watch, now.attention)) for agent in silent]
        return [change for agent, sign in due if sign for change in self._step(agent, sign, _silence(agent, now), now)]

    def archive(self, now: Instant) -> list[Agent]:
        """Drops the agents that left long ago from memory and returns them."""
        old = [a for a in self.agents.values() if not a.listed and now.wall - a.since > self.keep]
        for agent in old:
            del self.agents[agent.id]
            self.touched.add(agent.id)
            self._claims.get(agent.said.container, set()).discard(agent.id)
            self.met.discard(agent.id)
        return old

    def claiming(self, containers: Iterable[str]) -> set[str]:
        """Agents that claim one of these containers."""
        return {agent for container in containers if container for agent in self._claims.get(container, ())}

    def _enter(self, agent: Agent) -> None:
        known = self.agents.get(agent.id)
        if known is not None:
            self._claims.get(known.said.container, set()).discard(agent.id)
        self.agents[agent.id] = agent
        self.touched.add(agent.id)
        self._claims.setdefault(agent.said.container, set()).add(agent.id)

    def live(self) -> list[Agent]:
        """The live list, by name."""
        return sorted((a for a in self.agents.values() if a.listed), key=lambda a: (a.said.name, a.id))

    def clock(self, agent_id: str, wall: float, now: Instant) -> float | None:
        """Notes one pair of clocks; the offset if it just became worth a notice, None otherwise."""
        agent = self.agents[agent_id]
        agent.offsets.append(now.wall - wall)
        offset = min(agent.offsets)
        skewed = abs(offset) > SKEW_SECONDS
        told, agent.skewed = agent.skewed, skewed
        return offset if skewed and not told else None

    def _step(
        self,
        agent: Agent,
        sign: Sign,
        reason: str,
        now: Instant,
        *,
        previous: Presence | None = None,
        told: bool = False,
    ) -> list[Change]:
        before = agent.presence if sign is not Sign.REGISTERED else previous
        alive = sign in (Sign.HEARD, Sign.REGISTERED)  # it is told the period in force
        agent.watch = step(agent.watch._replace(period=self.period) if alive else agent.watch, sign, now.attention)
        if before is agent.presence and not told:
            return []
        agent.since, agent.reason = now.wall, reason
        return [Change(agent.id, before, agent.presence, reason, now.wall)]


def _process(status: Status, roster: Roster) -> Process:
    born = None if status.uptime is None else roster.wall - status.uptime
    return Process(status, roster.last_seq, born)


def _silence(agent: Agent, now: Instant) -> str:
    return f"silent for {agent.watch.silence(now.attention):.1f} s"
