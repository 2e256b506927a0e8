"""The hubs of a cluster as people are shown them, by one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.clock import Instant
from hub.cluster.rendezvous import poller
from hub.cluster.rows import LeaseRow

if TYPE_CHECKING:
    from hub.cluster.room import Cluster


def shown(cluster: Cluster, now: Instant) -> list[dict[str, Any]]:
    """One row a member, by name."""
    return [_row(cluster, row, now) for row in cluster.members.hubs()]


def _row(cluster: Cluster, row: LeaseRow, now: Instant) -> dict[str, Any]:
    own, hubs = row.hub == cluster.name, cluster.members.hubs()
    return {
        "hub": row.hub, "state": _state(cluster, row, now), "epoch": row.epoch, "born": row.born,
        "agents": cluster.fleet.load.agents if own else row.load, "capacity": row.capacity,
        "homes": sum(1 for home in cluster.homes.of.values() if home == row.hub),
        "engines": [one for one in row.engines if poller(one, hubs) == row.hub],
        "peer": row.peer, "key": row.addresses[0][3] if row.addresses else "", "version": row.version, "self": own,
        "age": max(now.steady - cluster.members.sightings[row.hub].changed, 0.0),
    }  # fmt: skip


def _state(cluster: Cluster, row: LeaseRow, now: Instant) -> str:
    if row.hub == cluster.name and not row.draining:
        return str(cluster.lease.standing(now.steady))
    return "draining" if row.draining else "member"
