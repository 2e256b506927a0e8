"""Three real hubds on one Redis: agents find other hubs, nobody is lost falsely, who lost its lease does not act."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.support.liveagent import joined
from tests.support.livehub import LiveHub
from tests.support.livehubs import Crew, LiveHubs, losses, presences, served
from tests.support.redis import Server
from tests.support.waiting import until
from wire.keys import JoinString

pytestmark = [pytest.mark.redis, pytest.mark.proc]
AGENTS = 12


@pytest.fixture
def crew(hubs: LiveHubs) -> Iterator[Crew]:
    found = Crew(hubs.join(), AGENTS)
    try:
        until(lambda: sum(map(served, hubs.hubs)) == AGENTS, 60.0, "all are served")
        until(lambda: all(list(presences(hub).values()) == ["live"] * AGENTS for hub in hubs.hubs), 30.0)
        yield found
    finally:
        found.close()


def test_a_killed_hub_loses_no_agent_and_no_fact(hubs: LiveHubs, crew: Crew) -> None:
    crew.live(0.5)
    first, *others = hubs.hubs
    until(lambda: served(first), what="some have their home there")
    first.kill()
    until(lambda: sum(map(served, others)) == AGENTS, 30.0, "all are served elsewhere; how soon: script/prove failover")
    until(lambda: set(hubs.states(others[0])) == {"hub-1", "hub-2"}, 30.0)
    crew.live(0)
    until(lambda: crew.ask("untold") == 0, 30.0, "every fact is stored")
    assert not losses(others[0]) and set(presences(others[0]).values()) == {"live"}
    first.start()
    until(lambda: served(first), 30.0, "its agents come home")
    until(lambda: set(presences(first).values()) == {"live"}, 30.0, str(presences(first)))
    assert not losses(first)


def test_a_stopped_hub_does_not_act_until_it_has_a_lease_again(hubs: LiveHubs, crew: Crew) -> None:
    first, *others = hubs.hubs
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    until(lambda: set(hubs.states(others[0])) == {"hub-1", "hub-2"}, 20.0, "the others go on without it")
    until(lambda: sum(map(served, others)) == AGENTS, 30.0)
    first.process.send_signal(signal.SIGCONT)
    until(lambda: first.said("the lease is not held"), 20.0)
    until(lambda: hubs.states(first).get("hub-0") == "acting", 30.0)
    assert not losses(first)


def test_nobody_is_lost_while_redis_is_away(hubs: LiveHubs, crew: Crew, server: Server) -> None:
    crew.live(0.5)
    server.kill()
    until(lambda: all(hub.said("the lease is not held") for hub in hubs.hubs), 30.0, "all are blind")
    server.start()
    until(lambda: all(hubs.states(hub).get(f"hub-{n}") == "acting" for n, hub in enumerate(hubs.hubs)), 60.0)
    crew.live(0)
    until(lambda: crew.ask("untold") == 0, 60.0, "every fact is stored")
    until(lambda: sum(map(served, hubs.hubs)) == AGENTS, 30.0)
    assert not losses(hubs.hubs[0])


def test_a_hub_that_drains_sends_its_agents_away_first(hubs: LiveHubs, crew: Crew) -> None:
    first, *others = hubs.hubs
    others[0].client.query("drain", hub="hub-0")
    assert first.process is not None and first.process.wait(20) == 0
    until(lambda: sum(map(served, others)) == AGENTS, 30.0)
    until(lambda: set(hubs.states(others[0])) == {"hub-1", "hub-2"}, 30.0)
    assert first.said("drained") and not losses(others[0])


def test_what_ends_without_a_word_is_reported_once(hubs: LiveHubs, crew: Crew) -> None:
    crew.process.kill()
    until(lambda: set(presences(hubs.hubs[0]).values()) == {"lost"}, 30.0)
    until(lambda: len(losses(hubs.hubs[1])) == AGENTS, 30.0)


def test_every_hub_shows_and_commands_every_agent(hubs: LiveHubs) -> None:
    agent = joined(JoinString.parse(hubs.join()), "shop-1", "web", "worker")
    agent.live(0.2)
    try:
        for number, hub in enumerate(hubs.hubs):
            until(lambda hub=hub: [row["process"] for row in hub.client.query("ps")] == ["web", "worker"], 20.0)
            answer = hub.client.query("command", verb="restart", targets=["shop-1/web"], id=f"order-{number}")
            assert [row["state"] for row in answer["commands"]] == ["accepted"]
            assert agent.obey().id == f"order-{number}"
            until(
                lambda hub=hub, n=number: state(hub, f"order-{n}") == "done",
                10.0,
                "its end is known where it was asked",
            )
        rows = [row for row in hubs.hubs[0].client.query("audit", limit=1000) if row["action"] == "restart"]
        assert len(rows) == 6, "accepted and done, each once"
    finally:
        agent.close()


def state(hub: LiveHub, order: str) -> str:
    return str(hub.client.query("command_state", id=order)["state"])
