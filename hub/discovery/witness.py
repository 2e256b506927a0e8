"""What engines report, taken into the picture: the second witness of every container's life.

Theory.  A list is the truth about its engine and replaces all that was known of it; events only announce a change
early.  A container's `die` makes its agent gone at once, with the exit code as reason - unless the event is older than
the agent's start, which happens when a quick restart overtakes a slow engine.  What a list shows as ended counts too,
so a death that happened while nobody listened is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.orders import Orders
from hub.discovery.desk import Compass
from hub.discovery.enrolment import Enrolment
from hub.discovery.notices import keep, note, tell
from hub.discovery.registry import Agent
from hub.engines.reports import (
    ContainerEvent,
    ContainerList,
    ContainerRow,
    ContainerSample,
    EngineState,
    OrderResult,
    Report,
)
from hub.figures import STALE, container_values
from hub.fleet import Fleet, Known
from hub.monitor.exits import Ending, death_note, oom_record
from hub.plain import plain
from hub.words import Effects, Publish, Say, Store
from wire.model import Cause, Exit, Verb

ENDED = frozenset({"exited", "dead", "removing"})
MEASURED = frozenset({"running", "paused"})
"""States in which a container has figures: what ended uses no memory, whatever its last sample says."""
OOM_SECONDS = 5.0
"""An OOM kill longer ago than this need not be what ended the container: then it is called possible only."""
ASKED_SECONDS = 60.0
"""A container may take so long to end after its engine was asked, or sent it a signal: the longest usual grace."""
ENDING = frozenset({Verb.STOP, Verb.RESTART, Verb.KILL})
SLACK_SECONDS = 0.2
"""Error of the estimate of an event's time."""


