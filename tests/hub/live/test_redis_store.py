"""A real hubd whose store is a Redis that goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.livehub import ROOT, LiveHub
from tests.support.redis import Server
from tests.support.waiting import until
from wire.client import RefusedError, WireError

pytestmark = [pytest.mark.redis, pytest.mark.proc]


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


def test_a_hub_that_starts_before_its_store_waits_and_joins(hub: LiveHub, server: Server) -> None:
    server.kill()
    hub.start()
    about = hub.client.query("about")
    assert about["state"] == "blind" and "does not answer" in about["store"]["error"]
    with pytest.raises(RefusedError, match="the store is away"):
        hub.client.query("agents")
    server.start()
    until(lambda: hub.said("the lease is held"), 60.0)
    assert hub.join() and hub.client.query("about")["store"]["backend"] == "redis"
    assert hub.kill(signal.SIGTERM) == 0


BETWEEN = """
import os, sys
from hub import daemon
opened = daemon.opened
def then_gone(*args):
    store = opened(*args)
    os.kill(int(sys.argv[1]), 9)
    return store
daemon.opened = then_gone
sys.exit(daemon.main(["-c", sys.argv[2]]))
"""


def test_a_hub_whose_store_dies_before_it_was_read_waits_and_joins(hub: LiveHub, server: Server) -> None:
    hub.start()
    token = hub.join().token
    assert hub.kill(signal.SIGTERM) == 0
    assert server.process is not None
    with hub.log.open("wb") as log:
        argv = [sys.executable, "-c", BETWEEN, str(server.process.pid), str(hub.ini)]
        hub.process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
    server.process.wait(30)
    until(lambda: hub.said("the hub is blind and lets no agent in until it is back"), 30.0)
    client = until(hub._answering, 30.0, "the admin is answered")
    assert client.query("about")["state"] == "blind"
    server.start()
    until(lambda: hub.said("the lease is held"), 60.0)
    assert token in [row["id"] for row in client.query("token.list")], "everything was read"
    assert 1 <= hub.log.read_text().count("the store is there") <= 3, "all readings wait together"
    assert hub.kill(signal.SIGTERM) == 0


def test_a_hub_that_waits_for_its_store_ends_when_told(hub: LiveHub, server: Server) -> None:
    server.kill()
    hub.start()
    assert hub.kill(signal.SIGTERM) == 0
    assert hub.said("the hub is blind and lets no agent in until it is back")
    server.start()


def test_a_store_that_may_not_be_used_ends_a_hub_that_waited(hub: LiveHub, server: Server) -> None:
    with server.client() as client:
        client.hset("{pidone}:meta", "format", 7)
    server.kill()
    hub.start()
    server.start()
    assert hub.process is not None and hub.process.wait(30) == 1
    assert hub.said("written by a newer pidone (format 7, this one knows 1); update")
