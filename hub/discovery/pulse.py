"""The heartbeats of a pass, taken together: thousands a second, of which nearly all change nothing.

Theory.  A heartbeat is *quiet* if all it says is what the hub knows already, and its answer has nothing to tell but how
far the agent's facts are kept: the agent is live here, at home, has its command route, and knows the hubs; the store
has its roster; nobody watches it.  All quiet ones of a pass get one watch, one note that they were heard, and one
answer.  Each other one goes the long way (`Desk.take`), by which all of this comes about, so this is only a shorter way
to the same end: whatever is added to an answer belongs there, with a condition here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from hub.clock import Instant
from hub.discovery.desk import Desk
from hub.discovery.liveness import Watch
from hub.words import Answer, Asked, Beaten, Effects, Route
from wire import messages as M
from wire.model import Presence

LongWay = Callable[[Asked, Instant], Effects]


class Others(Protocol):
    """What is needed of hub.cluster.rhythm.Rhythm."""

    def is_quiet(self, agent: str, now: Instant) -> bool:
        """Whether a heartbeat of this agent is no news to the hubs, nor these to it."""

    def beaten(self, agents: Collection[str], now: Instant) -> None:
        """Heartbeats that are quiet came of these."""

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub."""


class Pulse:
    """`otherwise` serves what is not quiet; `others` knows of other hubs, where there may be any."""

    def __init__(self, desk: Desk, otherwise: LongWay, others: Others | None) -> None:
        self.desk, self.fleet, self.otherwise, self.others = desk, desk.fleet, otherwise, others

    def take(self, event: Beaten, now: Instant) -> Effects:
        """The effects of these heartbeats; the answers to all quiet ones come first."""
        registry, quiet, rest = self.fleet.registry, dict[str, tuple[Route, M.Heartbeat]](), list[Asked]()
        watch, usual = Watch(Presence.LIVE, now.attention, registry.period), self._is_usual()
        for route, user, beat in event.beats:
            if usual and user not in quiet and self._is_quiet(user, beat, now):
                quiet[user] = (route, beat)
                agent = registry.agents[user]
                agent.watch, agent.heard_at, agent.last_seq = watch, now.wall, beat.last_seq
            else:
                rest.append(Asked(route, user, "", beat))
        effects: Effects = [self._answer(quiet, now)] if quiet else []
        if self.others is not None:
            self.others.beaten(quiet.keys(), now)
        for user, (_, beat) in quiet.items():
            effects += self.desk.clock(registry.agents[user], beat.wall, now)
        return [*effects, *(effect for asked in rest for effect in self.otherwise(asked, now))]

    def _is_usual(self) -> bool:
        """Whether there is nothing that all agents are to be told."""
        return self.others is not None or not self.fleet.settings.standing.next

    def _is_quiet(self, user: str, beat: M.Heartbeat, now: Instant) -> bool:
        fleet, desk = self.fleet, self.desk
        agent = fleet.registry.agents.get(user)
        return (
            agent is not None
            and agent.watch.presence is Presence.LIVE
            and user in fleet.registry.met
            and agent.said.boot == beat.boot
            and agent.dropped == beat.dropped
            and agent.roster_number == beat.roster
            and not agent.roster_lost
            and agent.counted == desk.doubts
            and user in fleet.routes
            and user in fleet.agent_keys
            and user not in fleet.rekeying
            and (self.others is None or self.others.is_quiet(user, now))
            and not ((fleet.watched or fleet.followers) and desk.is_watched(user))
        )

    def _answer(self, quiet: dict[str, tuple[Route, M.Heartbeat]], now: Instant) -> Answer:
        agents, fleet = self.fleet.registry.agents, self.fleet
        beat = M.Beat(
            0, now.wall, watch=False, want_roster=False, register=False, epoch=fleet.epoch, hubs=(),
            period=fleet.load.pace.told, elsewhere=self.others is not None and self.others.elsewhere(now),
        )  # fmt: skip
        return Answer(beat, tuple((route, agents[user].durable) for user, (route, _) in quiet.items()))
