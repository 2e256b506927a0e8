"""Heartbeats among several hubs: which of them are no news to anybody, and what is noted of those."""

from __future__ import annotations

from collections.abc import Collection

from hub.clock import Instant
from hub.cluster.room import Cluster


class Rhythm:
    """What hub.discovery.pulse needs of hub.cluster.room; see `Cluster.hear` for all other heartbeats."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def is_quiet(self, agent: str, now: Instant) -> bool:
        """Whether it speaks to this hub, has its home here, is called lost by nobody, and knows the hubs."""
        cluster = self._cluster
        at_home = cluster.homes.of.get(agent) == cluster.name and agent not in cluster.care.lost
        return at_home and cluster.editions.knows(agent) and cluster.serves(agent, now)

    def beaten(self, agents: Collection[str], now: Instant) -> None:
        """Heartbeats that are quiet came of these."""
        self._cluster.spoke |= dict.fromkeys(agents, now.attention)
        self._cluster.care.beaten(agents, now.attention, self._cluster.fleet.registry.period)

    def elsewhere(self, now: Instant) -> bool:
        """Whether agents are better off at another hub."""
        return self._cluster.elsewhere(now)
