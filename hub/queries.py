"""The questions of the query port about agents, processes, containers and engines, answered from memory.

Every row says `at` (hub time of what it shows) and `age` (seconds); a row that is `stale` has None where a number would
be a lie.  All rows pass the asker's scope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from hub.clock import Instant
from hub.commands.orders import Orders
from hub.commands.selectors import carries, is_glob, labels_in, processes
from hub.discovery.registry import Agent, Process
from hub.errors import Refusal
from hub.figures import NOTHING, Figures, of_container
from hub.fleet import Fleet, Known
from hub.pages import ROWS, page
from hub.plain import plain
from hub.trust.roles import Subject
from wire.model import Presence, State, full_name

Row = dict[str, Any]
SEVERAL = 1000
"""Most targets that `ps` lists together."""


class Queries:
    """Answers from the fleet's present state."""

    def __init__(self, fleet: Fleet, orders: Orders) -> None:
        self.fleet = fleet
        self.orders = orders
        self.handlers: dict[str, Callable[[Mapping[str, Any], Subject, Instant], Any]] = {
            "agents": self.agents,
            "hosts": self.hosts,
            "containers": self.containers,
            "ps": self.ps,
        }

    # -- agents ------------------------------------------------------------------------------------------------------

    def agents(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        """Agents of the live list; with `all`, those that left too."""
        everyone = args.get("all") is True
        chosen = _only(args, [a for a in self.fleet.registry.agents.values() if everyone or a.listed])
        visible = [(a.id, 1, a) for a in chosen if self.sees(a, subject)]
        return [self._agent(agent, now) for agent in page(visible, args)]

    def sees(self, agent: Agent, subject: Subject) -> bool:
        """Whether the agent exists for this subject."""
        return not subject.scope or subject.may_see(self.fleet.labels_of(agent))

    def _agent(self, agent: Agent, now: Instant) -> Row:
        said, known = agent.said, self.fleet.container_of(agent.id)
        states = [process.status.state for process in agent.programs.values()]
        figures = of_container(self.fleet.picture.container_of.get(agent.id, agent.id), agent, self.fleet, now)
        return {
            "agent": agent.id,
            "name": self.fleet.name_of(agent),
            "presence": agent.presence.value,
            "since": agent.since,
            "reason": agent.reason,
            "hostname": said.hostname,
            "addresses": said.addresses,
            "peer": agent.peer,
            "command_endpoint": said.command_endpoint,
            "container": said.container or None,
            "container_source": said.container_source,
            "verified": known is not None,
            "doubt": self.fleet.picture.doubts.get(agent.id, ""),
            "engine": known.engine if known else None,
            "version": said.version,
            "remote": said.remote.value,
            "pid1": said.pid1,
            "labels": self.fleet.labels_of(agent),
            "claimed_labels": dict(said.labels),
            "token": agent.token,
            "boot": said.boot,
            "started_at": said.started_at + agent.offset,
            "uptime": max(now.wall - said.started_at - agent.offset, 0.0) if agent.listed else None,
            "skew": -agent.offset if agent.offsets else None,
            "programs": len(states),
            "running": states.count(State.RUNNING) if agent.presence is Presence.LIVE else None,
            "facts": {"last": agent.last_seq, "durable": agent.durable, "dropped": agent.dropped},
            "mounts": plain(agent.mounts),
            "figures": figures,
            **{name: figures[name] for name in ("cpu", "memory", "memory_limit")},
            **self._age(agent, now),
        }

    def _age(self, agent: Agent, now: Instant) -> Row:
        age = max(now.wall - agent.heard_at, 0.0)
        return {"at": agent.heard_at, "age": age, "stale": agent.presence is not Presence.LIVE}

    # -- engines and containers --------------------------------------------------------------------------------------

    def hosts(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        """Docker engines; a scoped key sees those that hold something of its scope."""
        visible = {known.engine for _, _, (_, known) in self.listed(subject)} if subject.scope else None
        rows = []
        for name, state in sorted(self.fleet.engines.items()):
            if visible is not None and name not in visible:
                continue
            agents = sum(1 for agent in self.fleet.registry.live() if self._engine_of(agent) == name)
            at = state.seen_at
            age = None if at is None else max(now.wall - at, 0.0)
            unseen = dict.fromkeys(("cpus", "memory", "containers")) if at is None else {}
            times = {"at": at, "age": age, "stale": not state.up}
            rows.append({**plain(state), **unseen, "agents": agents, **times})
        return rows

    def _engine_of(self, agent: Agent) -> str | None:
        known = self.fleet.container_of(agent.id)
        return known.engine if known else None

    def containers(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        """Containers of all engines; with `all`, those that do not run too."""
        everyone = args.get("all", True) is True
        chosen = [one for one in self.listed(subject) if everyone or one[2][1].row.state == "running"]
        return [self._container(key, known, now) for key, known in page(chosen, args)]

    def listed(self, subject: Subject) -> list[tuple[str, int, tuple[str, Known]]]:
        """The containers that exist for this subject, as `page` takes them."""
        return [
            (key, 1, (key, known))
            for key, known in self.fleet.containers.items()
            if not subject.scope or subject.may_see(self.fleet.labels_of_container(key))
        ]

    def _container(self, key: str, known: Known, now: Instant) -> Row:
        picture, agents = self.fleet.picture, self.fleet.registry.agents
        holder, silent = agents.get(picture.agent_of.get(key, "")), agents.get(picture.silent.get(key, ""))
        engine = self.fleet.engines.get(known.engine)
        figures = of_container(key, holder or silent, self.fleet, now)
        listed_at = engine.seen_at if engine and engine.seen_at else known.at
        stale = engine is None or not engine.up
        times = ("created_at", "started_at", "finished_at")  # `sized_at` is by the hub's clock already
        own = {name: getattr(known.row, name) for name in times}
        ahead = self.fleet.ahead(known.engine)
        return {
            **plain(known.row),
            **{name: None if at is None else at + ahead for name, at in own.items()},
            "labels": self.fleet.labels_of_container(key),
            "engine": known.engine,
            "host": engine.host if engine else None,
            "agent": holder.id if holder else None,
            "agent_name": self.fleet.name_of(holder) if holder else None,
            "presence": holder.presence.value if holder else silent.presence.value if silent else None,
            "disagreement": self._disagreement(holder, silent, known, now),
            "figures": figures,
            **{name: figures[name] for name in ("cpu", "memory", "memory_limit", "pids", "oom_kills")},
            **{name: figures[name] for name in ("net_rx_bytes", "net_tx_bytes", "read_bytes", "write_bytes")},
            "at": listed_at,
            "age": max(now.wall - listed_at, 0.0),
            "stale": stale,
        }

    def _disagreement(self, holder: Agent | None, silent: Agent | None, known: Known, now: Instant) -> str:
        quiet = silent or (holder if holder and holder.presence is not Presence.LIVE else None)
        if quiet is None or known.row.state not in ("running", "paused"):
            return ""
        return f"{known.row.state}, but its agent is silent for {max(now.wall - quiet.heard_at, 0.0):.0f} s"

    # -- processes ---------------------------------------------------------------------------------------------------

    def ps(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> list[Row]:
        """Programs' processes; with `all`, every process of the containers.  `target` narrows it down."""
        everyone = args.get("all") is True
        chosen = self._chosen(args.get("target"), subject)
        wanted = {agent.id for agent in _only(args, [agent for agent, _ in chosen])}
        chosen = [one for one in chosen if one[0].id in wanted]
        weighed = [(a.id, len(p) + (len(a.roster) if everyone else 0), (a, p)) for a, p in chosen]
        rows: list[Row] = []
        for agent, programs in page(weighed, args):
            figures = Figures(agent, self.fleet, now)
            head = {"agent": agent.id, "agent_name": self.fleet.name_of(agent), "presence": agent.presence.value}
            rows += [{**head, **self._program(agent, name, figures, now)} for name in programs]
            if everyone:
                rows += [{**head, **row} for row in self._others(figures, programs)]
        return rows

    def _chosen(self, target: object, subject: Subject) -> list[tuple[Agent, tuple[str, ...]]]:
        if target in (None, "", "*"):
            return [(a, tuple(a.programs)) for a in self.fleet.registry.live() if self.sees(a, subject)]
        agents = self.fleet.registry.agents
        texts = (target,) if isinstance(target, str) else target
        if not isinstance(texts, (tuple, list)) or len(texts) > SEVERAL or not all(isinstance(t, str) for t in texts):
            raise Refusal("bad-target", f"target must be one text or at most {SEVERAL}")
        whole = [text if "/" in text or "=" in text else f"{text}/*" for text in texts]
        chosen = processes(whole, self.orders.candidates(subject, targets=whole))
        return [(agents[one.key], one.programs) for one in chosen]

    def _program(self, agent: Agent, name: str, figures: Figures, now: Instant) -> Row:
        process = agent.programs[name]
        status = process.status
        index = figures.leader(name, status.pid)
        present = agent.presence is Presence.LIVE
        return {
            "process": name,
            **_status(process, agent.offset, now, present),
            "kind": "program",
            "command": figures.rows[index].command if index is not None else None,
            "uid": figures.rows[index].uid if index is not None else None,
            **{key: value for key, value in figures.of(index).items() if key != "uptime"},
            "tree": figures.tree(name) if status.pid is not None else None,
            "at": figures.at if index is not None else agent.heard_at,
            "age": figures.age if index is not None else max(now.wall - agent.heard_at, 0.0),
            "stale": not present or (figures.stale and status.pid is not None),
        }

    def _others(self, figures: Figures, programs: tuple[str, ...]) -> list[Row]:
        """Processes that are no program's own: children, unmanaged ones, PID 1 and its link."""
        rows = []
        for index, row in enumerate(figures.rows):
            if row.kind == "program" or (row.program and row.program not in programs):
                continue
            values = figures.of(index) if not figures.stale else dict(NOTHING)
            aged = {"at": figures.at, "age": figures.age, "stale": figures.stale}
            rows.append({"process": row.program or row.command, **plain(row), "state": None, **values, **aged})
        return rows


def _only(args: Mapping[str, Any], agents: list[Agent]) -> list[Agent]:
    """Of these agents the ones that `only` names by their ids; without it all.  Raises Refusal."""
    wanted = args.get("only")
    if wanted is None:
        return agents
    if not isinstance(wanted, (tuple, list)) or len(wanted) > ROWS or not all(isinstance(one, str) for one in wanted):
        raise Refusal("bad-argument", f"only must be at most {ROWS} agent ids")
    named = frozenset(wanted)
    return [agent for agent in agents if agent.id in named]


def _status(process: Process, offset: float, now: Instant, present: bool) -> Row:
    """A status with its times in hub time, and without an uptime that nobody can vouch for."""
    born = None if process.born is None else process.born + offset
    return {
        **plain(process.status),
        "since": process.status.since + offset,
        "started_at": born,
        "uptime": max(now.wall - born, 0.0) if born is not None and present else None,
    }


def matcher(target: object, fleet: Fleet) -> Callable[[str, str, str], bool]:
    """(agent id, group, name) -> whether a target of `exits` and `events` means it; history knows agents that left."""
    if target in (None, "", "*"):
        return lambda agent, group, name: True
    if not isinstance(target, str) or len(target) > 512:
        raise Refusal("bad-target", "target must be AGENT or AGENT/PROGRAM, globs allowed")
    if "=" in target and "/" not in target:
        return _by_labels(target, fleet)
    wanted, _, program = target.partition("/")

    def is_agent(agent: str) -> bool:
        known = fleet.registry.agents.get(agent)
        names = {agent, fleet.name(agent), *((known.said.hostname,) if known else ())}
        prefix = len(wanted) >= 6 and not is_glob(wanted) and agent.startswith(wanted)
        return prefix or any(fnmatchcase(name, wanted) for name in names)

    return lambda agent, group, name: is_agent(agent) and _is_program(group, name, program)


def _is_program(group: str, name: str, program: str) -> bool:
    return program in ("", "*") or any(fnmatchcase(text, program) for text in (full_name(group, name), name))


def _by_labels(target: str, fleet: Fleet) -> Callable[[str, str, str], bool]:
    """As `matcher`, for `service=shop,program=php-*`; agents that were archived have no labels any more."""
    wanted = labels_in(target)
    program, named = wanted.pop("program", "*"), wanted.pop("agent", "*")

    def is_agent(agent: str) -> bool:
        known = fleet.registry.agents.get(agent)
        return (
            known is not None and fnmatchcase(fleet.name_of(known), named) and carries(fleet.labels_of(known), wanted)
        )

    return lambda agent, group, name: is_agent(agent) and _is_program(group, name, program)
