"""Who is the home of an agent, and who polls an engine: rendezvous hashing over the hubs there are.

Theory.  Every hub scores every agent by hashing both names; an agent's home is the hub with the highest score, and the
hubs in the order of their scores are where it turns to next.  Whoever has the same list computes the same, nothing is
negotiated, and a hub that joins or leaves moves only the agents that it gains or had: 1/n of them.  A hub of capacity w
scores -w / ln(u) with u even in (0, 1), which makes its share w / (sum of all w) (Schindler and others, "weighted
rendezvous hashing").  A score depends on one hub and one agent alone: the order of two hubs never depends on a third,
and the proof in hub.cluster.lease rests on that.  So a capacity does not change during a hub's life.

Draining hubs are home of nobody.  A full hub keeps the agents it has, and is passed over for those enrolled after it
said so; both are conditions on the agent and the row alone, like the score.  If all are full, fullness is ignored: a
crowded home is better than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import log

from hub.cluster.rows import LeaseRow
from wire.messages import HubAddress

ENGINE = "engine/"
"""Put before an engine's name, so that an agent of the same name has a home of its own."""


def score(hub: str, capacity: int, key: str) -> float:
    """The weighted score of one hub for one agent or engine; higher is better."""
    number = int.from_bytes(blake2b(f"{len(hub)}:{hub}{key}".encode(), digest_size=8).digest())
    return -max(capacity, 1) / log(((number >> 11) + 0.5) * 2.0**-53)


def ranking(key: str, enrolled: float, hubs: Iterable[LeaseRow]) -> list[str]:
    """Every hub in the order in which this agent is to turn to them: those that may be its home come first."""
    scored = sorted((-score(row.hub, row.capacity, key), row.hub, row) for row in hubs)
    return [hub for _, hub, row in sorted(scored, key=lambda one: (one[2].draining, _shut(one[2], enrolled)))]


def home(key: str, enrolled: float, hubs: Sequence[LeaseRow]) -> str | None:
    """The home of an agent enrolled at wall time `enrolled`; None where no hub can be one."""
    able = [row for row in hubs if not row.draining]
    able = [row for row in able if not _shut(row, enrolled)] or able
    return max(able, key=lambda row: (score(row.hub, row.capacity, key), row.hub)).hub if able else None


def refuge(key: str, full: str, hubs: Iterable[LeaseRow]) -> tuple[HubAddress, ...]:
    """Where the hubs with room are, in an agent's own order, which is to go there instead of to the full one."""
    able = {row.hub: row for row in hubs if row.hub != full and row.full_at is None and not row.draining}
    return tuple(HubAddress(*place) for hub in ranking(key, 0.0, able.values()) for place in able[hub].addresses)


def poller(engine: str, hubs: Sequence[LeaseRow]) -> str | None:
    """The hub that polls an engine: one of those that can reach it."""
    return home(ENGINE + engine, float("-inf"), [row for row in hubs if engine in row.engines])


def _shut(row: LeaseRow, enrolled: float) -> bool:
    return row.full_at is not None and enrolled > row.full_at


class Homes:
    """The homes of many agents under a changing list: only what a change touches is computed again."""

    def __init__(self) -> None:
        self.of: dict[str, str | None] = {}
        self.enrolled: dict[str, float] = {}
        self.hubs: tuple[LeaseRow, ...] = ()
        self._best: dict[str, float] = {}

    def add(self, agents: Mapping[str, float]) -> None:
        """Agents that are new, with the wall time of their enrolment."""
        for agent, enrolled in agents.items():
            self.enrolled[agent] = enrolled
            self._place(agent)

    def drop(self, agent: str) -> None:
        """An agent that is forgotten."""
        for table in (self.of, self.enrolled, self._best):
            table.pop(agent, None)

    def update(self, hubs: Sequence[LeaseRow]) -> dict[str, tuple[str | None, str | None]]:
        """A new list; returns who moved, as agent -> (from, to)."""
        old, self.hubs = {seat(row) for row in self.hubs}, tuple(hubs)
        new = {seat(row) for row in hubs}
        if old == new:
            return {}
        before = dict(self.of)
        touched, gone = new - old, {one[0] for one in old - new}
        full = any(one[3] is not None for one in old | new)
        joined = [] if full else [row for row in hubs if seat(row) in touched and not row.draining]
        for agent, now in before.items():
            if full or now is None or now in gone:
                self._place(agent)
            else:
                self._challenge(agent, joined)
        return {agent: (was, self.of[agent]) for agent, was in before.items() if was != self.of[agent]}

    def _place(self, agent: str) -> None:
        found = self.of[agent] = home(agent, self.enrolled[agent], self.hubs)
        row = next((row for row in self.hubs if row.hub == found), None)
        self._best[agent] = score(row.hub, row.capacity, agent) if row else 0.0

    def _challenge(self, agent: str, joined: list[LeaseRow]) -> None:
        for row in joined:
            points = score(row.hub, row.capacity, agent)
            if (points, row.hub) > (self._best[agent], self.of[agent] or ""):
                self.of[agent], self._best[agent] = row.hub, points


def seat(row: LeaseRow) -> tuple[str, int, bool, float | None]:
    """What of a row decides homes."""
    return row.hub, row.capacity, row.draining, row.full_at
