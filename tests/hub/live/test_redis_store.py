"""A real hubd whose store is a Redis that goes away and comes back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.livehub import LiveHub
from tests.support.redis import Server
from tests.support.waiting import until
from wire.client import WireError

pytestmark = [pytest.mark.redis, pytest.mark.proc]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path / "redis")
    yield found
    found.kill()


@pytest.fixture
def hub(tmp_path: Path, server: Server) -> Iterator[LiveHub]:
    folder = tmp_path / "hub"
    folder.mkdir()
    found = LiveHub(folder, more=f"[store]\nstore = redis://127.0.0.1:{server.port}\n")
    yield found
    found.stop()


def audited(hub: LiveHub) -> list[str]:
    """What the audit says was done; nothing while the store is away."""
    try:
        return [row["action"] for row in hub.client.query("audit", limit=1000)]
    except WireError:
        return []


def test_a_hub_serves_from_memory_until_its_store_is_back(hub: LiveHub, server: Server) -> None:
    hub.start()
    assert hub.client.query("about")["store"]["backend"] == "redis"
    hub.join()
    assert "token create" in audited(hub)
    server.kill()
    assert list(hub.client.query("agents")) == []
    with pytest.raises(WireError, match="does not answer"):
        hub.client.query("audit")
    with pytest.raises(WireError):
        hub.join()
    until(lambda: hub.said("other writes wait until it is back"), 30.0)
    server.start()
    until(lambda: hub.said("it is back: "), 30.0)
    until(lambda: "token create" in audited(hub), 30.0)
    assert hub.kill(signal.SIGTERM) == 0


def test_a_hub_does_not_start_on_a_redis_that_forgets(hub: LiveHub, server: Server) -> None:
    with server.client() as client:
        client.config_set("appendonly", "no")
    with pytest.raises(AssertionError, match="set appendonly yes and appendfsync always there"):
        hub.start()
    assert hub.process is not None and hub.process.wait(10) == 1
