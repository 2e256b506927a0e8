"""Where agents are served: registration, heartbeats, rosters, facts, goodbyes, samples.

Theory.  Every request is answered at once, except two that wait for the disk: a registration (it needs to know how far
this boot's facts are kept) and facts (they are acknowledged only when they are durable).  A request that waits too long
is void at the agent's side and comes again; all of them may be repeated.  Whoever has no live key, or claims another
boot than it registered, is told so and nothing else happens.

A store may lose what it had acknowledged (a failover, a restart from an older file), and while it is away it refuses
facts.  After such a `doubt`, and when it is back, each agent's next heartbeat waits for the store too: its answer tells
how far the facts are kept now, and asks for what follows, so that it comes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from hub.clock import Instant
from hub.cluster.editions import NEWCOMER
from hub.discovery.doubles import Doubles
from hub.discovery.notices import keep, note, tell
from hub.discovery.registry import Agent
from hub.errors import Refusal
from hub.figures import container_values
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import ContainerSample, Sample, Taking
from hub.words import Asked, Effects, Publish, Published, Sampled, Say, Send, Store, Undelivered
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

    def news_for(self, agent: str, sign: float) -> tuple[M.HubAddress, ...]:
        """The hubs, home first, unless the agent knows them by now; `sign` changes when an answer has reached it."""

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub."""

    def refuge(self, agent: str, now: Instant) -> tuple[M.HubAddress, ...]:
        """Hubs with room, where this one is full and does not serve the agent; else none."""

    def gone(self, agents: Iterable[Agent]) -> Effects:
        """These agents left."""

    def samples(self, agent: str, now: Instant) -> bool:
        """A sample of this agent came: where it is served (True), that is a sign of life."""


