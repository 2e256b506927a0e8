"""What the hub does when its store went away, came back, or may have lost something."""

from __future__ import annotations

from typing import Any

from hub import words
from tests.support import rows
from tests.support.corehub import CoreHub
from wire.messages import Facts


def tell(hub: CoreHub, agent: str, first: int, last: int) -> int:
    return int(hub.ask("agents", agent, Facts("b1", 1, tuple(rows.facts(first, last)))).durable)


def forget(hub: CoreHub, agent: str, durable: int) -> None:
    """The store lost the facts above this one."""
    database: Any = hub.store._database
    with database.write() as connection:
        connection.execute("DELETE FROM facts WHERE seq > ?", (durable,))
        connection.execute("UPDATE boots SET durable = ? WHERE agent = ?", (durable, agent))


def test_a_doubt_lets_the_next_heartbeat_tell_a_lower_number(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    assert tell(hub, agent, 1, 6) == 6
    forget(hub, agent, 3)
    assert hub.beat(agent).durable == 6
    hub.feed(words.StoreNews(None, "another server took over"))
    assert (hub.beat(agent).durable, hub.beat(agent).register) == (3, False)
    assert tell(hub, agent, 4, 6) == 6 == hub.beat(agent).durable


def test_facts_that_a_store_refused_are_asked_for_when_it_is_back(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    hub.feed(words.StoreNews(1234.5, ""))
    hub.broken = "append_facts"
    assert tell(hub, agent, 1, 6) == 0
    away = hub.beat(agent)
    assert (away.durable, away.again) == (0, False), "there is nowhere to put them yet"
    hub.broken = ""
    hub.feed(words.StoreNews(None, "it was away"))
    back = hub.beat(agent)
    assert (back.durable, back.again) == (0, True)
    assert tell(hub, agent, 1, 6) == 6 and hub.beat(agent).again is False, "it is asked once"


def test_a_store_that_is_away_again_is_not_waited_for(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    hub.feed(words.StoreNews(None, "another server took over"))
    hub.feed(words.StoreNews(1234.5, ""))
    hub.broken = "durable"
    asked: list[str] = []
    carry, hub._store = hub._store, lambda effect: asked.append(effect.method)  # type: ignore[method-assign]
    assert hub.beat(agent).durable == 0 and "durable" not in asked
    hub._store, hub.broken = carry, ""  # type: ignore[method-assign]
    hub.feed(words.StoreNews(None, "it was away"))
    assert hub.beat(agent).again is True


def test_what_is_sent_again_is_not_told_again(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    tell(hub, agent, 1, 6)
    forget(hub, agent, 3)
    hub.feed(words.StoreNews(None, "it was away"))
    hub.beat(agent)
    before = len(hub.published)
    tell(hub, agent, 4, 6)
    assert not [item for item in hub.published[before:] if item.topic.startswith("fact/")]


def test_a_store_that_cannot_tell_yet_is_asked_with_the_next_heartbeat(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    tell(hub, agent, 1, 6)
    forget(hub, agent, 3)
    hub.feed(words.StoreNews(None, "it was away"))
    hub.broken = "durable"
    assert hub.beat(agent).durable == 6
    hub.broken = ""
    assert hub.beat(agent).durable == 3


def test_about_and_metrics_say_that_the_store_is_away(hub: CoreHub) -> None:
    assert hub.query("about")["store"]["away_since"] is None
    hub.feed(words.StoreNews(1234.5, ""))
    assert hub.query("about")["store"]["away_since"] == 1234.5
    assert "pidone_store_away 1" in hub.query("metrics")
    hub.feed(words.StoreNews(None, "it was away"))
    assert hub.query("about")["store"]["away_since"] is None
