"""What one hub learns of another's agents, keys and words, and when: two real cores over one store, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import words
from hub.cluster.tidings import BOOK, FOLLOW_SECONDS, KEYS_SECONDS, MOST
from tests.support.corehub import register
from tests.support.corehubs import CoreHubs, SharedHub
from tests.support.facts import change, exit_record
from wire import messages as M
from wire.keys import KeyPair
from wire.model import FactKind

SOON = 2 * FOLLOW_SECONDS + 0.4
"""A look, a second one for a row, and the ticks between."""


@pytest.fixture
def hubs(tmp_path: Path) -> CoreHubs:
    return CoreHubs(tmp_path, 2)


@pytest.fixture
def agent(hubs: CoreHubs) -> str:
    """One that speaks to the first hub."""
    agent = hubs.agent("a")
    hubs.speak(agent, hubs.hubs[0])
    hubs.wait(3.0)
    return agent


def told(hub: SharedHub, topic: str) -> list[object]:
    return [item.body for item in hub.published if item.topic == topic]


def test_an_agent_that_joined_elsewhere_is_known_soon(hubs: CoreHubs) -> None:
    first, second = hubs.hubs
    agent = first.agent("shop", "web")
    hubs.until(lambda: agent in second.core.fleet.registry.agents, SOON)
    assert agent in second.core.fleet.agent_keys, "with its key, so that it may come at once"
    hubs.until(lambda: bool(second.query("ps")), SOON)


def test_a_fact_told_at_one_hub_is_on_the_feed_of_the_other_once(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    first.ask("agents", agent, M.Facts("boot-a", 1, (exit_record(1),)))
    hubs.until(lambda: bool(told(second, f"fact/{agent}")), SOON)
    hubs.wait(3.0)
    assert len(told(first, f"fact/{agent}")) == len(told(second, f"fact/{agent}")) == 1


def test_a_change_of_state_is_in_the_picture_of_the_other(hubs: CoreHubs) -> None:
    first, second = hubs.hubs
    agent = first.agent("shop", "web")
    hubs.until(lambda: bool(second.query("ps")), 2 * SOON)
    assert [row["pid"] for row in second.query("ps")] == [100]
    first.ask("agents", agent, M.Facts("b1", 1, (change(1),)))
    hubs.until(lambda: [row["pid"] for row in second.query("ps")] == [101], SOON)


def test_more_facts_than_a_look_takes_follow_at_once(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    for number in range(MOST + 200):
        first.store.record_fact(agent, first.now.wall, FactKind.NOTE, {"note": "n", "hub": "hub-0", "number": number})
    hubs.until(lambda: len(told(second, f"notice/{agent}")) >= MOST + 200, SOON + 0.4)


def test_a_goodbye_elsewhere_stands_until_the_agent_speaks_here_later(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    first.ask("agents", agent, M.Goodbye("boot-a", "SIGTERM", 0))
    hubs.until(lambda: second.presence(agent) == "gone", SOON)
    second.ask("agents", agent, register("boot-2", at=second.now.wall))
    assert second.presence(agent) == "live"
    hubs.until(lambda: first.presence(agent) == "live", SOON)
    hubs.wait(3.0)
    assert second.presence(agent) == "live", "the older word changes nothing"


def test_who_spoke_here_and_speaks_there_now_is_served_there_only(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    assert first.cluster.serves(agent, first.now)
    hubs.speak(agent, second)
    hubs.until(lambda: second.cluster.serves(agent, second.now), SOON)
    hubs.until(lambda: not first.cluster.serves(agent, first.now), SOON)


def test_a_client_key_made_and_revoked_elsewhere_is_taken_and_refused_here(hubs: CoreHubs) -> None:
    first, second = hubs.hubs
    public = KeyPair.generate().public
    first.query("key.create", name="ann", role="viewer", public=public, scope={})
    hubs.until(lambda: ("clients", public) in second.admitted, KEYS_SECONDS + 0.4)
    first.query("key.revoke", name="ann")
    hubs.until(lambda: ("clients", public) not in second.admitted, KEYS_SECONDS + 0.4)


def test_a_word_in_the_book_is_carried_out_by_whom_it_names(hubs: CoreHubs) -> None:
    first, second = hubs.hubs
    first.query("drain", hub="hub-1")
    hubs.until(lambda: second.cluster.lease.row.draining, SOON)
    assert not first.cluster.lease.row.draining


def test_own_words_and_nonsense_change_nothing(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    bodies: list[dict[str, object]] = [
        {"note": "drain", "drains": "hub-1", "hub": "hub-1"},
        {"note": "drain", "drains": "hub-1"},
        {"note": "no such errand", "hub": "hub-0"},
    ]
    for body in bodies:
        first.store.record_fact(BOOK, first.now.wall, FactKind.NOTE, body)
    for presence, at in (("asleep", 1.0), ("gone", "noon"), ("gone", None)):
        body = {"note": "presence", "presence": presence, "at": at, "hub": "hub-0"}
        first.store.record_fact(agent, first.now.wall, FactKind.NOTE, body)
    hubs.wait(3.0)
    assert not second.cluster.lease.row.draining and second.presence(agent) == "live"


def test_what_is_written_about_agents_carries_the_hubs_name(hubs: CoreHubs, agent: str) -> None:
    rows = hubs.hubs[0].store.facts(agent=agent, limit=100)
    assert rows and all(row.body["hub"] in ("hub-0", "hub-1") for row in rows if isinstance(row.body, dict))


def test_while_the_store_is_away_the_position_stays_and_nothing_is_missed(hubs: CoreHubs, agent: str) -> None:
    first, second = hubs.hubs
    second.away = True
    first.ask("agents", agent, M.Facts("boot-a", 1, (exit_record(1),)))
    hubs.wait(2.0)
    assert not told(second, f"fact/{agent}")
    second.away = False
    hubs.until(lambda: bool(told(second, f"fact/{agent}")), SOON)


def test_a_row_that_never_comes_is_not_looked_for_for_ever(hubs: CoreHubs) -> None:
    first, second = hubs.hubs
    body: dict[str, object] = {"note": "presence", "presence": "live", "at": 1.0, "hub": "hub-0"}
    first.store.record_fact("nobody", first.now.wall, FactKind.NOTE, body)
    hubs.until(lambda: "nobody" in second.cluster.tidings.unknown, SOON)
    hubs.until(lambda: not second.cluster.tidings.unknown, 20.0)


def test_a_revoked_key_has_the_feed_renewed(hubs: CoreHubs) -> None:
    second, effects = hubs.hubs[1], []
    carry_out = second.carry_out
    second.carry_out = lambda found: (effects.extend(found), carry_out(found))[1]  # type: ignore[method-assign]
    hubs.hubs[0].query("key.create", name="ann", role="viewer", public=KeyPair.generate().public, scope={})
    hubs.wait(KEYS_SECONDS + 0.4)
    assert not any(isinstance(effect, words.Renew) for effect in effects)
    hubs.hubs[0].query("key.revoke", name="ann")
    hubs.wait(KEYS_SECONDS + 0.4)
    assert any(isinstance(effect, words.Renew) for effect in effects), "its connections end"
