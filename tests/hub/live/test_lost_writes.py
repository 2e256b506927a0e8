"""A Redis that comes back without its last writes: agents send again what it lost, without registering again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import rows
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.redis import Server
from tests.support.waiting import until
from wire.client import WireError
from wire.messages import Beat, Facts

pytestmark = [pytest.mark.redis, pytest.mark.proc]


@pytest.fixture
def hub(tmp_path: Path, server: Server) -> Iterator[LiveHub]:
    folder = tmp_path / "hub"
    folder.mkdir()
    found = LiveHub(folder, more=f"[store]\nstore = redis://127.0.0.1:{server.port}\n")
    found.start()
    yield found
    found.stop()


def tell(agent: LiveAgent, first: int, last: int) -> int:
    """Sends these facts; how far the hub then has them for good."""
    return int(agent.ask(Facts(agent.boot, 1, tuple(rows.facts(first, last)))).durable)


def kept(hub: LiveHub) -> list[int]:
    """Numbers of the facts that the store has; none while it is away."""
    try:
        return sorted(row["seq"] for row in hub.client.query("events", limit=1000) if row["boot"] != "hub")
    except WireError:
        return []


def durable(agent: LiveAgent) -> int:
    """What the answer to a heartbeat says; it never asks for a registration."""
    beat = agent.beat()
    assert isinstance(beat, Beat) and not beat.register
    return beat.durable


def lose(server: Server, older: Path) -> None:
    """The machine of the server crashes, and its disk has only what was written until the copy was made."""
    server.kill()
    folder = server.config.parent / "appendonlydir"
    shutil.rmtree(folder)
    shutil.copytree(older, folder)
    server.start()


def test_facts_that_redis_lost_are_asked_for_again(hub: LiveHub, server: Server, tmp_path: Path) -> None:
    agent = LiveAgent(hub.join(), "shop")
    agent.enrol()
    agent.register()
    assert tell(agent, 1, 3) == 3 == durable(agent)
    shutil.copytree(server.config.parent / "appendonlydir", tmp_path / "older")
    assert tell(agent, 4, 6) == 6 == durable(agent)
    lose(server, tmp_path / "older")
    until(lambda: durable(agent) == 3, 60.0)
    assert kept(hub) == [1, 2, 3]
    assert tell(agent, 4, 6) == 6 == durable(agent)
    assert kept(hub) == [1, 2, 3, 4, 5, 6]
    agent.close()


def test_tokens_and_keys_that_redis_lost_are_put_back(hub: LiveHub, server: Server) -> None:
    agent = LiveAgent(hub.join(), "shop")
    agent.enrol()
    agent.register()
    keys = len(server.client().hgetall("{pidone}:keys"))
    assert keys >= 3
    server.client().flushall()
    until(lambda: len(server.client().hgetall("{pidone}:keys")) == keys, 60.0)
    until(lambda: hub.said("put back"), 30.0)
    assert LiveAgent(agent.join, "other").enrol().agent
    agent.close()
