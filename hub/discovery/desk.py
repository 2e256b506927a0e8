"""Where agents are served: registration, heartbeats, rosters, facts, goodbyes, samples.

Theory.  Every request is answered at once, except two that wait for the disk: a registration (it needs to know how far
this boot's facts are kept) and facts (they are acknowledged only when they are durable).  A request that waits too long
is void at the agent's side and comes again; all of them may be repeated.  Whoever has no live key, or claims another
boot than it registered, is told so and nothing else happens.

A store may lose what it had acknowledged (a failover, a restart from an older file).  After such a `doubt` each agent's
next heartbeat waits for the store too: its answer tells how far the facts are kept now, and an agent that is told a
lower number than before sends the rest again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from hub.clock import Instant
from hub.cluster.overload import Pace
from hub.discovery.doubles import Doubles
from hub.discovery.notices import keep, note, tell
from hub.discovery.registry import Agent
from hub.errors import Refusal
from hub.figures import container_values
from hub.fleet import Fleet
from hub.plain import plain
from hub.words import Asked, Effects, Publish, Published, Say, Send, Store, Undelivered
from wire import messages as M
from wire.model import Fact

EPOCH_MAX = 2**53
"""Highest epoch an agent may report: beyond it one liar could use the numbers up."""

Ready = Callable[[str, Instant], Effects]
"""Called when an agent's command route opens: what waits for it."""

Told = Callable[[Agent, Fact], Effects]
"""Called with every fact of an agent that was not heard before."""


