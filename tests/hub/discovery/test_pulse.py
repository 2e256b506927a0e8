"""hub/discovery/pulse.py: heartbeats that are taken together end as they would one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import words
from hub.discovery.registry import Agent
from tests.support.corehub import CoreHub
from tests.support.corehubs import CoreHubs
from wire.messages import Beat, Goodbye, Heartbeat, Refused


class Pair:
    """Two hubs to which the same happened: one is told heartbeats one by one, the other all at once."""

    def __init__(self, folder: Path) -> None:
        self.hubs = [CoreHub(folder / name) for name in ("one", "all")]
        self.agents = [[hub.agent(name) for name in ("shop", "bank")] for hub in self.hubs]
        for hub, agents in zip(self.hubs, self.agents, strict=True):
            for agent in agents:
                hub.hello(agent)

    def each(self, change: Callable[[CoreHub, str], object]) -> None:
        for hub, agents in zip(self.hubs, self.agents, strict=True):
            change(hub, agents[0])

    def beat(self, **fields: Any) -> None:
        """The first agent beats so, the second as ever; both hubs answer alike and know the same then."""
        self.each(lambda hub, agent: hub.wait(1.0))
        answers = []
        for hub, agents, joined in zip(self.hubs, self.agents, (False, True), strict=True):
            plain = Heartbeat("b1", 0, 1, hub.now.wall, 5.0, 1, 0, 0.01)
            told = [(agents[0], plain._replace(**fields)), (agents[1], plain)]
            beats = tuple((words.Route("agents", (agent.encode(),)), agent, beat) for agent, beat in told)
            before = len(hub.sent)
            for event in [words.Beaten(beats)] if joined else [words.Asked(r, a, "", b) for r, a, b in beats]:
                hub.feed(event)
            answers.append({send.route.envelope[0].decode(): send.message for send in hub.sent[before:]})
        assert [len(found) for found in answers] == [2, 2]
        assert [answers[0][agent] for agent in self.agents[0]] == [answers[1][agent] for agent in self.agents[1]]
        assert self.known(0) == self.known(1)
        self.answer: Any = answers[1][self.agents[1][0]]

    def known(self, number: int) -> list[tuple[object, ...]]:
        found: list[Agent] = [self.hubs[number].core.fleet.registry.agents[agent] for agent in self.agents[number]]
        return [
            (one.watch, one.heard_at, one.last_seq, one.dropped, one.roster_lost, list(one.offsets), one.skewed)
            for one in found
        ]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_quiet_ones_have_one_answer(pair: Pair) -> None:
    hub, agents = pair.hubs[1], pair.agents[1]
    beats = tuple(
        (words.Route("agents", (agent.encode(),)), agent, Heartbeat("b1", 0, 1, hub.now.wall, 5.0, 1, 0, 0.0))
        for agent in agents
    )
    (answer,) = hub.core.handle(words.Beaten(beats), hub.now)
    assert isinstance(answer, words.Answer) and [kept for _, kept in answer.routes] == [0, 0]
    assert 'Heartbeat"} 2' in hub.query("metrics")


@pytest.mark.parametrize(
    "fields",
    [{}, {"last_seq": 7}, {"roster": 2}, {"roster": 0}, {"dropped": 3}, {"wall": 1.0}, {"boot": "b2"}, {"mono": 9.0}],
    ids=str,
)
def test_whatever_it_says(pair: Pair, fields: dict[str, Any]) -> None:
    pair.beat(**fields)
    pair.beat(**fields)


def test_whatever_the_hub_has_to_tell(pair: Pair) -> None:
    pair.each(lambda hub, agent: hub.core.fleet.routes.pop(agent))
    pair.beat()
    assert pair.answer.want_hello
    pair.each(lambda hub, agent: hub.core.fleet.rekeying.add(agent))
    pair.beat()
    assert pair.answer.rekey
    pair.each(lambda hub, agent: hub.feed(words.Watched(f"sample/{agent}", True)))
    pair.beat()
    assert pair.answer.watch
    pair.each(lambda hub, agent: hub.feed(words.StoreNews(None, "it was away")))
    pair.beat()


def test_late_ones_and_those_that_left(pair: Pair) -> None:
    pair.each(lambda hub, agent: hub.wait(3.5))
    pair.beat()
    pair.each(lambda hub, agent: hub.ask("agents", agent, Goodbye("b1", "shutdown", 0)))
    pair.beat()
    assert pair.answer.register


def test_a_key_that_was_removed_is_refused(pair: Pair) -> None:
    pair.each(lambda hub, agent: hub.core.fleet.remove_key(hub.core.fleet.agent_keys[agent].public))
    pair.beat()
    assert isinstance(pair.answer, Refused)


def test_of_one_agent_every_heartbeat_is_answered(pair: Pair) -> None:
    hub, agent = pair.hubs[1], pair.agents[1][0]
    beat = Heartbeat("b1", 0, 1, hub.now.wall, 5.0, 1, 0, 0.0)
    before = len(hub.sent)
    hub.feed(words.Beaten(tuple((words.Route("agents", (bytes([n]),)), agent, beat) for n in range(3))))
    assert sorted(send.route.envelope[0][0] for send in hub.sent[before:]) == [0, 1, 2]


def test_among_hubs_only_those_at_home_are_quiet(tmp_path: Path) -> None:
    fleet = CoreHubs(tmp_path, 2)
    agent = fleet.agent("a")
    home = fleet.home(agent)
    guest = next(hub for hub in fleet.hubs if hub is not home)
    boot = home.core.fleet.registry.agents[agent].said.boot
    found = []
    for hub in (home, guest):
        hub.hello(agent, boot)
        beat = Heartbeat(boot, 0, 1, hub.now.wall, 5.0, hub.core.fleet.registry.agents[agent].roster_number, 0, 0.0)
        hub.feed(words.Asked(words.Route("agents", (b"x",)), agent, "", beat))
        effects = hub.core.handle(words.Beaten(((words.Route("agents", (b"x",)), agent, beat),)), hub.now)
        found.append([type(effect) for effect in effects if isinstance(effect, (words.Answer, words.Send))])
        hub.carry_out(effects)
    assert found == [[words.Answer], [words.Send]]
    assert isinstance(guest.sent[-1].message, Beat) and not guest.sent[-1].message.want_hello
