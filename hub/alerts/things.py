"""The fleet as rules see it: subjects with their names and the values of their fields.

Theory.  Only what could be an alert is shown.  An agent that said goodbye, whose container its engine saw end, or in
whose place a deploy put another of the same name is no subject any more, and so what was alerted of it is over.  A
program that somebody stopped, and a container that somebody stopped, killed or paused, are none either.  Of an agent
that is not live only its silence is known: its programs and its own container are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from typing import Any

from hub.clock import Instant
from hub.discovery.liveness import LOST_AFTER
from hub.discovery.registry import Agent
from hub.figures import Figures, fresh_figures
from hub.fleet import Fleet, Known
from wire._record import Record
from wire.model import Presence, State, Want

__all__ = ["Thing", "Things"]

DEPLOY_SECONDS = 120.0
"""A newer agent of the same name takes the place of one that fell silent at most so long after the newer one came."""
SILENT = frozenset({Presence.LOST, Presence.LATE})
DOWN, ENDED = frozenset({State.STOPPED, State.STOPPING}), frozenset({State.EXITED, State.UNKNOWN})
"""A program is STOPPED where somebody stopped it, or never wanted it."""
SUMMED = ("cpu", "rss", "memory_share", "threads", "fds")
SHARES = {"memory_share": ("memory", "memory_limit"), "cpu_share": ("cpu", "cpu_limit")}
SHARES |= {"pids_share": ("pids", "pids_limit")}


class Thing(Record):
    """One subject."""

    on: str
    key: str
    """Never another subject's; begins with the agent's id where it is about an agent."""
    place: str
    """Host: the engine's name, else the address the agent has for the hub."""
    names: Callable[[], dict[str, str]]
    values: Mapping[str, Any]


class Look(Record):
    """What one round wants to see; most subjects are passed over without a second look."""

    fields: Mapping[str, Set[str]]
    """Kind of subject -> the fields that rules look at; kinds that are missing are not wanted at all."""
    words: Mapping[str, Set[str]]
    """agent, program -> presences, states outside which no rule can be true; missing where any may."""
    alerted: Set[str]
    """Agents that have an alert, themselves or in them: these are seen whole."""

    @property
    def measures(self) -> bool:
        """Whether figures of processes are wanted, their own or summed over a program."""
        return "process" in self.fields or not self.fields.get("program", frozenset()).isdisjoint((*SUMMED, "age"))

    def words_of(self, on: str, agent: Agent) -> Set[str] | None:
        """Presences or states that matter; None for all."""
        return None if agent.id in self.alerted else self.words.get(on)


