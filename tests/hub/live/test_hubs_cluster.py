"""Three real hubds on one Redis Cluster: a killed hub loses no agent and no fact there either."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.livehubs import Crew, LiveHubs, losses, served
from tests.support.redis import Cluster
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc]
AGENTS = 8


def test_a_killed_hub_loses_nobody_on_a_redis_cluster(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "redis")
    nodes = ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
    hubs = LiveHubs(tmp_path, f"redis+cluster://{nodes}")
    crew = None
    try:
        crew = Crew(hubs.start().join(), AGENTS)
        until(lambda: sum(map(served, hubs.hubs)) == AGENTS, 60.0, "all are served")
        crew.live(0.5)
        hubs.hubs[0].kill()
        until(lambda: sum(map(served, hubs.hubs[1:])) == AGENTS, 20.0, "all are served elsewhere")
        crew.live(0)
        until(lambda: crew.ask("untold") == 0, 30.0, "every fact is stored")
        assert not losses(hubs.hubs[1])
    finally:
        if crew is not None:
            crew.close()
        hubs.stop()
        cluster.kill()
