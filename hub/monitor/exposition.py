"""The fleet as metrics: a generator that writes a little at each step, so that no scrape holds up the loop.

Theory.  A scrape of ten thousand agents is megabytes; made at once it would cost every agent's heartbeat a second.  So
each step takes in one agent, container or engine as it stands at that moment, and the lines of each family are joined
at the end.  What left while the scrape was made is shown or not.  LINES bounds the whole: beyond it nothing more is
taken in, and `pidone_scrape_left_out` says how many things that were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.clock import Instant
from hub.discovery.registry import Agent
from hub.figures import Figures, of_container
from hub.fleet import Fleet, Known
from hub.monitor.families import FAMILIES, LABELS, NAMES, Family
from wire.model import CONTAINER_COLUMNS, Presence, State
from wire.openmetrics import END, SUFFIX, braces, head, line, number

__all__ = ["Exposition"]

LINES = 400_000
"""Most samples of one scrape: 45 MB of text."""
VALUE_CHARS = 128
"""Longest value of a label."""


class Exposition:
    """One scrape under way."""

    def __init__(self, fleet: Fleet, dialect: str) -> None:
        self.fleet, self.dialect = fleet, dialect
        self.lines: dict[str, list[str]] = {family.name: [] for family in FAMILIES}
        self.of = {of: [self._place(f) for f in FAMILIES if f.of == of and f.kind != "info"] for of in LABELS}
        self.count = self.left_out = 0

    def _place(self, family: Family) -> tuple[str, str, list[str]]:
        """Field, name of the sample, and where its lines go."""
        return family.field, family.name + SUFFIX.get(family.kind, ""), self.lines[family.name]

    def steps(self, now: Instant) -> Iterator[None]:
        """Takes in one thing after the other; `now` is when it began."""
        for name in list(self.fleet.engines):
            self._engine(name, now)
            yield
        for key in list(self.fleet.containers):
            known = self.fleet.containers.get(key)
            if known is not None and self._room():
                self._container(key, known, now)
            yield
        for agent in list(self.fleet.registry.agents.values()):
            if agent.presence is not Presence.GONE and self._room():
                self._agent(agent, now)
            yield

    def parts(self, own: str) -> list[str]:
        """The whole by families, behind the hub's own metrics; for whatever thread, once all steps are done."""
        parts = [own]
        left_out = [line("pidone_scrape_left_out", "gauge", {}, self.left_out)]
        help = "Agents and containers that did not fit into this scrape."
        parts += ["\n".join([*head("pidone_scrape_left_out", "gauge", help, self.dialect), *left_out, ""])]
        for family in FAMILIES:
            if self.lines[family.name]:
                told = [*head(family.name, family.kind, family.help, self.dialect), *self.lines[family.name], ""]
                parts.append("\n".join(told))
        return [*parts, END[self.dialect]]

    def _room(self) -> bool:
        if self.count >= LINES:
            self.left_out += 1
        return self.count < LINES

    def _add(self, of: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        told = braces(names)
        for field, name, lines in self.of[of]:
            value = values.get(field)
            if value is not None and value == value:
                lines.append(f"{name}{told} {number(value)}")
                self.count += 1

    def _info(self, name: str, names: Mapping[str, str], more: Mapping[str, str]) -> None:
        labels = {**names, **{key: text[:VALUE_CHARS] for key, text in more.items()}}
        self.lines[name].append(line(name, "info", labels, 1))
        self.count += 1

    def _engine(self, name: str, now: Instant) -> None:
        state = self.fleet.engines[name]
        names = {"host": name}
        self._info("pidone_engine", names, {"version": state.version, "hostname": state.host})
        age = None if state.seen_at is None else max(now.wall - state.seen_at, 0.0)
        self._add("engine", names, {"containers": state.containers if state.up else None, "age": age})

    def _container(self, key: str, known: Known, now: Instant) -> None:
        names = {"container": known.row.name[:VALUE_CHARS], "container_id": key[:12], "host": known.engine}
        holder = self.fleet.registry.agents.get(self.fleet.picture.agent_of.get(key, ""))
        engine = self.fleet.engines.get(known.engine)
        service = self.fleet.labels_of_container(key).get("service", "")
        self._info("pidone_container", names, {"image": known.row.image, "service": service})
        values: dict[str, Any] = dict(of_container(key, holder, self.fleet, now))
        if engine is not None and engine.up:
            values["running"] = int(known.row.state in ("running", "paused"))
            values["restart_count"] = known.row.restart_count
            values["rootfs_rw_bytes"] = known.row.rootfs_rw_bytes
        self._add("container", names, values)

    def _agent(self, agent: Agent, now: Instant) -> None:
        known = self.fleet.container_of(agent.id)
        name, host = self.fleet.name_of(agent)[:VALUE_CHARS], known.engine if known else agent.peer
        names = {"agent": name, "agent_id": agent.id, "host": host}
        service = self.fleet.labels_of(agent).get("service", "")
        container = known.row.name if known else ""
        self._info("pidone_agent", names, {"version": agent.said.version, "container": container, "service": service})
        live = agent.presence is Presence.LIVE
        self._add("agent", names, {
            "up": int(live), "age": max(now.wall - agent.heard_at, 0.0), "dropped": agent.dropped,
            "skew": -agent.offset if agent.offsets else None, "started_at": agent.said.started_at + agent.offset,
        })  # fmt: skip
        if not live:
            return
        if known is None:
            own = {"container": name, "container_id": agent.said.container[:12], "host": host}
            self._add("container", own, dict(of_container(agent.id, agent, self.fleet, now)))
        self._inside(agent, names, Figures(agent, self.fleet, now))

    def _inside(self, agent: Agent, names: dict[str, str], figures: Figures) -> None:
        for program, process in agent.programs.items():
            status, labels = process.status, {**names, "program": program[:VALUE_CHARS]}
            born = None if process.born is None else process.born + agent.offset
            tree = figures.tree(program) if status.pid is not None else {}
            state = line("pidone_program_state", "gauge", {**labels, "state": status.state.value}, 1)
            self.lines["pidone_program_state"].append(state)
            running = int(status.state is State.RUNNING)
            self._add("program", labels, {"running": running, "restarts": status.restarts, "born": born, **tree})
        for index, row in enumerate(figures.rows if not figures.stale else ()):
            more = {"program": row.program[:VALUE_CHARS], "process": row.command[:VALUE_CHARS], "pid": str(row.pid)}
            self._add("process", {**names, **more}, figures.of(index))


assert {column.name for column in CONTAINER_COLUMNS} <= set(NAMES)
