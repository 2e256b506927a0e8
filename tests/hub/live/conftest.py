"""A running hub for the tests of this folder, and agents that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub of its own, period 0.5 s."""
    hub = LiveHub(tmp_path)
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture
def agent(hub: LiveHub) -> Iterator[Callable[..., LiveAgent]]:
    """agent(name, *programs): an agent of this hub."""
    made: list[LiveAgent] = []

    def make(name: str, *programs: str) -> LiveAgent:
        made.append(joined(hub.join(), name, *programs))
        return made[-1]

    yield make
    for one in made:
        one.close()
