"""`hubctl` at two hubs: the one that is asked dies; who follows or watches goes on at the other and misses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.livehubs import Crew, LiveHubs, served
from tests.support.liveinitd import LiveInitd
from tests.support.terminal import Follower
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc]
HUBS, AGENTS = 2, 4


@pytest.fixture
def crew(hubs: LiveHubs) -> Iterator[Crew]:
    found = Crew(hubs.join(), AGENTS)
    try:
        until(lambda: sum(map(served, hubs.hubs)) == AGENTS, 60.0, "all are served")
        yield found
    finally:
        found.close()


def names(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["agent"], row["seq"]) for row in rows if row["kind"] == "exit"]


def test_its_hub_dies_and_no_fact_is_missed(hubs: LiveHubs, crew: Crew) -> None:
    first, other = hubs.hubs
    follower = Follower(first, "events", "-f", "--json")
    try:
        crew.live(0.5)
        until(lambda: len(names(follower.rows())) > 3, 30.0, "it follows")
        first.kill()
        until(lambda: sum(map(served, [other])) == AGENTS, 40.0, "all are served by the other")
        crew.live(0)
        until(lambda: crew.ask("untold") == 0, 30.0, "every fact is stored")
        kept = names(list(other.client.events(limit=2000)))
        until(lambda: len(names(follower.rows())) >= len(kept), 30.0, "all are told")
        assert sorted(names(follower.rows())) == sorted(kept), "each once"
    finally:
        follower.end()


SLOW = "[program:web]\ncommand=sleep 1000\nprocess_name=%(process_num)d\nnumprocs=5\nstartsecs=2\n"


def over(follower: Follower) -> bool:
    """Whether it ended too early, which is told with its own words."""
    assert follower.process.poll() is None, f"ended with {follower.process.wait()}: {follower.said}, {follower.out}"
    return False


def test_who_watches_a_roll_sees_its_end_though_its_hub_dies(hubs: LiveHubs, tmp_path: Path) -> None:
    first = hubs.hubs[0]
    box = LiveInitd(tmp_path / "shop", SLOW, PIDONE_JOIN=hubs.join())
    try:
        box.start()
        until(lambda: [row["state"] for row in first.client.ps()] == ["RUNNING"] * 5, 40.0)
        roll = Follower(first, "restart", "shop/*", "--at-a-time", "1", "--wait", "ready", "--json")
        until(lambda: any(row["done"] for row in first.client.query("rolls")) or over(roll), 40.0, "it is under way")
        first.kill()
        assert roll.process.wait(120) == 0, roll.said
        until(lambda: roll.out, 10.0)
        assert [(row["phase"], row["done"]) for row in roll.rows()] == [("done", 5)]
        until(lambda: {row["restarts"] for row in box.status().values()} == {1}, 20.0, "each was restarted once")
    finally:
        box.destroy()
