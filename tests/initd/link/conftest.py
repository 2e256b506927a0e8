"""Fixtures of link's tests: a loop, a ZeroMQ context, a doorkeeper, PID 1's end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq

from initd.link.loop import Loop
from tests.support.sayspid1 import SaysPid1
from tests.support.zap import Doorkeeper


@pytest.fixture
def context() -> Iterator[Any]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.linger = 0
    yield context
    context.destroy(0)


@pytest.fixture
def doorkeeper(context: Any) -> Iterator[Doorkeeper]:
    keeper = Doorkeeper(context)
    yield keeper
    keeper.stop()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pid1() -> Iterator[SaysPid1]:
    pid1 = SaysPid1()
    yield pid1
    pid1.close()


@pytest.fixture
def turning(loop: Loop) -> Callable[..., None]:
    """turning(condition): turn the loop until it is true."""

    def turn(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline, over = loop.now() + seconds, loop.at(loop.now() + seconds, lambda: None)
        while not condition():
            assert loop.now() < deadline, "did not come true"
            tick = loop.at(loop.now() + 0.02, lambda: None)
            loop.turn()
            tick.cancel()
        over.cancel()

    return turn
