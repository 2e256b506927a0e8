"""The feed cut to a scope: a scoped key hears exactly what its questions would answer, of every family of topics."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from hub import words
from hub.engines.reports import EngineState
from hub.trust import following
from tests.support.corehub import CoreHub, container, listing, register
from tests.support.facts import exit_record
from wire import limits
from wire import messages as M
from wire.frames import Topic
from wire.keys import KeyPair

LADDER = ("viewer", "operator", "admin")
RED = ("crimson", "scarlet")


class Hub(CoreHub):
    """Two teams with an agent, a container and an engine each; keys of every role with and without a scope."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.boxes = [container(n, at=self.now.wall, name=name) for n, name in ((1, "azure-box"), (2, "scarlet-box"))]
        self.agents = {
            name: self.agent(name, f"{name}-web", join=self.token(labels={"team": team}), container=box.id)
            for name, team, box in (("azure", "blue", self.boxes[0]), ("crimson", "red", self.boxes[1]))
        }
        for role, scope in itertools.product(LADDER, ({}, {"team": "blue"})):
            name = f"{role}-{'scoped' if scope else 'free'}"
            self.query("key.create", name=name, role=role, scope=scope, public=KeyPair.generate().public)

    def list_all(self) -> None:
        """Both engines list their containers."""
        for box, engine in zip(self.boxes, ("azure-engine", "scarlet-engine"), strict=True):
            self.report(*listing(self.now.wall, box, engine=engine))

    def follow(self, user: str, *topics: str, **args: Any) -> Any:
        return self.query("follow", user, topics=topics or ("",), **args)

    def heard(self, user: str) -> list[M.Feed]:
        """Items that this user was sent."""
        mine = [send.message for send in self.sent if send.route.envelope[0] == user.encode()]
        return [one for one in mine if isinstance(one, M.Feed)]

    def everything(self) -> None:
        """Something of each family happens to both teams."""
        for box, engine in zip(self.boxes, ("azure-engine", "scarlet-engine"), strict=True):
            self.report(EngineState(engine, self.now.wall, False, error="refused"))
            self.report(*listing(self.now.wall, box._replace(health="healthy"), engine=engine))
        for name, agent in self.agents.items():
            self.beat(agent)
            self.hello(agent)
            self.feed_event(agent, exit_record(1, f"{name}-web"))
            self.sample(agent, 0.5)
        for team in ("red", "blue"):
            self.query("command", verb="restart", target=f"team={team}", id=f"order-{team}")
            self.query("roll", verb="restart", target=f"team={team}", id=f"roll-{team}")
        for engine in ("azure-engine", "scarlet-engine"):
            self.report(*listing(self.now.wall, engine=engine))
        self.wait(8.0)


@pytest.fixture
def hub(tmp_path: Path) -> Any:
    hub = Hub(tmp_path / "store")
    yield hub
    hub.store.close(hub.now.wall)


@pytest.mark.parametrize("role", LADDER)
def test_a_scoped_key_hears_of_its_own_and_of_nobody_else(hub: Hub, role: str) -> None:
    hub.list_all()
    scoped, free = f"{role}-scoped", f"{role}-free"
    for user in (scoped, free):
        assert hub.follow(user, seconds=60.0)["seconds"] == 60.0
    hub.everything()
    whole, part = hub.heard(free), hub.heard(scoped)
    published = [(item.topic, item.body) for item in hub.published]
    assert [(item.topic, item.body) for item in whole] == published[-len(whole) :] and len(whole) > 20
    red = {hub.agents["crimson"], hub.boxes[1].id, "order-red", "roll-red"}
    assert not [one for one in part if any(name in repr(one) for name in (*RED, *red))]
    assert [(i.topic, i.body) for i in part] == [(i.topic, i.body) for i in whole if not about(i, red)]
    families = {item.topic.partition("/")[0] for item in part}
    assert families == {Topic.NOTICE, Topic.FACT, Topic.SAMPLE, Topic.CONTAINER, Topic.COMMAND}


def about(item: M.Feed, red: set[str]) -> bool:
    """Whether an item tells of the other team, or of the whole fleet."""
    return item.topic == "notice/keys" or any(
        name in repr((item.topic, item.body)) for name in (*RED, *red, "team=red")
    )


