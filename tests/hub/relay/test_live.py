"""A real hub, a real relay, and the machine's own engine behind it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import DEFAULT, RealEngine
from tests.support.livehub import LiveHub
from tests.support.liverelay import LiveRelay
from tests.support.waiting import until
from wire.client import CommandFailed

pytestmark = pytest.mark.engine


@pytest.fixture
def relay(tmp_path: Path, engine: RealEngine) -> Iterator[LiveRelay]:
    """A hub without any engine of its own, and a relay beside the engine."""
    hub = LiveHub(tmp_path, more="[store]\nkeep_raw = 1h\n")
    made = LiveRelay(hub.start(), tmp_path / "relay", DEFAULT)
    try:
        yield made.start()
    finally:
        made.stop()
        hub.stop()


def state(relay: LiveRelay, identity: str) -> str:
    return str(relay.containers().get(identity, {}).get("state"))


def ended(relay: LiveRelay, identity: str, verb: str, **args: object) -> str:
    order = relay.hub.client.command(identity, verb, container=True, args=args)
    return str(relay.hub.client.wait(order, 30.0)["state"])


def test_list_events_samples_and_orders_through_the_relay(relay: LiveRelay, engine: RealEngine) -> None:
    identity = engine.run("sleep 1000", labels={"team": "shop"})
    until(lambda: state(relay, identity) == "running", what="it is listed")
    until(lambda: (relay.containers()[identity]["memory"] or 0) > 0, what="it is measured")
    assert relay.containers()[identity]["labels"]["team"] == "shop"  # type: ignore[index]
    assert ended(relay, identity, "stop", grace=0) == "done"
    until(lambda: state(relay, identity) == "exited", 3.0, "the event is told at once")
    assert relay.containers()[identity]["exit_code"] == 137
    assert ended(relay, identity, "start") == "done"
    assert ended(relay, identity, "kill", signal="KILL") == "done"


def test_a_relay_that_is_lost_leaves_its_containers_unknown_not_dead(relay: LiveRelay, engine: RealEngine) -> None:
    identity = engine.run("sleep 1000")
    until(lambda: state(relay, identity) == "running", what="it is listed")
    assert relay.process is not None
    os.kill(relay.process.pid, signal.SIGSTOP)
    try:
        until(lambda: not relay.engine()["up"], what="the engine counts as unreachable")
        assert "silent" in str(relay.engine()["error"])
        row = relay.containers()[identity]
        assert (row["state"], row["stale"], row["cpu"]) == ("running", True, None)
    finally:
        os.kill(relay.process.pid, signal.SIGCONT)
    until(lambda: relay.engine()["up"] and not relay.containers()[identity]["stale"], what="it is back")


def test_after_kill_9_it_is_itself_again(relay: LiveRelay, engine: RealEngine) -> None:
    relay.kill()
    until(lambda: not relay.engine()["up"], what="lost")
    identity = engine.run("sleep 1000")
    relay.start()
    until(lambda: state(relay, identity) == "running", what="what happened meanwhile is listed")
    assert [row["engine"] for row in relay.hub.client.query("hosts")] == ["vm"]
    assert relay.hub.log.read_text().count("enrolled relay") == 1


def test_a_hub_that_is_restarted_is_told_everything_again(relay: LiveRelay, engine: RealEngine) -> None:
    identity = engine.run("sleep 1000")
    until(lambda: state(relay, identity) == "running", what="it is listed")
    relay.hub.kill(signal.SIGTERM)
    relay.hub.start()
    until(lambda: state(relay, identity) == "running" and relay.engine()["up"], what="it is listed again")


def test_a_relay_that_only_looks(tmp_path: Path, engine: RealEngine) -> None:
    identity = engine.run("sleep 1000")
    hub = LiveHub(tmp_path).start()
    relay = LiveRelay(hub, tmp_path / "relay", DEFAULT, more="verbs = none\n")
    try:
        relay.start()
        until(lambda: state(relay, identity) == "running", what="it is listed")
        order = hub.client.command(identity, "stop", container=True)
        with pytest.raises(CommandFailed, match="does not allow stop"):
            hub.client.wait(order, 10.0)
        assert engine.api.inspect_container(identity)["State"]["Running"]
    finally:
        relay.stop()
        hub.stop()