class Compass(Protocol):
    """What the desk needs of hub.cluster.room.Cluster."""

    def news_for(self, agent: str) -> tuple[M.HubAddress, ...]:
        """The hubs, home first, if the agent was not told so yet."""

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub."""

    def gone(self, agents: Iterable[Agent]) -> Effects:
        """These agents left."""


class Desk:
    """Serves the agents of a fleet."""

    def __init__(self, fleet: Fleet, ready: Ready, told: Told) -> None:
        self.fleet = fleet
        self.ready = ready
        self.told = told
        self.doubles = Doubles()
        self.compass: Compass | None = None
        """Where other hubs are, if there may be any."""
        self.pace = Pace(fleet.settings.period, fleet.settings.period)
        self.doubts = 0
        """How often the store may have lost something."""
        self.handlers: dict[type, Callable[[Asked, Any, Instant], Effects]] = {
            M.Register: self._register,
            M.Heartbeat: self._heartbeat,
            M.Roster: self._roster,
            M.Facts: self._facts,
            M.Goodbye: self._goodbye,
            M.Hello: self._hello,
        }

    def take(self, asked: Asked, now: Instant) -> Effects:
        """The effects of one request; raises Refusal for what no agent may ask."""
        handler = self.handlers.get(type(asked.message))
        if handler is None:
            raise Refusal("unexpected", f"an agent does not send {type(asked.message).__name__}")
        if asked.user not in self.fleet.agent_keys:
            raise Refusal("unknown-key", "this agent's key is not valid any more", "enrol again")
        return handler(asked, asked.message, now)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _register(self, asked: Asked, said: M.Register, now: Instant) -> Effects:
        if said.epoch > EPOCH_MAX:
            raise Refusal("bad-epoch", "the reported epoch is out of range")
        if self.doubles.is_refused(asked.user, said.boot):
            raise _copy()

        def known(durable: Any, error: str, now: Instant) -> Effects:
            return [] if error else self._admit(asked, said, int(durable), now)

        return [*self._raise_epoch(said.epoch), Store("durable", (asked.user, said.boot), known)]

    def _raise_epoch(self, reported: int) -> Effects:
        """An agent has seen a higher epoch than ours (another hub, or a store that was wiped): take a higher one."""
        if reported <= self.fleet.epoch:
            return []

        def taken(epoch: Any, error: str, now: Instant) -> Effects:
            self.fleet.epoch = max(self.fleet.epoch, 0 if error else int(epoch))
            return [Say(f"epoch is {self.fleet.epoch}: an agent had seen {reported}")]

        return [Store("next_epoch", (reported,), taken)]

    def _admit(self, asked: Asked, said: M.Register, durable: int, now: Instant) -> Effects:
        key = self.fleet.agent_keys.get(asked.user)
        if key is None:
            return []
        labels = dict(key.scope)
        before = self.fleet.registry.agents.get(asked.user)
        twice = self._judge_double(asked, before, said, now)
        if self.doubles.is_refused(asked.user, said.boot):
            refused = _copy()
            return [Send(asked.route, M.Refused("", refused.code, refused.message, refused.hint)), *twice]
        changes = self.fleet.registry.register(asked.user, said, asked.peer, labels, key.token, now)
        agent = self.fleet.registry.agents[asked.user]
        agent.durable, agent.counted = durable, self.doubts
        agent.told = max(agent.told, durable)
        self.fleet.rejoin([agent.id], [before.said.container] if before else [])
        effects = [*twice, *(tell(changes, self.fleet) or [keep(agent, self.fleet)])]
        settings = self.fleet.settings
        answer = M.Registered(
            agent=agent.id,
            hub=settings.hub,
            epoch=self.fleet.epoch,
            period=settings.period,
            sample_period=settings.sample_period,
            durable=durable,
            wall=now.wall,
            want_roster=True,
            server_keys=tuple(address.key for address in settings.addresses[:1]),
            hubs=self.compass.news_for(agent.id) if self.compass else (),
        )
        return [Send(asked.route, answer), *effects, *self._clock(agent, said.wall, now)]

    def _judge_double(self, asked: Asked, before: Agent | None, said: M.Register, now: Instant) -> Effects:
        """Tells of a key that two running containers use."""
        present = before.said.boot if before is not None and before.listed else None
        copy = self.doubles.register(asked.user, present, said.boot, now.mono)
        if not copy or before is None:
            return []
        places = sorted({f"{before.peer} ({before.said.hostname})", f"{asked.peer} ({said.hostname})"})
        body: dict[str, object] = {
            "note": "duplicate identity", "agent": asked.user, "refused_boot": copy, "peers": places,
        }  # fmt: skip
        line = f"agent {asked.user}: two containers use its key, {' and '.join(places)}; the later one is refused"
        return [*note(before, body, now.wall), Say(line)]

    def _heartbeat(self, asked: Asked, beat: M.Heartbeat, now: Instant) -> Effects:
        known, changes = self.fleet.registry.hear(asked.user, beat.boot, now)
        effects = tell(changes, self.fleet)
        if not known:
            return [Send(asked.route, self._beat(None, now)), *effects]
        agent = self.fleet.registry.agents[asked.user]
        agent.last_seq, lost = beat.last_seq, beat.dropped - agent.dropped
        agent.dropped = beat.dropped
        agent.roster_lost = agent.roster_lost or beat.roster != agent.roster_number
        if lost > 0:
            effects += note(agent, {"note": "facts dropped", "count": lost, "agent": agent.id}, now.wall)
        current = agent.counted == self.doubts
        answer = [Send(asked.route, self._beat(agent, now))] if current else self._recount(asked, agent)
        return [*answer, *effects, *self._clock(agent, beat.wall, now)]

    def doubt(self, why: str) -> Effects:
        """What the store acknowledged last may be missing: every agent's number is read again when it is heard."""
        self.doubts += 1
        return [Say(f"store: {why}; agents are asked for facts that it may have lost")]

    def _recount(self, asked: Asked, agent: Agent) -> Effects:
        """The answer to a heartbeat, once the store has told how far the agent's facts are kept."""
        doubt, boot = self.doubts, agent.said.boot

        def counted(durable: Any, error: str, now: Instant) -> Effects:
            if not error and agent.said.boot == boot:
                agent.durable, agent.counted = int(durable), doubt
            return [Send(asked.route, self._beat(agent, now))]

        return [Store("durable", (agent.id, boot), counted)]

    def _beat(self, agent: Agent | None, now: Instant) -> M.Beat:
        fleet = self.fleet
        return M.Beat(
            durable=agent.durable if agent else 0,
            wall=now.wall,
            watch=agent is not None and self._is_watched(agent.id),
            want_roster=agent is not None and agent.roster_lost,
            register=agent is None,
            epoch=fleet.epoch,
            hubs=self._hubs(agent),
            period=self.pace.period if self.pace.changed > float("-inf") else None,
            elsewhere=self.compass is not None and self.compass.elsewhere(now),
            rekey=agent is not None and agent.id in fleet.rekeying,
            want_hello=agent is not None and agent.id not in fleet.routes,
        )

    def _hubs(self, agent: Agent | None) -> tuple[M.HubAddress, ...]:
        """All hubs, if this agent is to be told."""
        if self.compass is not None:
            return self.compass.news_for(agent.id) if agent else ()
        return self.fleet.settings.addresses if self.fleet.settings.standing.next else ()

    def _is_watched(self, agent: str) -> bool:
        return any(f"sample/{agent}".startswith(topic) for topic in self.fleet.watched)

    def _roster(self, asked: Asked, roster: M.Roster, now: Instant) -> Effects:
        agent, effects = self._sender(asked, roster.boot, now)
        if agent is not None:
            agent.show(roster)
            effects += [keep(agent, self.fleet)] if self.fleet.settings.shared else []
            effects.append(Store("put_roster", (agent.id, roster.boot, roster.number, roster.rows)))
        return [Send(asked.route, M.Ack(agent.durable if agent else 0)), *effects]

    def _facts(self, asked: Asked, facts: M.Facts, now: Instant) -> Effects:
        agent = self.fleet.registry.agents.get(asked.user)
        _, effects = self._sender(asked, facts.boot, now)
        if agent is None or agent.said.boot != facts.boot:
            return [Send(asked.route, M.Ack(0)), *effects]
        effects += self._news(agent, facts.facts)  # also of an agent that left: facts may not be lost
        if agent.durable < facts.first_seq - 1:
            effects.append(Store("skip_facts", (agent.id, facts.boot, facts.first_seq)))

        def kept(durable: Any, error: str, now: Instant) -> Effects:
            if not error and agent.said.boot == facts.boot:
                agent.durable = int(durable)
            return [Send(asked.route, M.Ack(agent.durable)), *([Say(f"facts of {agent.id}: {error}")] if error else [])]

        return [*effects, Store("append_facts", (agent.id, facts.boot, facts.facts, agent.offset), kept)]

    def _goodbye(self, asked: Asked, goodbye: M.Goodbye, now: Instant) -> Effects:
        agent, effects = self._sender(asked, goodbye.boot, now)
        if agent is not None:
            effects += tell(self.fleet.registry.leave(agent.id, f"goodbye: {goodbye.reason}", now), self.fleet)
            self.fleet.routes.pop(agent.id, None)
            effects += self.compass.gone([agent]) if self.compass else []
        return [Send(asked.route, M.Ack(agent.durable if agent else 0)), *effects]

    def _hello(self, asked: Asked, hello: M.Hello, now: Instant) -> Effects:
        self.fleet.routes[asked.user] = asked.route
        return self.ready(asked.user, now)

    def undelivered(self, event: Undelivered) -> Effects:
        """Its command route is dead: the next heartbeat is answered with the wish for a new one."""
        self.fleet.routes.pop(event.agent, None)
        return []

    # -- publications ------------------------------------------------------------------------------------------------

    def hear(self, event: Published, now: Instant) -> Effects:
        """A sample or live event; one that does not fit what was registered is dropped."""
        agent = self.fleet.registry.agents.get(event.user)
        message = event.message
        if agent is None or event.user not in self.fleet.agent_keys or not agent.listed:
            return []
        if isinstance(message, M.Event) and message.boot == agent.said.boot:
            return self._news(agent, (message.fact,))
        if isinstance(message, M.Sample) and message.boot == agent.said.boot:
            return self._sample(agent, message, now)
        return []

    def _sample(self, agent: Agent, sample: M.Sample, now: Instant) -> Effects:
        at = sample.at + agent.offset
        agent.sample, agent.sampled_at = sample, at

        def kept(known: Any, error: str, now: Instant) -> Effects:
            agent.roster_lost = agent.roster_lost or known is False
            return []

        container = self.fleet.picture.container_of.get(agent.id, agent.id)
        effects: Effects = [
            Store("put_samples", (agent.id, sample.boot, sample.roster, at, sample.processes), kept),
        ]
        if not self._measured(container, now):
            effects.append(Store("put_container", (container, at, container_values(sample))))
        if self._is_watched(agent.id):
            body = {"at": at, "roster": sample.roster, "processes": sample.processes, "container": sample.container}
            effects.append(Publish(f"sample/{agent.id}", body))
        return effects

    def _measured(self, container: str, now: Instant) -> bool:
        """Whether its engine measures this container; then the agent's figures are not kept a second time."""
        sample = self.fleet.samples.get(container)
        return sample is not None and now.wall - sample.at < 3 * self.fleet.settings.sample_period

    # -- shared ------------------------------------------------------------------------------------------------------

    def _sender(self, asked: Asked, boot: str, now: Instant) -> tuple[Agent | None, Effects]:
        """The agent behind a request, if it registered with this boot; a request is a sign of life too."""
        known, changes = self.fleet.registry.hear(asked.user, boot, now)
        return self.fleet.registry.agents[asked.user] if known else None, tell(changes, self.fleet)

    def _news(self, agent: Agent, facts: tuple[Fact, ...]) -> Effects:
        """Takes facts into the picture; those not told yet go to the feed."""
        effects: Effects = []
        for fact in facts:
            agent.apply(fact)
            if fact.seq > agent.told:
                agent.told = fact.seq
                body = {"agent": agent.id, "name": self.fleet.name_of(agent), "fact": plain(fact)}
                effects.append(Publish(f"fact/{agent.id}", body))
                effects += self.told(agent, fact)
        return effects

    def _clock(self, agent: Agent, wall: float, now: Instant) -> Effects:
        skew = self.fleet.registry.clock(agent.id, wall, now)
        if skew is None:
            return []
        body: dict[str, object] = {"note": "clock skew", "agent": agent.id, "seconds": -skew}
        return note(agent, body, now.wall)


def _copy() -> Refusal:
    return Refusal(
        "duplicate", "another container uses this key and was there first", "this one has to enrol with its own"
    )