def test_the_end_of_a_container_is_told_to_who_saw_it(hub: Hub) -> None:
    hub.list_all()
    hub.follow("viewer-scoped")
    for engine in ("azure-engine", "scarlet-engine"):
        hub.report(*listing(hub.now.wall, engine=engine))
    removed = [item.topic for item in hub.heard("viewer-scoped") if item.body.get("action") == "removed"]
    assert removed == [f"container/{hub.boxes[0].id}"]


def test_notices_of_the_whole_fleet_are_for_keys_without_a_scope(hub: Hub) -> None:
    for user in ("admin-scoped", "admin-free"):
        hub.follow(user)
    bodies = ({"note": "expiry", "what": "key of the hub"}, {"note": "storm", "agent": "", "process": "x"})
    for body in bodies:
        items: words.Effects = [words.Publish("notice/keys", body)]
        told = hub.core.following.tell(items, hub.now)
        assert [send.route.envelope[0] for send in told if isinstance(send, words.Send)] == [b"admin-free"]
    unknown = hub.core.following.tell([words.Publish("novelty/x", {})], hub.now)
    assert len(unknown) == 2, "a family that no table names is not told to a scope"


def test_topics_are_prefixes_and_items_are_numbered(hub: Hub) -> None:
    hub.follow("viewer-free", f"fact/{hub.agents['azure']}")
    for number, name in itertools.product((1, 2), ("azure", "crimson")):
        hub.feed_event(hub.agents[name], exit_record(number))
    assert [item.seq for item in hub.heard("viewer-free")] == [1, 2]
    assert {item.topic for item in hub.heard("viewer-free")} == {f"fact/{hub.agents['azure']}"}


def test_who_does_not_ask_again_or_asks_for_nothing_hears_no_more(hub: Hub) -> None:
    for user in ("viewer-free", "operator-free"):
        hub.follow(user)
    hub.wait(following.SECONDS - 1)
    hub.follow("viewer-free")
    hub.query("follow", "operator-free", topics=())
    hub.wait(2.0)
    hub.ask("agents", hub.agents["azure"], register("b1", "azure", hub.now.wall))
    before = len(hub.heard("viewer-free")), len(hub.heard("operator-free"))
    hub.feed_event(hub.agents["azure"], exit_record(1))
    assert (len(hub.heard("viewer-free")) - before[0], len(hub.heard("operator-free")) - before[1]) == (1, 0)
    hub.wait(following.SECONDS + 1)
    assert hub.core.following.followers == {}


def test_a_revoked_key_hears_nothing_more(hub: Hub) -> None:
    hub.follow("viewer-free")
    hub.query("key.revoke", name="viewer-free")
    before = len(hub.heard("viewer-free"))
    hub.feed_event(hub.agents["azure"], exit_record(1))
    assert len(hub.heard("viewer-free")) == before


def test_a_quiet_follower_is_sent_nothing_and_its_agents_are_watched(hub: Hub) -> None:
    hub.follow("viewer-scoped", "sample/", quiet=True)
    assert [hub.beat(agent).watch for agent in hub.agents.values()] == [True, False]
    hub.sample(hub.agents["azure"], 0.5)
    assert hub.heard("viewer-scoped") == []
    hub.wait(following.SECONDS + 1)
    assert not hub.beat(hub.agents["azure"]).watch


@pytest.mark.parametrize("args", [
    {"topics": "x"}, {"topics": ["a"] * 65}, {"topics": ["a" * 257]}, {"topics": [1]},
    {"seconds": 0}, {"seconds": 61.0}, {"seconds": float("nan")}, {"seconds": True},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(hub: Hub, args: dict[str, Any]) -> None:
    assert hub.query("follow", "viewer-free", **args).code == "bad-argument"


def test_a_key_has_so_many_followers_and_no_more(hub: Hub) -> None:
    for number in range(limits.FOLLOWERS_OF_KEY + 1):
        route = words.Route("clients", (b"%d" % number,))
        hub.feed(words.Asked(route, "viewer-free", "peer", M.Query("q", "follow", {})))
    codes = [getattr(send.message, "code", "") for send in hub.sent if send.route.port == "clients"][-2:]
    assert codes == ["", "busy"] and hub.follow("operator-free")["seq"] == 0
