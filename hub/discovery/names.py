"""Who a typed word may mean: agents by name, host name, and the beginning of their ids, without looking at all of them.

Theory.  What agents are called changes when they register, leave, or are joined to a container; whoever changes that
notes the agent in `Registry.touched`, and the next question brings just these up to date.  So a command to one of ten
thousand agents costs what a command to one of ten does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set

from hub.fleet import Fleet
from wire._record import Record

ID_CHARS = 6
"""Shortest prefix of an id that counts as one (hub.commands.selectors)."""


class Called(Record):
    """What one agent is called."""

    words: frozenset[str]
    ids: tuple[str, ...]


NOBODY = Called(frozenset(), ())


class Names:
    """An index over a fleet's agents, the listed ones and those that left."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._called: dict[str, Called] = {}
        self._words: defaultdict[str, set[str]] = defaultdict(set)
        self._heads: defaultdict[str, set[str]] = defaultdict(set)
        """Beginning of an id -> agents."""

    def find(self, text: str) -> list[str]:
        """Ids of the agents that this plain word may mean."""
        self._catch_up()
        found = set(self._words.get(text, ()))
        for agent in self._heads.get(text[:ID_CHARS], ()) if len(text) >= ID_CHARS else ():
            if any(one.startswith(text) for one in self._called[agent].ids):
                found.add(agent)
        return sorted(found)

    def _catch_up(self) -> None:
        touched = self._fleet.registry.touched
        while touched:
            agent = touched.pop()
            before, now = self._called.pop(agent, NOBODY), self._now(agent)
            if now is not NOBODY:
                self._called[agent] = now
            _move(self._words, agent, before.words, now.words)
            _move(self._heads, agent, {one[:ID_CHARS] for one in before.ids}, {one[:ID_CHARS] for one in now.ids})

    def _now(self, agent_id: str) -> Called:
        agent = self._fleet.registry.agents.get(agent_id)
        if agent is None:
            return NOBODY
        container = self._fleet.picture.container_of.get(agent_id)
        words = frozenset((self._fleet.name_of(agent), agent.said.hostname))
        return Called(words, (agent_id, *([container] if container else [])))


def _move(index: dict[str, set[str]], agent: str, old: Set[str], new: Set[str]) -> None:
    for word in old - new:
        index[word].discard(agent)
        if not index[word]:
            del index[word]
    for word in new - old:
        index[word].add(agent)
