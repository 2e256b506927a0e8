"""Two real hubs on one Redis and the machine's own engine: kill -9 in the middle of a stop that takes ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import DEFAULT, RealEngine, _root_engine, engine  # noqa: F401
from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs
from tests.support.redis import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc, pytest.mark.engine]
DEAF = "trap 'echo heard' TERM; while :; do sleep 1; done"
GRACE = 10


@pytest.fixture
def pair(tmp_path: Path, server: Server, engine: RealEngine) -> Iterator[LiveHubs]:  # noqa: F811
    found = LiveHubs(
        tmp_path, f"redis://127.0.0.1:{server.port}", 2, period=1.0, more=f"[engine:local]\nurl = {DEFAULT}\n"
    )
    try:
        yield found.start()
    finally:
        found.stop()


def poller(hubs: LiveHubs, box: str) -> LiveHub:
    """The hub that lists the container itself."""

    def lists(hub: LiveHub) -> bool:
        rows = {row["id"]: row["hub"] for row in hub.client.query("containers")}
        return rows.get(box) == f"hub-{hubs.hubs.index(hub)}"

    return until(lambda: next((hub for hub in hubs.hubs if lists(hub)), None), 60.0, "a hub lists the container")


def row(hub: LiveHub, order: str) -> Any:
    return hub.client.query("command_state", id=order)


@pytest.mark.parametrize("asked", ["of the hub that dies", "of the other"])
def test_kill_9_in_the_middle_of_a_stop_leaves_a_row_that_tells_the_truth(
    pair: LiveHubs,
    engine: RealEngine,  # noqa: F811
    asked: str,
) -> None:
    box = engine.run(DEAF)
    executing = poller(pair, box)
    other = next(hub for hub in pair.hubs if hub is not executing)
    hub = executing if asked == "of the hub that dies" else other
    order = {"verb": "stop", "target": box[:12], "container": True, "args": {"grace": GRACE}, "ttl": 60.0}
    hub.client.query("command", id="slow", **order)
    until(lambda: b"heard" in engine.api.logs(box), 30.0, "the engine is at it")
    executing.kill()
    assert engine.api.inspect_container(box)["State"]["Running"], "it is in the middle"
    until(lambda: row(other, "slow")["state"] in ("done", "failed"), 60.0, "it ends")
    found, state = row(other, "slow"), engine.api.inspect_container(box)["State"]
    assert (found["state"], state["Running"], state["ExitCode"]) == ("done", False, 137)
    assert "after the order" in found["result"]
    audit = [one["outcome"] for one in other.client.query("audit", limit=1000) if one["command"] == "slow"]
    assert audit == ["accepted", "done"]
    executing.start()
    assert row(executing, "slow")["state"] == "done"
