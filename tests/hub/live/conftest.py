"""A running hub for the tests of this folder, and agents that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs
from tests.support.redis import Server

PERIOD = 1.0
"""Three of these have to be longer than a busy machine lets a process wait."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub of its own, period 0.5 s."""
    hub = LiveHub(tmp_path)
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture
def hubs(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[LiveHubs]:
    """Several on one Redis: as many as the module's HUBS says, else three."""
    found = LiveHubs(tmp_path, f"redis://127.0.0.1:{server.port}", getattr(request.module, "HUBS", 3), PERIOD)
    try:
        yield found.start()
    finally:
        found.stop()


@pytest.fixture
def agent(hub: LiveHub) -> Iterator[Callable[..., LiveAgent]]:
    """agent(name, *programs): an agent of this hub; arguments by name are its token's."""
    made: list[LiveAgent] = []

    def make(name: str, *programs: str, **token: object) -> LiveAgent:
        made.append(joined(hub.join(**token), name, *programs))
        return made[-1]

    yield make
    for one in made:
        one.close()
