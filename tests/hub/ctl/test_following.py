"""`hubctl events -f`: follows the feed, notices gaps, survives its hub, misses nothing and tells nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ctl.anyhub import AnyHub
from hub.ctl.following import PAGE, Trail, follow
from tests.support.facts import exit_record
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.terminal import Follower
from tests.support.waiting import until
from wire.bell import Bell
from wire.client import Unreachable


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub that may be killed."""
    hub = LiveHub(tmp_path)
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture
def worker(own: LiveHub) -> Iterator[LiveAgent]:
    agent = joined(own.join(), "shop", "web")
    yield agent
    agent.close()


@pytest.fixture
def following(own: LiveHub) -> Iterator[Callable[..., Follower]]:
    made: list[Follower] = []

    def begin(*words: str) -> Follower:
        made.append(Follower(own, "events", "-f", *words))
        return made[-1]

    yield begin
    for one in made:
        one.end()


def test_each_fact_is_told_once_and_soon(own: LiveHub, worker: LiveAgent, following: Any) -> None:
    one = following("--json", "-n", "1")
    until(lambda: one.out, 30, "it has begun")
    for seq in range(1, 30):
        worker.tell(exit_record(seq))
    until(lambda: len(one.exits()) >= 29, 20, "all are told")
    assert one.exits() == list(range(1, 30)) and one.said == []


def test_a_hub_that_dies_is_told_of_and_nothing_is_missed(own: LiveHub, worker: LiveAgent, following: Any) -> None:
    one = following("--json")
    worker.tell(exit_record(1))
    until(lambda: one.exits() == [1], 30, "it follows")
    own.kill()
    until(lambda: any("no answer since" in line for line in one.said), 40, "it says so")
    own.start()
    until(lambda: not worker.beat().register or worker.register(), 20, "the agent is back")
    for seq in (2, 3, 4):
        worker.tell(exit_record(seq))
    until(lambda: one.exits() == [1, 2, 3, 4], 40, "and goes on")
    until(lambda: any("answers, after" in line for line in one.said), 20, "it says that, too")
    assert all("no answer since" in line or "answers, after" in line for line in one.said), one.said


def test_a_scoped_key_follows_its_own(own: LiveHub) -> None:
    mine, other = joined(own.join(labels={"team": "blue"}), "mine", "web"), joined(own.join(), "other", "web")
    client, heard = own.user("blue", "viewer", team="blue"), list[tuple[str, int]]()
    trail = Trail(AnyHub(client), None)
    trail.newest(None, 1)

    def look() -> None:
        for page in trail.more():
            heard.extend((row["agent_name"], row["seq"]) for row in page if row["kind"] == "exit")
        if len(heard) >= 3:
            raise KeyboardInterrupt

    try:
        for seq in (1, 2, 3):
            other.tell(exit_record(seq))
            mine.tell(exit_record(seq))
        with pytest.raises(KeyboardInterrupt):
            follow(AnyHub(client), look)
        assert heard == [("mine", 1), ("mine", 2), ("mine", 3)]
    finally:
        mine.close()
        other.close()


class Store:
    """Facts by position; `tip` may fall."""

    def __init__(self, *agents: str) -> None:
        self.rows = [fact(n + 1, agent) for n, agent in enumerate(agents)]

    def query(self, op: str, **args: Any) -> Any:
        target, after = args.get("target"), args.get("after")
        found = [row for row in self.rows if after is None or row["position"] > after][: 2 * PAGE]
        end = self.rows[-1]["position"] if self.rows else 0
        reached = found[-1]["position"] if found else end if after is None else min(end, after)
        return {"rows": [row for row in found if target in (None, row["agent"])][-args["limit"] :], "position": reached}


def fact(position: int, agent: str = "a", seq: int = 0) -> dict[str, Any]:
    return {"position": position, "agent": agent, "boot": "b", "seq": seq or position, "agent_at": 1.0}


def told(trail: Trail) -> list[int]:
    return [row["seq"] for page in trail.more() for row in page]


def test_who_follows_one_agent_is_not_held_up_by_the_facts_of_others() -> None:
    store = Store("a")
    trail = Trail(store, "a")  # type: ignore[arg-type]
    assert [row["seq"] for row in trail.newest(None, 10)] == [1]
    store.rows += [fact(2 + n, "other") for n in range(5 * PAGE)]
    assert told(trail) == []
    store.rows.append(fact(5 * PAGE + 2, "a"))
    assert told(trail) == [5 * PAGE + 2] and told(trail) == []


def test_a_store_that_lost_its_last_writes_is_read_again_without_telling_anything_twice() -> None:
    store = Store("a", "a", "a")
    trail = Trail(store, None)  # type: ignore[arg-type]
    assert len(trail.newest(None, 10)) == 3
    store.rows = [fact(1), fact(2, seq=7)]  # 2 and 3 were lost, and 7 took a place that was read already
    assert told(trail) == [7] and told(trail) == []


def test_a_number_that_is_left_out_is_a_loss_and_rings() -> None:
    bell = Bell.__new__(Bell)
    bell.missed, bell._seq = 0, None
    assert bell._count(4, 0) and bell.missed == 0, "the first answer says where it begins"
    assert bell._count(5, 1) and bell.missed == 0
    assert bell._count(8, 1) and bell.missed == 2
    assert not bell._count(8, 0) and bell.missed == 2
    assert bell._count(9, 0) and bell.missed == 3, "what was lost last is known from the next renewal"
    assert bell._count(0, 0) and bell.missed == 3, "a hub that began anew lost nothing on the way"


def test_where_no_hub_answers_the_first_failure_is_told(own: LiveHub) -> None:
    anyhub = AnyHub(own.client)
    anyhub.query("about")
    own.client.timeout = 0.5
    own.kill()
    with pytest.raises(Unreachable, match=str(own.ports["client"])):
        anyhub.query("about")
