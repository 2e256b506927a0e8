"""The loop's sleep with real sockets: who gets it up at once, and whose words come together."""

from __future__ import annotations

import socket as sockets
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import zmq

from hub.gathering import GATHER_SECONDS, Gathering

LONG = 10.0


class House:
    """Doors of plain pairs, and who knocks at them."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.inside: dict[str, Any] = {}
        self.outside: dict[str, Any] = {}
        for name in ("commands", "samples", "clients", "feed"):
            self.inside[name], self.outside[name] = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
            self.inside[name].bind(f"inproc://{name}")
            self.outside[name].connect(f"inproc://{name}")
        self.reader, self.writer = sockets.socketpair()
        doors: Any = SimpleNamespace(**self.inside)
        self.gathering = Gathering(doors, (self.reader,))

    def ready(self, urgent: bool) -> set[str]:
        found = self.gathering.sleep(LONG, urgent)
        names = {name for name, socket in self.inside.items() if socket in found}
        return names | ({"reader"} if self.reader.fileno() in found else set())


@pytest.fixture
def house() -> Iterator[House]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    found = House(context)
    yield found
    found.reader.close()
    found.writer.close()
    context.destroy(0)


@pytest.mark.parametrize("door", ["commands", "samples"])
def test_words_of_agents_are_left_to_come_together(house: House, door: str) -> None:
    house.outside[door].send(b"one")
    begun = time.monotonic()
    assert house.ready(urgent=False) == {door}
    assert time.monotonic() - begun >= 0.9 * GATHER_SECONDS


@pytest.mark.parametrize("door", ["clients", "feed"])
def test_people_get_it_up_before_agents_are_looked_at(house: House, door: str) -> None:
    house.outside["commands"].send(b"one")
    house.outside[door].send(b"please")
    assert house.ready(urgent=False) == {door}


def test_so_does_what_other_threads_left(house: House) -> None:
    house.outside["samples"].send(b"one")
    house.writer.send(b"\0")
    assert house.ready(urgent=False) == {"reader"}


def test_while_a_command_is_on_its_way_nobody_waits(house: House) -> None:
    house.outside["commands"].send(b"its end")
    house.writer.send(b"\0")
    assert house.ready(urgent=True) == {"commands", "reader"}
