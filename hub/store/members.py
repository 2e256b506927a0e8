"""The hubs and when agents were heard last, in SQLite: a single hub is a cluster of one.

Every method compares and writes inside one transaction.  The file is locked by the hub that has it open, so nobody else
can take the lease; it is kept all the same, since epochs must grow over restarts and a hub shows itself by its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.cluster.rows import LeaseRow, SeenRow, Taken
from hub.store.authority import Authority
from hub.store.ledger import rows
from hub.store.packing import pack
from wire.model import Presence

__all__ = ["Members"]

LEFT = (Presence.LOST, Presence.GONE)
_SEEN = "SELECT agent, hub, at, mark, presence FROM seen"


class Members(Authority):
    """The part of the embedded store about the cluster (abstract: samples are missing)."""

    def take_lease(self, row: LeaseRow, above: int = 0) -> Taken:
        with self._database.write() as connection:
            epoch = self.next_epoch(above)
            values = (row.hub, pack(row._replace(born=epoch, epoch=epoch)))
            connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", values)
            return Taken(epoch, self.leases())

    def renew_lease(self, row: LeaseRow, heard: Mapping[str, float] | None = None) -> tuple[LeaseRow, ...] | None:
        with self._database.write() as connection:
            if self._born(row.hub) != row.born:
                return None
            self.hear_agents(row.hub, heard or {})
            connection.execute("UPDATE leases SET body = ? WHERE hub = ?", (pack(row), row.hub))
            return self.leases()

    def drop_lease(self, hub: str, born: int, beat: int | None = None) -> bool:
        with self._database.write() as connection:
            found = next((row for row in self.leases() if row.hub == hub), None)
            if found is None or found.born != born or beat not in (None, found.beat):
                return False
            return connection.execute("DELETE FROM leases WHERE hub = ?", (hub,)).rowcount > 0

    def leases(self) -> tuple[LeaseRow, ...]:
        return rows(self._database, LeaseRow, "SELECT body FROM leases ORDER BY hub")

    def _born(self, hub: str) -> int | None:
        return next((row.born for row in self.leases() if row.hub == hub), None)

    def hear_agents(self, hub: str, heard: Mapping[str, float]) -> tuple[str, ...]:
        with self._database.write() as connection:
            left = {row.agent for row in self.seen(tuple(heard)) if row.presence in LEFT}
            connection.executemany(_HEAR, [(agent, hub, at) for agent, at in heard.items()])
            return tuple(sorted(left))

    def judge_agent(
        self, agent: str, presence: Presence, mark: int | None = None, judge: LeaseRow | None = None
    ) -> bool:
        with self._database.write() as connection:
            if judge is not None and not any(row.covers(judge) for row in self.leases()):
                return False
            change = "UPDATE seen SET presence = ?1 WHERE agent = ?2 AND presence != ?1 AND (?3 IS NULL OR mark = ?3)"
            return connection.execute(change, (Presence(presence).value, agent, mark)).rowcount > 0

    def seen(self, agents: Sequence[str] | None = None) -> tuple[SeenRow, ...]:
        if agents is None:
            found = self._database.read(f"{_SEEN} ORDER BY agent")
        else:
            found = [
                row for agent in sorted(set(agents)) for row in self._database.read(f"{_SEEN} WHERE agent = ?", agent)
            ]
        return tuple(SeenRow(agent, hub, at, mark, Presence(presence)) for agent, hub, at, mark, presence in found)

    def drop_agent(self, agent: str) -> bool:
        with self._database.write() as connection:
            connection.execute("DELETE FROM seen WHERE agent = ?", (agent,))
            return super().drop_agent(agent)


_HEAR = f"""INSERT INTO seen VALUES (?, ?, ?, 1, '{Presence.LIVE.value}') ON CONFLICT(agent) DO UPDATE SET
    hub = excluded.hub, at = max(at, excluded.at), mark = mark + 1, presence = excluded.presence"""
