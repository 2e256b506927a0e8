"""A relay among several hubs: it finds another one when its hub dies, and takes a new key over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.engines.fake import FakeEngine
from tests.hub.engines.recorded import ID
from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs
from tests.support.liverelay import LiveRelay
from tests.support.redis import Server
from tests.support.waiting import until
from wire.client import RefusedError

pytestmark = [pytest.mark.redis, pytest.mark.proc]


@pytest.fixture
def hubs(tmp_path: Path) -> Iterator[LiveHubs]:
    server = Server(tmp_path / "redis")
    found = LiveHubs(tmp_path, f"redis://127.0.0.1:{server.port}", 2)
    try:
        yield found.start()
    finally:
        found.stop()
        server.kill()


@pytest.fixture
def relay(hubs: LiveHubs, tmp_path: Path) -> Iterator[LiveRelay]:
    engine = FakeEngine(tmp_path / "e.sock")
    made = LiveRelay(hubs.hubs[0], tmp_path / "relay", engine.url)
    try:
        yield made.launch()
    finally:
        made.stop()
        engine.close()


def shows(hub: LiveHub) -> bool:
    """Whether the relay talks to this hub."""
    rows = {row["engine"]: row["up"] for row in hub.client.query("hosts")}
    return bool(rows.get("vm")) and ID in {row["id"] for row in hub.client.query("containers")}


def test_a_relay_whose_hub_is_killed_finds_another(hubs: LiveHubs, relay: LiveRelay) -> None:
    first = until(lambda: next((hub for hub in hubs.hubs if shows(hub)), None), 60.0, "one hub shows its engine")
    other = next(hub for hub in hubs.hubs if hub is not first)
    first.kill()
    until(lambda: shows(other), 30.0, f"the other hub shows it; {relay.log.read_text()}")
    rows = [row for row in other.client.query("key.list") if row["kind"] == "relay"]
    assert len(rows) == 1, "it went there with the key it had"


def test_a_relay_takes_a_new_key_over_and_another_hub_lets_it_in(hubs: LiveHubs, relay: LiveRelay) -> None:
    first = until(lambda: next((hub for hub in hubs.hubs if shows(hub)), None), 60.0)
    old = {row["public"] for row in first.client.query("key.list") if row["kind"] == "relay"}
    until(lambda: rekey(first), 10.0, "the hub that is asked knows of it")
    until(lambda: "new key" in relay.log.read_text(), 30.0, "it has a new key")
    until(lambda: keys(first).isdisjoint(old), 30.0, "the old one is void")
    other = next(hub for hub in hubs.hubs if hub is not first)
    first.kill()
    until(lambda: shows(other), 30.0, f"the other hub knows the new key; {relay.log.read_text()}")


def keys(hub: LiveHub) -> set[str]:
    return {row["public"] for row in hub.client.query("key.list") if row["kind"] == "relay"}


def rekey(hub: LiveHub) -> bool:
    """Has the relay make a new key; False where this hub has not read yet that it was enrolled at the other one.

    What it shows of the relay's engine it may have asked the other hub for (hub.cluster.gather), which is sooner.
    """
    try:
        return bool(hub.client.query("agent.rekey", target="relay.vm"))
    except RefusedError as refused:
        assert "there is no agent or relay" in str(refused)
        return False
