"""The live feed: every change is told, and who lost his key hears nothing more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.facts import exit_record
from tests.support.listening import Listener
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.waiting import until

Make = Callable[..., LiveAgent]
Listen = Callable[..., Listener]


@pytest.fixture
def ear(hub: LiveHub) -> Iterator[Listen]:
    """ear(name, **scope): somebody who listens with a viewer's key."""
    made: list[Listener] = []

    def listen(name: str, **scope: str) -> Listener:
        made.append(Listener(hub.user(name, "viewer", **scope).key))
        return made[-1]

    yield listen
    for one in made:
        one.close()


def listening(ear: Listener, agent: LiveAgent) -> None:
    """Returns once the ear's subscription has reached the hub."""
    until(lambda: agent.tell(exit_record(len(agent.facts) + 1)) and ear.items, what="the feed is heard")


def test_changes_facts_and_commands_are_told_in_order(hub: LiveHub, agent: Make, ear: Listen) -> None:
    shop, one = agent("shop", "web"), ear("listener")
    listening(one, shop)
    hub.client.command("shop/web", "restart", id="o1")
    shop.obey()
    shop.leave("bye")

    def states() -> list[str]:
        return [item.body["state"] for item in one.items if item.topic == "command/o1"]

    until(lambda: f"notice/{shop.id}" in one.topics() and "done" in states(), what="end and goodbye are told")
    assert states() == ["accepted", "delivered", "done"]
    sequence = [item.seq for item in one.items]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    assert f"fact/{shop.id}" in one.topics()


def test_a_revoked_key_hears_nothing_more_and_the_others_go_on(hub: LiveHub, agent: Make, ear: Listen) -> None:
    shop = agent("shop", "web")
    eve, bob = ear("eve"), ear("bob")
    listening(eve, shop)
    listening(bob, shop)
    hub.client.query("key.revoke", name="eve")
    heard, before = len(eve.items), len(bob.items)
    until(lambda: shop.tell(exit_record(len(shop.facts) + 1)) and len(bob.items) > before, what="bob hears again")
    assert len(eve.items) == heard


def test_a_scoped_key_hears_nothing_at_the_feed_and_its_own_at_the_client_port(
    hub: LiveHub, agent: Make, ear: Listen
) -> None:
    shop, other = agent("shop", "web"), agent("other", "web", labels={"team": "blue"})
    scoped, free = ear("scoped", team="blue"), ear("free")
    listening(free, shop)
    heard = hub.user("follower", "viewer", team="blue").feed(["fact/"], 30.0)
    ending = threading.Event()
    talking = threading.Thread(target=lambda: [tell(shop, other) for _ in iter(lambda: ending.wait(0.05), True)])
    talking.start()
    try:
        items = [next(heard) for _ in range(5)]
    finally:
        ending.set()
        talking.join()
    assert {item.topic for item in items} == {f"fact/{other.id}"} and [item.seq for item in items] == [1, 2, 3, 4, 5]
    assert scoped.items == [] and {f"fact/{shop.id}", f"fact/{other.id}"} <= set(free.topics())


def tell(*agents: LiveAgent) -> None:
    """Each tells one more fact."""
    for one in agents:
        one.tell(exit_record(len(one.facts) + 1))
