"""The live feed: every change is told, and who lost his key hears nothing more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq

from tests.support.facts import exit_record
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.waiting import until
from wire.codec import decode
from wire.keys import ClientKey, KeyPair
from wire.sockets import FOLLOW, dial

Make = Callable[..., LiveAgent]
Listen = Callable[..., "Ear"]


class Ear:
    """Listens in a thread until `stop`."""

    def __init__(self, key: ClientKey) -> None:
        self.items: list[Any] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._listen, args=(key,), daemon=True)
        self.thread.start()

    def _listen(self, key: ClientKey) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = dial(context, FOLLOW, key.feed, KeyPair(key.public, key.secret), key.server_key, first=0.05)
        socket.subscribe(b"")
        while not self.ending.is_set():
            if socket.poll(50):
                self.items.append(decode(socket.recv_multipart()[1]))
        context.destroy(0)

    def topics(self) -> list[str]:
        return [item.topic for item in self.items]


@pytest.fixture
def ear(hub: LiveHub) -> Iterator[Callable[..., Ear]]:
    """ear(name, **scope): somebody who listens with a viewer's key."""
    made: list[Ear] = []

    def listen(name: str, **scope: str) -> Ear:
        made.append(Ear(hub.user(name, "viewer", **scope).key))
        return made[-1]

    yield listen
    for one in made:
        one.ending.set()
        one.thread.join(10)


def listening(ear: Ear, agent: LiveAgent) -> None:
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


def test_a_scoped_key_hears_nothing(hub: LiveHub, agent: Make, ear: Listen) -> None:
    shop = agent("shop", "web")
    scoped, free = ear("scoped", team="blue"), ear("free")
    listening(free, shop)
    until(lambda: shop.tell(exit_record(len(shop.facts) + 1)) and len(free.items) > 5)
    assert scoped.items == []
