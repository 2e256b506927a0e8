"""An agent's new key at the hub: offered, admitted beside the old one, proved by its first use, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.corehub import CoreHub
from wire import messages as M
from wire.keys import KeyPair

NEW, OTHER = KeyPair.generate().public, KeyPair.generate().public


@pytest.fixture
def hub(tmp_path: Path) -> CoreHub:
    return CoreHub(tmp_path)


def offer(hub: CoreHub, agent: str, public: str = NEW) -> Any:
    return hub.ask("agents", agent, M.Rekey(public))


def use(hub: CoreHub, public: str = NEW) -> None:
    """The gate lets it in."""
    assert ("agents", public) in hub.admitted
    hub.carry_out(hub.core.rekeying.used(public, "", hub.now))


def admitted(hub: CoreHub, agent: str) -> set[str]:
    return {public for (_, public), subject in hub.admitted.items() if subject == agent}


def live(hub: CoreHub, agent: str) -> list[str]:
    return [row.public for row in hub.store.keys("agent") if row.subject == agent and row.revoked_at is None]


def test_an_agent_is_asked_until_its_new_key_was_used(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    [old] = admitted(hub, agent)
    assert not hub.beat(agent).rekey
    assert hub.query("agent.rekey", target="shop") == [{"agent": agent, "name": "shop"}]
    assert hub.beat(agent).rekey and offer(hub, agent) == M.Rekeyed(NEW)
    assert admitted(hub, agent) == {old, NEW} == set(live(hub, agent)) and hub.beat(agent).rekey
    use(hub)
    assert admitted(hub, agent) == {NEW} == set(live(hub, agent)) and not hub.beat(agent).rekey
    assert [row["action"] for row in hub.query("audit")].count("agent rekey") == 2
    assert any(item.body.get("note") == "key changed" for item in hub.published)


def test_an_offer_may_be_repeated(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    assert offer(hub, agent) == offer(hub, agent) == M.Rekeyed(NEW)
    use(hub)
    assert offer(hub, agent) == M.Rekeyed(NEW) and admitted(hub, agent) == {NEW}


def test_a_hub_that_starts_in_between_goes_on_with_it(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    offer(hub, agent)
    hub.restart()
    assert len(admitted(hub, agent)) == 2
    use(hub)
    assert admitted(hub, agent) == {NEW} == set(live(hub, agent))
    hub.restart()
    assert admitted(hub, agent) == {NEW}


def test_a_second_new_key_takes_the_place_of_the_unused_first(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    hub.query("agent.rekey", target="*")
    [old] = admitted(hub, agent)
    offer(hub, agent)
    offer(hub, agent, OTHER)
    assert admitted(hub, agent) == {old, OTHER} == set(live(hub, agent))
    use(hub, OTHER)
    assert admitted(hub, agent) == {OTHER}


def test_nobody_takes_the_key_of_another_or_fills_the_store(hub: CoreHub) -> None:
    one, two = hub.agent("one"), hub.agent("two")
    [theirs] = admitted(hub, two)
    assert offer(hub, one, theirs).code == "bad-key" == offer(hub, one, "x").code
    offer(hub, one)
    assert offer(hub, one, OTHER).code == "too-soon" and offer(hub, two, OTHER) == M.Rekeyed(OTHER)


def test_a_key_that_was_revoked_does_not_come_back(hub: CoreHub) -> None:
    one, two = hub.agent("one"), hub.agent("two")
    [theirs] = admitted(hub, two)
    hub.query("key.revoke", name=two)
    assert offer(hub, one, theirs).code == "bad-key"


def test_revoking_an_agent_takes_both_keys(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    offer(hub, agent)
    hub.query("key.revoke", name=agent)
    assert admitted(hub, agent) == set() == set(live(hub, agent))
    hub.restart()
    assert admitted(hub, agent) == set()


def test_a_store_that_fails_admits_nothing(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    hub.broken = "put_key"
    assert offer(hub, agent).code == "store" and len(admitted(hub, agent)) == 1


def test_nobody_is_told_where_nobody_is_meant(hub: CoreHub) -> None:
    assert hub.query("agent.rekey", target="nobody").code == "unknown-target"
    assert hub.query("agent.rekey").code == "bad-argument"
