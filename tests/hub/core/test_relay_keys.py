"""What a relay gets of its token and of its hubs: labels for its containers, the hub list, a new key."""

from __future__ import annotations

import pytest

from tests.support.corehub import CoreHub, container
from tests.support.corerelay import CoreRelay
from wire import messages as M
from wire.keys import KeyPair


@pytest.fixture
def relay(hub: CoreHub) -> CoreRelay:
    made = CoreRelay(hub, hub.token(kind="relay", labels={"site": "north"}))
    made.tell(container(1, at=hub.now.wall, labels={"site": "south", "tier": "web"}))
    return made


def client(hub: CoreHub, **scope: str) -> str:
    hub.query("key.create", name="some", role="viewer", public=KeyPair.generate().public, scope=scope)
    return "some"


def seen(hub: CoreHub, user: str) -> list[str]:
    return [row["name"] for row in hub.query("containers", user)]


def test_containers_have_the_labels_of_their_relays_token(hub: CoreHub, relay: CoreRelay) -> None:
    [row] = hub.query("containers")
    assert row["labels"] == {"site": "north", "tier": "web"}, "what a relay invents does not count against its token"
    assert seen(hub, client(hub, site="north")) == ["box-1"]


def test_a_relay_cannot_put_its_containers_into_a_scope_of_others(hub: CoreHub, relay: CoreRelay) -> None:
    assert seen(hub, client(hub, site="south")) == []


def test_each_connection_is_told_of_the_hubs_once(hub: CoreHub, relay: CoreRelay) -> None:
    assert relay.beat().hubs == ()
    relay.connect("2")
    assert relay.beat().hubs == hub.core.fleet.settings.addresses
    assert relay.beat().hubs == ()


def test_a_relay_changes_its_key_when_an_admin_asks(hub: CoreHub, relay: CoreRelay) -> None:
    old, fresh = relay.pair.public, KeyPair.generate().public
    hub.query("agent.rekey", target="relay.*")
    assert relay.beat().rekey
    assert relay.say(M.Rekey(fresh)) == [M.Rekeyed(fresh)]
    live = hub.core.fleet.keys
    assert old in live and fresh in live, "both are admitted until the new one is used"
    hub.carry_out(hub.core.rekeying.used(fresh, "", hub.now))
    assert old not in live and fresh in live
    assert not relay.beat().rekey


def test_an_unused_new_key_ends_without_the_relay(hub: CoreHub, relay: CoreRelay) -> None:
    hub.query("agent.rekey", target="relay.*")
    first, second = (KeyPair.generate().public for _ in range(2))
    relay.say(M.Rekey(first))
    relay.say(M.Rekey(second))
    live = hub.core.fleet.keys
    assert relay.pair.public in live and second in live and first not in live
    assert relay.beat().engine == relay.engine
