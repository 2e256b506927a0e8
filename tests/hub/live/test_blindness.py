"""Redis is away, or its primary dies: nobody acts meanwhile; who vanished is told once, soon after it is back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cluster.lease import AGAIN_SECONDS
from tests.support.livehubs import Crew, LiveHubs, losses, presences, served
from tests.support.redis import Server, Watched
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc]
STAY, GO = 6, 3
PERIOD = 0.5
SLACK = 6.0
"""For a slow machine, and for the store's worker, which tries to write again once a second."""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path / "redis")
    yield found
    found.kill()


def crews(hubs: LiveHubs) -> tuple[Crew, Crew]:
    """Those who stay and those who go."""
    join = hubs.start().join()
    found = Crew(join, STAY), Crew(join, GO)
    until(lambda: sum(map(served, hubs.hubs)) == STAY + GO, 60.0, "all are served")
    until(lambda: all(list(presences(hub).values()) == ["live"] * (STAY + GO) for hub in hubs.hubs), 30.0)
    return found


def test_who_vanished_while_redis_was_away_is_told_once_after_one_grace(tmp_path: Path, server: Server) -> None:
    hubs = LiveHubs(tmp_path, f"redis://127.0.0.1:{server.port}", period=PERIOD)
    stay, go = crews(hubs)
    try:
        server.kill()
        until(lambda: all(hub.said("the lease is not held") for hub in hubs.hubs), 30.0, "all are blind")
        go.process.kill()
        blind = time.monotonic() + 4 * PERIOD
        until(lambda: time.monotonic() > blind, 10.0)
        assert not any(": lost" in hub.log.read_text() for hub in hubs.hubs), "blind hubs tell of nobody"
        server.start()
        begun = time.monotonic()
        wanted = ["live"] * STAY + ["lost"] * GO
        until(lambda: sorted(presences(hubs.hubs[0]).values()) == wanted, 30.0, "those who vanished")
        assert time.monotonic() - begun <= AGAIN_SECONDS + 2 * PERIOD + SLACK
        until(lambda: sorted(presences(hubs.hubs[1]).values()) == wanted, 10.0)
        assert len(losses(hubs.hubs[0])) == GO
    finally:
        stay.close()
        go.close()
        hubs.stop()


def test_the_death_of_a_primary_loses_nobody_but_who_died_with_it(tmp_path: Path, watched: Watched) -> None:
    sentinels = ",".join(f"127.0.0.1:{one.port}" for one in watched.sentinels)
    hubs = LiveHubs(tmp_path, f"redis+sentinel://{sentinels}/pidone", period=PERIOD)
    stay, go = crews(hubs)
    try:
        stay.live(0.5)
        watched.primary.kill()
        go.process.kill()
        until(lambda: sorted(presences(hubs.hubs[0]).values()) == ["live"] * STAY + ["lost"] * GO, 60.0)
        until(lambda: all(hubs.states(hub).get(f"hub-{n}") == "acting" for n, hub in enumerate(hubs.hubs)), 30.0)
        stay.live(0)
        until(lambda: stay.ask("untold") == 0, 30.0, "no fact is missing")
        assert len(losses(hubs.hubs[0])) == GO
    finally:
        stay.close()
        go.close()
        hubs.stop()