class Desk:
    """Serves the agents of a fleet."""

    def __init__(self, fleet: Fleet, ready: Ready, told: Told) -> None:
        self.fleet = fleet
        self.ready = ready
        self.told = told
        self.doubles = Doubles()
        self.compass: Compass | None = None
        """Where other hubs are, if there may be any."""
        self._registering: dict[tuple[str, str], tuple[Asked, M.Register]] = {}
        """(agent, boot) -> the newest request to register: the ones before it were given up."""
        self._raising = 0
        """Highest epoch that was asked for and not given yet."""
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

        if self.compass is not None and self.compass.elsewhere(now):  # who waits for a blind hub is heard by nobody
            return [Send(asked.route, self._beat(None, now))]
        refuge = self.compass.refuge(asked.user, now) if self.compass else ()
        if refuge:
            turned_away = self._beat(None, now)._replace(hubs=refuge, elsewhere=True)
            return [Send(asked.route, turned_away)]
        key = (asked.user, said.boot)
        waits, self._registering[key] = key in self._registering, (asked, said)
        if waits:
            return []

        def known(durable: Any, error: str, now: Instant) -> Effects:
            newest, said = self._registering.pop(key)
            if error and self.compass is not None:  # another hub may see the store
                return [Send(newest.route, self._beat(None, now)._replace(elsewhere=True))]
            return [] if error else self._admit(newest, said, int(durable), now)

        return [*self._raise_epoch(said.epoch), Store("durable", (asked.user, said.boot), known)]

    def _raise_epoch(self, reported: int) -> Effects:
        """An agent has seen a higher epoch than ours (another hub, or a store that was wiped): take a higher one."""
        if reported <= max(self.fleet.epoch, self._raising):
            return []
        self._raising = reported

        def taken(epoch: Any, error: str, now: Instant) -> Effects:
            self._raising = 0
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
            period=self.fleet.load.pace.period,
            sample_period=settings.sample_period,
            durable=durable,
            wall=now.wall,
            want_roster=True,
            server_keys=tuple(address.key for address in settings.addresses[:1]),
            hubs=self.compass.news_for(agent.id, NEWCOMER) if self.compass else (),
        )
        return [Send(asked.route, answer), *effects, *self.clock(agent, said.wall, now)]

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
        current = agent.counted == self.doubts or self.fleet.store_away is not None  # it tells nothing now
        sign = beat.round_trip
        answer = [Send(asked.route, self._beat(agent, now, sign))] if current else self._recount(asked, agent, sign)
        return [*answer, *effects, *self.clock(agent, beat.wall, now)]

    def tick(self, busy: float | None, now: Instant) -> Effects:
        """How busy the loop was, if that was looked at: agents may have to keep to another period."""
        load = self.fleet.load
        line = "" if busy is None else load.look(busy, now.mono)
        if self.compass is None:
            load.count(len(self.fleet.routes), now.wall)
        self.fleet.registry.period = load.pace.watched(now.mono)
        return [Say(line)] if line else []

    def doubt(self, why: str) -> Effects:
        """What the store acknowledged last may be missing: every agent's number is read again when it is heard."""
        self.doubts += 1
        return [Say(f"store: {why}; agents are asked for facts that it may have lost")]

    def _recount(self, asked: Asked, agent: Agent, sign: float) -> Effects:
        """The answer to a heartbeat, once the store has told how far the agent's facts are kept."""
        doubt, boot = self.doubts, agent.said.boot

        def counted(durable: Any, error: str, now: Instant) -> Effects:
            told = not error and agent.said.boot == boot
            if told:
                agent.durable, agent.counted = int(durable), doubt
            return [Send(asked.route, self._beat(agent, now, sign)._replace(again=told))]

        return [Store("durable", (agent.id, boot), counted)]

    def _beat(self, agent: Agent | None, now: Instant, sign: float = 0.0) -> M.Beat:
        fleet = self.fleet
        return M.Beat(
            durable=agent.durable if agent else 0,
            wall=now.wall,
            watch=agent is not None and self.is_watched(agent.id),
            want_roster=agent is not None and agent.roster_lost,
            register=agent is None,
            epoch=fleet.epoch,
            hubs=self._hubs(agent, sign),
            period=fleet.load.pace.told,
            elsewhere=self.compass is not None and self.compass.elsewhere(now),
            rekey=agent is not None and agent.id in fleet.rekeying,
            want_hello=agent is not None and agent.id not in fleet.routes,
        )

    def _hubs(self, agent: Agent | None, sign: float) -> tuple[M.HubAddress, ...]:
        """All hubs, if this agent is to be told."""
        if self.compass is not None:
            return self.compass.news_for(agent.id, sign) if agent else ()
        return self.fleet.settings.addresses if self.fleet.settings.standing.next else ()

    def is_watched(self, agent: str) -> bool:
        """Whether somebody follows its samples."""
        name = f"sample/{agent}"
        return any(name.startswith(topic) for topic in self.fleet.watched) or self.fleet.followed(name)

    def _roster(self, asked: Asked, roster: M.Roster, now: Instant) -> Effects:
        agent, effects = self._sender(asked, roster.boot, now)
        if agent is not None and not roster.past:
            agent.show(roster)
            effects += [keep(agent, self.fleet)] if self.fleet.settings.shared else []
        if agent is not None:
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
        return [*self._sender(asked, hello.boot, now)[1], *self.ready(asked.user, now)]

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
        if isinstance(message, M.Sample):
            return self.sample(Sampled(((event.user, message),)), now)
        return []

    def sample(self, event: Sampled, now: Instant) -> Effects:
        """Samples; one that does not fit what was registered is dropped."""
        agents, keys, container_of = self.fleet.registry.agents, self.fleet.agent_keys, self.fleet.picture.container_of
        taken: list[Sample] = []
        containers: list[ContainerSample] = []
        told: Effects = []
        watching = self.fleet.watched or self.fleet.followers
        for user, sample in event.samples:
            agent = agents.get(user)
            if agent is None or user not in keys or not agent.listed or sample.boot != agent.said.boot:
                continue
            if self.compass is None or self.compass.samples(user, now):
                told += tell(self.fleet.registry.hear(user, sample.boot, now)[1], self.fleet)
            at = sample.at + agent.offset
            newest = agent.sample
            old = newest is not None and newest.boot == sample.boot and sample.mono <= newest.mono
            if not old:  # one that was kept while the agent was cut off fills history, and is not the present
                agent.sample, agent.sampled_at = sample, at
            taken.append((user, sample.boot, sample.roster, at, sample.processes))
            container = container_of.get(user, user)
            if not self._measured(container, now):
                containers.append((container, at, container_values(sample)))
            if watching and not old and self.is_watched(user):
                body = {"at": at, "roster": sample.roster, "processes": sample.processes, "container": sample.container}
                told.append(Publish(f"sample/{user}", body))
        return [Store("take_samples", (taken, containers), self._sampled), *told] if taken else told

    def _sampled(self, taking: Taking | None, error: str, now: Instant) -> Effects:
        """Agents whose roster the store lacks are asked for it."""
        agents = self.fleet.registry.agents
        for user in taking.unknown if taking is not None else ():
            if user in agents:
                agents[user].roster_lost = True
        return []

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

    def clock(self, agent: Agent, wall: float, now: Instant) -> Effects:
        """Notes its clock; tells where that just turned out to be wrong."""
        skew = self.fleet.registry.clock(agent.id, wall, now)
        if skew is None:
            return []
        body: dict[str, object] = {"note": "clock skew", "agent": agent.id, "seconds": -skew}
        return note(agent, body, now.wall)


def _copy() -> Refusal:
    return Refusal(
        "duplicate", "another container uses this key and was there first", "this one has to enrol with its own"
    )
