"""Three hubs of one store in virtual time: who is lost, when that is told, and by whom nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.engines.reports import ContainerEvent
from hub.words import Stored
from tests.support.corehub import container, listing
from tests.support.corehubs import CoreHubs
from wire import messages as M
from wire.keys import KeyPair

PERIOD = 2.0
NOTICED = 3 * PERIOD + 0.5
GRACE = 2 * PERIOD


@pytest.fixture
def hubs(tmp_path: Path) -> CoreHubs:
    return CoreHubs(tmp_path)


def test_who_falls_silent_is_lost_within_three_periods_and_a_half_second(hubs: CoreHubs) -> None:
    agents = hubs.agents(6)
    hubs.wait(20.0)
    for agent in agents[:3]:
        hubs.vanish(agent)
        assert hubs.until(lambda agent=agent: hubs.lost(agent), 20.0) <= NOTICED  # type: ignore[misc]
    hubs.wait(20.0)
    assert [hubs.losses(agent) for agent in agents] == [1, 1, 1, 0, 0, 0]
    assert all(hub.presence(agents[0]) == "lost" for hub in hubs.hubs), "every hub knows"


def test_nobody_is_called_lost_before_three_periods(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    hubs.wait(20.0)
    last = hubs.places[agent][1] - PERIOD
    hubs.vanish(agent)
    hubs.until(lambda: hubs.lost(agent), 20.0)
    assert hubs.mono - last >= 3 * PERIOD


def test_a_guest_of_another_hub_is_not_lost_until_it_is_silent_there(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    other = next(hub for hub in hubs.hubs if hub is not hubs.home(agent))
    hubs.speak(agent, other)
    hubs.wait(60.0)
    assert not hubs.losses()
    hubs.vanish(agent)
    assert hubs.until(lambda: hubs.lost(agent), 30.0) <= 3 * NOTICED, "and a guest may always be on its way"
    assert hubs.losses() == 1


def test_a_hub_that_cannot_write_whom_it_hears_is_waited_for(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    home = hubs.home(agent)
    other = next(hub for hub in hubs.hubs if hub is not home)
    hubs.wait(10.0)
    hubs.until(lambda: hubs.places[agent][1] - hubs.mono < 0.3, 3.0)
    other.away = True
    hubs.speak(agent, other)
    hubs.until(lambda: other.cluster.elsewhere(other.now), 10.0)
    hubs.speak(agent, home)
    hubs.wait(20.0)
    assert not hubs.losses(), "it was heard all the time"


def test_the_agents_of_a_dead_hub_have_their_grace_and_who_died_with_it_is_told(hubs: CoreHubs) -> None:
    agents = hubs.agents(8)
    dead = hubs.home(agents[0])
    hubs.wait(10.0)
    dead.dead, begun = True, hubs.mono
    hubs.vanish(agents[0])
    alive = [hub for hub in hubs.hubs if hub is not dead]
    hubs.wait(2.4 * PERIOD)
    for agent in agents[1:]:
        if hubs.places[agent][0] is dead:
            hubs.speak(agent, alive[0])
    hubs.until(lambda: hubs.lost(agents[0]), 30.0)
    assert hubs.mono - begun <= NOTICED + GRACE
    hubs.wait(30.0)
    assert hubs.losses() == 1


def test_who_dies_at_one_hub_while_another_is_dead_is_told_after_one_grace(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    dead = next(hub for hub in hubs.hubs if hub is not hubs.home(agent))
    hubs.wait(10.0)
    dead.dead = True
    hubs.vanish(agent)
    assert hubs.until(lambda: hubs.lost(agent), 30.0) <= NOTICED + GRACE


def test_while_the_store_is_away_nobody_acts_and_afterwards_who_vanished_is_told_once(hubs: CoreHubs) -> None:
    agents = hubs.agents(4)
    for hub in hubs.hubs:
        hub.away = True
    hubs.wait(5.0)
    hubs.vanish(agents[0])
    hubs.wait(30.0)
    assert not any(hub.cluster.acts(hub.now) for hub in hubs.hubs)
    assert all(not hub.polled[-1].engines for hub in hubs.hubs), "no engine is polled"
    assert not hubs.losses() and all(hub.presence(agents[0]) != "lost" for hub in hubs.hubs)
    for hub in hubs.hubs:
        hub.away = False
    assert hubs.until(lambda: hubs.lost(agents[0]), 30.0) <= GRACE + 1.5
    hubs.wait(30.0)
    assert hubs.losses() == 1


def test_a_hub_that_is_stopped_for_two_seconds_of_ten_loses_nobody(hubs: CoreHubs) -> None:
    hubs.agents(6)
    for _ in range(6):
        hubs.wait(8.0)
        hubs.hubs[0].paused = True
        hubs.wait(2.0)
        hubs.hubs[0].paused = False
    assert not hubs.losses()


def test_a_hub_that_slept_past_its_lease_neither_acts_nor_tells_when_it_wakes(hubs: CoreHubs) -> None:
    agents = hubs.agents(6)
    sleeper = hubs.home(agents[0])
    sleeper.paused = True
    hubs.wait(4.0)
    for agent in agents:
        hubs.speak(agent, next(hub for hub in hubs.hubs if hub is not sleeper))
    hubs.wait(30.0)
    sleeper.paused = False
    sleeper.mono = hubs.mono
    assert not sleeper.cluster.acts(sleeper.now)
    hubs.wait(40.0)
    assert not hubs.losses() and sleeper.cluster.acts(sleeper.now)


def test_a_draining_hub_is_left_first_and_loses_nobody(hubs: CoreHubs) -> None:
    agents = hubs.agents(6)
    first = hubs.hubs[0]
    first.carry_out(first.cluster.drain(first.now))
    hubs.until(lambda: all(hubs.home(agent) is not first for agent in agents), 10.0)
    for agent in agents:
        hubs.speak(agent, hubs.home(agent))
    hubs.until(lambda: first.dead, 15.0)
    hubs.wait(30.0)
    assert not hubs.losses() and first.said[-1] == "drained"


def test_one_hub_leads_and_each_agent_is_served_by_the_one_it_speaks_to(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    assert [hub.cluster.leads(hub.now) for hub in hubs.hubs] == [True, False, False]
    hubs.wait(10.0)
    assert [hub.name for hub in hubs.hubs if hub.cluster.serves(agent, hub.now)] == [hubs.home(agent).name]
    states = {row["hub"]: row["state"] for row in hubs.hubs[1].query("hubs")}
    assert states == {"hub-0": "member", "hub-1": "acting", "hub-2": "member"}


def test_a_goodbye_is_told_at_once_and_nobody_calls_it_lost(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    home = hubs.home(agent)
    home.ask("agents", agent, M.Goodbye("boot-a", "SIGTERM", 0))
    hubs.vanish(agent)
    assert hubs.until(lambda: all(hub.presence(agent) == "gone" for hub in hubs.hubs), 5.0) <= 1.0
    hubs.wait(20.0)
    assert not hubs.losses()


def test_an_engines_word_is_told_by_the_hub_that_asks_it_and_nobody_calls_the_dead_lost(hubs: CoreHubs) -> None:
    box = container(1, at=hubs.hubs[0].now.wall)
    agent = hubs.agent("a", container=box.id, started_at=hubs.hubs[0].now.wall)
    asking = next(hub for hub in hubs.hubs if hub is not hubs.home(agent))
    asking.report(*listing(asking.now.wall, box))
    asking.report(ContainerEvent("e1", asking.now.wall + 1.0, box.id, "die", {"exitCode": "137"}))
    hubs.vanish(agent)
    assert asking.presence(agent) == "gone"
    assert hubs.until(lambda: all(hub.presence(agent) == "gone" for hub in hubs.hubs), 5.0) <= 1.0
    hubs.wait(20.0)
    assert asking.store.seen((agent,))[0].presence == "gone" and not hubs.losses()


def test_the_wish_for_a_new_key_reaches_the_hub_that_the_agent_talks_to(hubs: CoreHubs) -> None:
    agent = hubs.agent("a")
    hubs.wait(2.0)
    home = hubs.home(agent)
    other = next(hub for hub in hubs.hubs if hub is not home)
    assert [row["agent"] for row in other.query("agent.rekey", target=agent)] == [agent]
    hubs.until(lambda: agent in home.core.fleet.rekeying, 5.0)
    assert home.ask("agents", agent, M.Rekey(KeyPair.generate().public))
    hubs.until(lambda: agent not in other.core.fleet.rekeying, 5.0)
    assert agent in home.core.fleet.rekeying, "until the new key was used"


def test_a_key_whose_successor_was_used_is_void_at_every_hub(hubs: CoreHubs) -> None:
    agent, new = hubs.agent("a"), KeyPair.generate().public
    hubs.wait(2.0)
    home = hubs.home(agent)
    old = home.core.fleet.agent_keys[agent].public
    hubs.until(lambda: all(old in hub.core.fleet.keys for hub in hubs.hubs), 10.0)
    home.ask("agents", agent, M.Rekey(new))
    hubs.until(lambda: all({old, new} <= hub.core.fleet.keys.keys() for hub in hubs.hubs), 10.0)
    home.feed(Stored(home.core.rekeying.used, new, ""))
    hubs.until(lambda: not any(old in hub.core.fleet.keys for hub in hubs.hubs), 10.0)
    assert all(hub.core.fleet.agent_keys[agent].public == new for hub in hubs.hubs)
    assert not any(hub.core.fleet.fresh or hub.core.fleet.rekeying for hub in hubs.hubs)
