"""The hubs and when agents were heard last, in Redis; every comparison is made under the pen.

Keys, all in the slot of `{pidone}`: `leases` hub -> row; `seen` agent -> [hub, at, mark, presence].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgpack

from hub.cluster.rows import LeaseRow, SeenRow, Taken
from hub.store.packing import pack
from hub.store.redis.authority import Authority
from hub.store.redis.books import Page, field, key
from wire.model import Presence

__all__ = ["Members"]

LEASES, SEEN = key("leases"), key("seen")
LEFT = (Presence.LOST, Presence.GONE)


class Members(Authority):
    """The part of the store about the cluster (abstract: samples are missing)."""

    def take_lease(self, row: LeaseRow, above: int = 0) -> Taken:
        with self._books.write() as page:
            epoch = self._next_epoch(page, above)
            page.put(LEASES, field(row.hub), pack(row._replace(born=epoch, epoch=epoch)))
            return Taken(epoch, self._leases(page.all(LEASES)))

    def renew_lease(self, row: LeaseRow, heard: Mapping[str, float] | None = None) -> tuple[LeaseRow, ...] | None:
        with self._books.write() as page:
            present: LeaseRow | None = self._row(LEASES, LeaseRow, page.get(LEASES, field(row.hub)))
            if present is None or present.born != row.born:
                return None
            if heard:
                self.hear_agents(row.hub, heard)
            page.put(LEASES, field(row.hub), pack(row))
            return self._leases(page.all(LEASES))

    def drop_lease(self, hub: str, born: int, beat: int | None = None) -> bool:
        with self._books.write() as page:
            found: LeaseRow | None = self._row(LEASES, LeaseRow, page.get(LEASES, field(hub)))
            if found is None or found.born != born or beat not in (None, found.beat):
                return False
            page.put(LEASES, field(hub), None)
            return True

    def leases(self) -> tuple[LeaseRow, ...]:
        return self._leases(self._link.call("HGETALL", LEASES))

    def _leases(self, found: Mapping[bytes, bytes]) -> tuple[LeaseRow, ...]:
        return tuple(self._row(LEASES, LeaseRow, data) for _, data in sorted(found.items()))

    def hear_agents(self, hub: str, heard: Mapping[str, float]) -> tuple[str, ...]:
        with self._books.write() as page:
            page.prime(SEEN, [field(agent) for agent in heard])
            before = {agent: _seen(page, agent) for agent in heard}
            for agent, at in heard.items():
                row = before[agent] or SeenRow(agent, hub, at, 0)
                _put(page, row._replace(hub=hub, at=max(row.at, at), mark=row.mark + 1, presence=Presence.LIVE))
            return tuple(sorted(agent for agent, row in before.items() if row and row.presence in LEFT))

    def judge_agent(
        self, agent: str, presence: Presence, mark: int | None = None, judge: LeaseRow | None = None
    ) -> bool:
        with self._books.write() as page:
            if judge is not None:
                present: LeaseRow | None = self._row(LEASES, LeaseRow, page.get(LEASES, field(judge.hub)))
                if present is None or not present.covers(judge):
                    return False
            row = _seen(page, agent)
            if row is None or row.presence == presence or mark not in (None, row.mark):
                return False
            _put(page, row._replace(presence=Presence(presence)))
            return True

    def seen(self, agents: Sequence[str] | None = None) -> tuple[SeenRow, ...]:
        if agents is None:
            found = dict(self._link.call("HGETALL", SEEN))
        else:
            names = [field(agent) for agent in set(agents)]
            found = dict(zip(names, self._link.call("HMGET", SEEN, *names), strict=True)) if names else {}
        return tuple(_row(name.decode(), data) for name, data in sorted(found.items()) if data is not None)

    def drop_agent(self, agent: str) -> bool:
        with self._books.write():
            self._dropped(SEEN, agent)
            return super().drop_agent(agent)


def _seen(page: Page, agent: str) -> SeenRow | None:
    data = page.get(SEEN, field(agent))
    return None if data is None else _row(agent, data)


def _row(agent: str, data: bytes) -> SeenRow:
    hub, at, mark, presence = msgpack.unpackb(data)
    return SeenRow(agent, hub, at, mark, Presence(presence))


def _put(page: Page, row: SeenRow) -> None:
    page.put(SEEN, field(row.agent), pack([row.hub, row.at, row.mark, row.presence.value]))