class Things:
    """Shows the subjects of one fleet; `own` gives the hub's own values."""

    def __init__(self, fleet: Fleet, own: Callable[[Instant], dict[str, Any]]) -> None:
        self.fleet, self.own = fleet, own
        self.commanded: set[str] = set()
        """Containers that somebody stopped, killed or paused."""
        self.mine: Callable[[str, Instant], bool] = lambda agent, now: True
        """Whether an agent speaks to this hub: of others' agents only presence and states are known here."""
        self.newest: dict[tuple[str, str], Agent] = {}
        """Token and name -> the agent of it that came last."""

    def begin(self) -> None:
        """A new round."""
        self.newest = {}
        for agent in self.fleet.registry.agents.values():
            key, known = (agent.token, named(agent)), self.newest.get((agent.token, named(agent)))
            if agent.listed and key[1] and (known is None or agent.first_seen > known.first_seen):
                self.newest[key] = agent

    def replaced(self, agent: Agent) -> bool:
        """Whether a deploy put another agent in its place."""
        heir = self.newest.get((agent.token, named(agent)))
        return heir is not None and heir is not agent and heir.first_seen > agent.heard_at - DEPLOY_SECONDS

    def place_of(self, agent: Agent) -> str:
        """The host it is on, as far as the hub can tell."""
        known = self.fleet.container_of(agent.id) or self.fleet.containers.get(agent.verified)
        return known.engine if known else agent.peer

    def wanted_down(self, agent: Agent) -> bool:
        """Whether somebody stopped or paused its container."""
        known = self.fleet.containers.get(agent.verified)
        return agent.verified in self.commanded or (known is not None and known.row.state == "paused")

    def of_agent(self, agent: Agent, look: Look, now: Instant) -> Iterator[Thing]:
        """Everything of one agent that rules look at."""
        silent = agent.presence in SILENT
        if agent.presence is Presence.GONE or (silent and (self.replaced(agent) or self.wanted_down(agent))):
            return
        wanted = look.fields
        words = look.words_of("agent", agent)
        if "agent" in wanted and (words is None or agent.presence in words):
            yield Thing("agent", agent.id, self.place_of(agent), partial(self._names, agent), self._agent(agent, now))
        if agent.presence is Presence.LIVE and not wanted.keys().isdisjoint(("program", "process", "container")):
            yield from self._inside(agent, look, now)

    def _agent(self, agent: Agent, now: Instant) -> dict[str, Any]:
        states = [process.status.state for process in agent.programs.values()]
        if not self.mine(agent.id, now):
            lost = LOST_AFTER * self.fleet.settings.period + max(now.wall - agent.since, 0.0)
            return {"presence": agent.presence.value, "age": lost if agent.presence is Presence.LOST else None}
        return {
            "presence": agent.presence.value,
            "age": max(now.wall - agent.heard_at, 0.0),
            "skew": abs(agent.offset) if agent.offsets else None,
            "dropped": agent.dropped,
            "programs": len(states),
            "running": states.count(State.RUNNING),
        }

    def _inside(self, agent: Agent, look: Look, now: Instant) -> Iterator[Thing]:
        mine = self.mine(agent.id, now)
        if not mine and not agent.programs:
            return
        wanted, words = look.fields, look.words_of("program", agent)
        figures = Figures(agent, self.fleet, now) if mine and look.measures else None
        for name, process in agent.programs.items() if "program" in wanted else ():
            state = process.status.state
            if words is not None and state not in words:
                continue
            if state in DOWN or (process.status.want is Want.DOWN and state in ENDED):
                continue
            names, values = partial(self._names, agent, program=name), self._program(agent, name, figures, now)
            yield Thing("program", f"{agent.id}/{name}", self.place_of(agent), names, values)
        if "process" in wanted and figures is not None:
            yield from self._processes(agent, self.place_of(agent), figures)
        if mine and "container" in wanted and agent.id not in self.fleet.picture.container_of:
            names = partial(self._names, agent, container=self.fleet.name_of(agent))
            values = self._figures(agent.id, agent, wanted["container"], now)
            yield Thing("container", agent.id, self.place_of(agent), names, values)

    def _program(self, agent: Agent, name: str, figures: Figures | None, now: Instant) -> dict[str, Any]:
        process = agent.programs[name]
        born = None if process.born is None else process.born + agent.offset
        values: dict[str, Any] = {
            "state": process.status.state.value,
            "restarts": process.status.restarts,
            "uptime": None if born is None else max(now.wall - born, 0.0),
        }
        return values if figures is None else {**values, **figures.tree(name), "age": figures.age}

    def _processes(self, agent: Agent, place: str, figures: Figures) -> Iterator[Thing]:
        for index, row in enumerate(figures.rows):
            names = partial(self._names, agent, program=row.program, process=row.command)
            key = f"{agent.id}/{row.pid}:{row.start_ticks}"
            yield Thing("process", key, place, names, {**figures.of(index), "age": figures.age})

    def of_container(self, key: str, known: Known, look: Look, now: Instant) -> Thing | None:
        """One container that an engine lists; None for what somebody stopped."""
        if key in self.commanded:
            return None
        engine = self.fleet.engines.get(known.engine)
        holder = self.fleet.registry.agents.get(self.fleet.picture.agent_of.get(key, ""))
        values = self._figures(key, holder, look.fields["container"], now)
        if engine is not None and engine.up:
            row = known.row
            values |= {"state": row.state, "exit_code": row.exit_code, "restart_count": row.restart_count}
            values |= {"health": row.health or None}

        def names() -> dict[str, str]:
            mine = self._names(holder) if holder else {"hub": self.fleet.settings.hub}
            found = {"container": known.row.name, "host": known.engine, "subject": known.row.name}
            return {**self.fleet.labels_of_container(key), **mine, **found}

        return Thing("container", key, known.engine, names, values)

    def _figures(self, key: str, agent: Agent | None, wanted: Set[str], now: Instant) -> dict[str, Any]:
        """What is wanted of a container's figures; shares of limits that there are not are unknown."""
        columns = wanted | {part for share in wanted & SHARES.keys() for part in SHARES[share]}
        values = fresh_figures(key, agent, self.fleet, columns, now)
        for share in wanted & SHARES.keys():
            part, whole = (values[name] for name in SHARES[share])
            values[share] = part / whole if part is not None and whole else None
        if "disk_share" in wanted:
            full = [1 - mount.free / mount.total for mount in agent.mounts if mount.total > 0] if agent else []
            values["disk_share"] = max(full, default=None)
        return values

    def of_hosts(self, now: Instant) -> Iterator[Thing]:
        """The engines."""
        live, silent = self.census()
        for name, state in self.fleet.engines.items():
            seen = None if state.seen_at is None else max(now.wall - state.seen_at, 0.0)
            here = live.get(name, 0) + silent.get(name, 0)
            values = {"up": int(state.up), "age": seen, "agents": here, "silent": silent.get(name, 0)}
            names = {"host": name, "subject": name, "hub": self.fleet.settings.hub}
            containers = state.containers if state.up else None
            yield Thing("host", name, name, partial(dict, names), {**values, "containers": containers})

    def of_hub(self, now: Instant) -> Thing:
        """This hub."""
        hub = self.fleet.settings.hub
        return Thing("hub", hub, "", lambda: {"hub": hub, "subject": hub}, self.own(now))

    def census(self) -> tuple[dict[str, int], dict[str, int]]:
        """Agents by place: those that are heard, and those that should be."""
        live: dict[str, int] = {}
        silent: dict[str, int] = {}
        for agent in self.fleet.registry.agents.values():
            if agent.presence is Presence.GONE or (agent.presence is Presence.LOST and self.replaced(agent)):
                continue
            count, place = silent if agent.presence in SILENT else live, self.place_of(agent)
            count[place] = count.get(place, 0) + 1
        return live, silent

    def _names(self, agent: Agent, **more: str) -> dict[str, str]:
        """Names and labels; a label never hides a name."""
        name = self.fleet.name_of(agent)
        known = self.fleet.container_of(agent.id)
        box = {"container": known.row.name} if known else {}
        program = more.get("program")
        subject = more.get("container") or (f"{name}/{program or more['process']}" if len(more) else name)
        own = {"agent": name, "host": self.place_of(agent), "hub": self.fleet.settings.hub, "subject": subject}
        return {**self.fleet.labels_of(agent), **box, **own, **{key: text for key, text in more.items() if text}}

    def names_of(self, agent_id: str, program: str = "") -> dict[str, str]:
        """Names of an agent, or of a program of it, that may have left."""
        agent = self.fleet.registry.agents.get(agent_id)
        if agent is None:
            return {"agent": agent_id, "subject": agent_id, "hub": self.fleet.settings.hub}
        return self._names(agent, program=program) if program else self._names(agent)


def named(agent: Agent) -> str:
    """What it is called by whoever deploys it: the same for the one that takes its place."""
    return agent.container_name or agent.said.name
