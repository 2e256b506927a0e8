"""Three real hubds on one Redis ask each other: every hub shows every figure and commands every agent at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs
from tests.support.redis import Server
from tests.support.waiting import until
from wire.client import RefusedError
from wire.keys import ClientKey, JoinString, KeyPair

pytestmark = [pytest.mark.redis, pytest.mark.proc]


@pytest.fixture
def hubs(tmp_path: Path) -> Iterator[LiveHubs]:
    server = Server(tmp_path / "redis")
    found = LiveHubs(tmp_path, f"redis://127.0.0.1:{server.port}")
    yield found.start()
    found.stop()
    server.kill()


@pytest.fixture
def agent(hubs: LiveHubs) -> Iterator[LiveAgent]:
    found = joined(JoinString.parse(hubs.join()), "shop-1", "web")
    found.live(0.2)
    yield found
    found.close()


def cpu(hub: LiveHub) -> list[object]:
    return [row["cpu"] for row in hub.client.query("ps")]


def served_by(hubs: LiveHubs, agent: LiveAgent) -> LiveHub:
    """The hub that the agent speaks to."""
    return next(hub for hub in hubs.hubs if f"127.0.0.1:{hub.ports['command']}" == agent.hub.command)


def test_every_hub_shows_figures_and_commands_without_the_store_between(hubs: LiveHubs, agent: LiveAgent) -> None:
    def shown(hub: LiveHub) -> bool:
        agent.publish([0.25])
        return cpu(hub) == [0.25]

    home = served_by(hubs, agent)
    for hub in hubs.hubs:
        until(lambda hub=hub: shown(hub), 20.0, f"its figures: {hub.client.query('ps')}, {hub.client.missing}")
        (row,) = hub.client.query("ps")
        assert row["hub"] == f"hub-{hubs.hubs.index(home)}"
    for number, hub in enumerate(hubs.hubs):
        assert hub.client.command("shop-1/web", "restart", id=f"o{number}")["state"] == "accepted"
        assert agent.obey().id == f"o{number}"
        row = hub.client.command("shop-1/web", "restart", id=f"o{number}", hold=10.0)
        assert row["state"] == "done"
    words = [row.get("note") or (row.get("body") or {}).get("note") for row in home.client.events(limit=1000)]
    assert "send" not in words and "ended" not in words, "no command went through the store"


def test_a_hub_that_hangs_is_named_and_its_command_finds_another_way(hubs: LiveHubs, agent: LiveAgent) -> None:
    home = served_by(hubs, agent)
    other = next(hub for hub in hubs.hubs if hub is not home)
    until(lambda: len(cpu(other)) == 1, 20.0)
    assert home.process is not None
    home.process.send_signal(signal.SIGSTOP)
    (row,) = other.client.query("ps")
    assert row["cpu"] is None and other.client.missing == (f"hub-{hubs.hubs.index(home)}",)
    other.client.command("shop-1/web", "restart", id="o1", ttl=60.0)
    home.process.send_signal(signal.SIGCONT)
    assert agent.obey(30.0).id == "o1"
    assert other.client.command("shop-1/web", "restart", id="o1", hold=20.0)["state"] == "done"


def test_the_key_of_a_hub_asks_only_what_hubs_ask(hubs: LiveHubs) -> None:
    first, second = hubs.hubs[:2]
    pair = KeyPair.load(first.folder / "state" / "keys" / "link.json")
    admin = ClientKey.load(second.folder / "state" / "client" / "admin.json")
    client = type(second.client)(admin._replace(public=pair.public, secret=pair.secret), timeout=5.0)
    with client:
        for op in ("agents", "ps", "audit", "command", "token.create"):
            with pytest.raises(RefusedError, match="nothing but what hubs ask"):
                client.query(op)