class Witness:
    """Takes the reports of all engines."""

    def __init__(self, fleet: Fleet, orders: Orders, enrolment: Enrolment) -> None:
        self.fleet = fleet
        self.orders = orders
        self.enrolment = enrolment
        self.compass: Compass | None = None
        """Where other hubs are, if there may be any."""
        self.oomed: dict[str, float] = {}
        """Container -> when the kernel last killed in it for want of memory, since its start."""
        self.sent: dict[str, tuple[float, str]] = {}
        """Container -> when its engine last sent it a signal, and which."""
        self.handlers: dict[type, Callable[[Any, Instant], Effects]] = {
            EngineState: self._engine,
            ContainerList: self._list,
            ContainerEvent: self._event,
            ContainerSample: self._sample,
            OrderResult: self.orders.containers.ordered,
        }

    def take(self, report: Report, now: Instant) -> Effects:
        """The effects of one report."""
        return self.handlers[type(report)](report, now)

    def forget(self, engine: str) -> Effects:
        """The hub has nothing to do with this engine any more: what is known of it goes; nobody died of that."""
        mine = {key for key, known in self.fleet.containers.items() if known.engine == engine}
        for key in mine:
            for held in (self.fleet.containers, self.fleet.samples, self.oomed):
                held.pop(key, None)
        if self.fleet.engines.pop(engine, None) is None:
            return []
        body = {"note": "engine", "engine": engine, "up": False, "error": "its relay's key was removed"}
        return [*self._rejoined(mine), Publish(f"notice/{engine}", body), Say(f"engine {engine} is no more")]

    def _engine(self, state: EngineState, now: Instant) -> Effects:
        before = self.fleet.engines.get(state.engine)
        self.fleet.engines[state.engine] = state
        if before is not None and (before.up, before.error) == (state.up, state.error):
            return []
        body = {"note": "engine", "engine": state.engine, "up": state.up, "error": state.error, "at": state.at}
        words = f"answers, version {state.version}" if state.up else f"does not answer: {state.error}"
        return [Publish(f"notice/{state.engine}", body), Say(f"engine {state.engine} {words}")]

    def _list(self, report: ContainerList, now: Instant) -> Effects:
        before = {key: known for key, known in self.fleet.containers.items() if known.engine == report.engine}
        for row in report.containers:
            self.fleet.containers[row.id] = Known(report.engine, row, report.at)
            if row.state not in MEASURED:
                self.fleet.samples.pop(row.id, None)
        removed = set(before) - {row.id for row in report.containers}
        effects = [effect for key in sorted(removed) for effect in self._removed(key, now)]
        effects += [self._shown(row) for row in report.containers if _differs(before.get(row.id), row)]
        effects += self._rejoined(removed | {row.id for row in report.containers if _differs(before.get(row.id), row)})
        return effects + [e for row in report.containers if row.state in ENDED for e in self._ended(row, now)]

    def _removed(self, container: str, now: Instant) -> Effects:
        effects = self.enrolment.destroyed(container, now)
        effects += self._died(Ending(container, now.wall, None, False, removed=True), "its container was removed", now)
        self.fleet.containers.pop(container, None)
        self.oomed.pop(container, None)
        self.sent.pop(container, None)
        self.fleet.samples.pop(container, None)
        return [Publish(f"container/{container}", {"action": "removed", "id": container, "at": now.wall}), *effects]

    def _shown(self, row: ContainerRow) -> Publish:
        return Publish(f"container/{row.id}", {"action": "changed", **plain(row)})

    def _rejoined(self, containers: set[str]) -> Effects:
        """Joins these again; agents that got or changed their container's name are kept anew."""
        agents = [self.fleet.registry.agents[agent_id] for agent_id in self.fleet.registry.claiming(containers)]
        before = {agent.id: (agent.verified, agent.container_name) for agent in agents}
        self.fleet.rejoin(containers=containers)
        return [keep(a, self.fleet) for a in agents if before[a.id] != (a.verified, a.container_name)]

    def _ended(self, row: ContainerRow, now: Instant) -> Effects:
        ahead = self.fleet.ahead(self.fleet.containers[row.id].engine)
        ended = now.wall if row.finished_at is None else row.finished_at + ahead
        ending = Ending(row.id, ended, row.exit_code, bool(row.oom_killed) or row.id in self.oomed)
        return self._died(ending, f"its container stopped (exit code {row.exit_code})", now)

    def _event(self, event: ContainerEvent, now: Instant) -> Effects:
        body = {"action": event.action, "id": event.container, "at": event.at, "attributes": dict(event.attributes)}
        effects: Effects = [Publish(f"container/{event.container}", body)]
        if event.action == "oom":
            effects += self._out_of_memory(event, now)
            self.oomed[event.container] = event.at
        if event.action == "kill":
            self.sent[event.container] = (event.at, event.attributes.get("signal", ""))
        if event.action == "start":
            self.oomed.pop(event.container, None)
            self.sent.pop(event.container, None)
        if event.action == "die":
            code = event.attributes.get("exitCode", "")
            number = int(code) if code.isascii() and code.isdigit() else None
            ending = Ending(event.container, event.at, number, event.container in self.oomed)
            return effects + self._died(ending, f"its container stopped (exit code {code or 'unknown'})", now)
        if event.action == "destroy":
            return effects + self.enrolment.destroyed(event.container, now)
        return effects

    def _out_of_memory(self, event: ContainerEvent, now: Instant) -> Effects:
        """The kernel killed in a container for want of memory: kept once for a series of kills."""
        agent = self.fleet.registry.agents.get(self.fleet.picture.agent_of.get(event.container, ""))
        if agent is None or event.at - self.oomed.get(event.container, 0.0) < OOM_SECONDS:
            return []
        words = "the kernel killed in the container for want of memory"
        return note(agent, {"note": "engine", "action": "oom", "container": event.container, "words": words}, event.at)

    def _blamed(self, ending: Ending) -> Ending:
        """The ending with who asked for it through this hub, and the signal that its engine sent."""
        at, sent = self.sent.get(ending.container, (0.0, ""))
        router = self.orders.router
        asked = [
            command
            for command in (*router.ended.values(), *router.flying.values())
            if command.container == ending.container
            and command.verb in ENDING
            and -SLACK_SECONDS <= ending.at - command.created_at <= ASKED_SECONDS
        ]
        by = f"{asked[-1].actor} through {asked[-1].verb} {asked[-1].id}" if asked else ""
        return ending._replace(by=by, sent=sent if ending.at - at <= ASKED_SECONDS else "")

    def _died(self, ending: Ending, reason: str, now: Instant) -> Effects:
        """Its agents of before that moment are gone; a death by OOM as a whole is recorded, since nobody else can."""
        agents = [a for a in self.fleet.registry.agents.values() if a.verified == ending.container and a.listed]
        dead = [agent for agent in agents if ending.at >= self._started(agent) - SLACK_SECONDS]
        effects: Effects = []
        for agent in dead:
            self.fleet.routes.pop(agent.id, None)
            effects += tell(self.fleet.registry.leave(agent.id, reason, now), self.fleet)
            effects += self.compass.gone([agent]) if self.compass else []
            effects += self._recorded(agent, ending)
        return effects

    def _recorded(self, agent: Agent, ending: Ending) -> Effects:
        ending = self._blamed(ending)

        def found(latest: Any, error: str, now: Instant) -> Effects:
            record = oom_record(ending, None if error else latest)
            if record is None:
                return note(agent, death_note(ending, None if error else latest), ending.at)
            kind, body = record
            if isinstance(body, Exit) and ending.at - self.oomed.get(ending.container, 0.0) > OOM_SECONDS:
                body = body._replace(cause=Cause.OOM_POSSIBLE)
            fact = {"kind": kind.value, "at": ending.at, "body": plain(body)}
            told = {"agent": agent.id, "name": self.fleet.name_of(agent), "fact": fact}
            return [Publish(f"fact/{agent.id}", told), Store("record_fact", (agent.id, ending.at, kind, body))]

        return [Store("latest", (agent.id,), found)]

    def _started(self, agent: Agent) -> float:
        return agent.said.started_at + agent.offset

    def _sample(self, sample: ContainerSample, now: Instant) -> Effects:
        known = self.fleet.containers.get(sample.container)
        if known is None or known.row.state not in MEASURED:
            return []
        self.fleet.samples[sample.container] = sample
        effects: Effects = [Store("put_container", (sample.container, sample.at, self._filled(sample)))]
        if any(f"container/{sample.container}".startswith(topic) for topic in self.fleet.watched):
            body = {"action": "sample", "id": sample.container, "at": sample.at, "values": plain(sample.values)}
            effects.append(Publish(f"container/{sample.container}", body))
        return effects

    def _filled(self, sample: ContainerSample) -> Sequence[float]:
        """What is kept: the engine's values, and what it does not measure (OOM kills on v1) from its agent."""
        agent = self.fleet.registry.agents.get(self.fleet.picture.agent_of.get(sample.container, ""))
        limit = STALE * self.fleet.settings.sample_period
        if agent is None or agent.sample is None or abs(sample.at - agent.sampled_at) > limit:
            return sample.values
        return [
            own if own == own else other
            for own, other in zip(sample.values, container_values(agent.sample), strict=True)
        ]


def _differs(before: Known | None, row: ContainerRow) -> bool:
    """Whether something changed that a person would call a change: not the sentence with its growing age."""
    return before is None or before.row._replace(status=row.status, sized_at=row.sized_at) != row
