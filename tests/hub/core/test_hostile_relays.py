"""A relay with a valid key that lies: it harms its own host's data and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hub.core.test_relays import box, ended, host, stop
from tests.support.corehub import CoreHub, container, listing
from tests.support.corerelay import CoreRelay
from tests.support.values import values
from wire import limits
from wire import messages as M
from wire import relay as R
from wire.codec import SHAPES, encode

VICTIM, OWN = container(1), container(2)


@pytest.fixture
def liar(hub: CoreHub) -> CoreRelay:
    """A relay beside an engine of the hub's own (e1 with box-1) and an honest relay (host-1 with box-3)."""
    hub.report(*listing(hub.now.wall, VICTIM))
    CoreRelay(hub).tell(container(3))
    made = CoreRelay(hub, host="liar")
    made.tell(OWN)
    return made


def others(hub: CoreHub) -> Any:
    """What the hub shows of everything but the liar's own."""
    rows = [{**row, "age": 0, "at": 0} for row in hub.query("containers") if row["engine"] != "liar"]
    return rows, [{**row, "age": 0} for row in hub.query("hosts") if row["engine"] != "liar"]


@pytest.mark.parametrize("number", [1, 3])
def test_it_cannot_list_what_another_engine_holds(hub: CoreHub, liar: CoreRelay, number: int) -> None:
    before = others(hub)
    liar.list(OWN, container(number, state="exited", name="stolen"))
    assert others(hub) == before
    assert box(hub, 2)["engine"] == "liar"
    assert any(item.body["note"] == "containers listed twice" for item in hub.published if item.topic == "notice/liar")


@pytest.mark.parametrize("action", ["die", "destroy", "oom", "start"])
def test_it_cannot_speak_of_a_strangers_container(hub: CoreHub, liar: CoreRelay, action: str) -> None:
    agent = hub.agent("inner", "web", container=VICTIM.id)
    hub.wait(1.0)
    published = len(hub.published)
    liar.event(VICTIM.id, action, exitCode="1")
    liar.event("f" * 64, action)
    liar.sample(VICTIM.id)
    assert hub.presence(agent) == "live" and VICTIM.id not in hub.core.fleet.samples
    assert len(hub.published) == published and not hub.core.witness.oomed


def test_an_empty_list_empties_its_own_engine_only(hub: CoreHub, liar: CoreRelay) -> None:
    before = others(hub)
    liar.list()
    assert (others(hub), box(hub, 2)) == (before, None)


def test_it_cannot_end_the_orders_of_others(hub: CoreHub, liar: CoreRelay) -> None:
    command = stop(hub)
    liar.say(R.RelayResult(command["id"], True, "", ""))
    assert ended(hub, command)[0] == "delivered"


def test_a_result_cannot_be_told_twice(hub: CoreHub, liar: CoreRelay) -> None:
    command = hub.query("command", target="box-2", verb="stop", container=True)
    (order,) = liar.orders()
    liar.result(order, False, "refused", "no\x1b[2J")
    liar.result(order, True)
    assert ended(hub, command) == ("failed", "refused: no?[2J")


def test_words_from_it_are_made_printable_and_bounded(hub: CoreHub, liar: CoreRelay) -> None:
    rows = container(2, name="\x1b]0;x", image="\n", state="flying", health="\x00", labels={"a\n": "b", "c": "d"})
    liar.list(rows._replace(addresses=("10.0.0.1", "nonsense")))
    row = box(hub, 2)
    assert (row["name"], row["image"], row["state"], row["health"]) == ("?]0;x", "?", "unknown", "")
    assert (row["labels"], row["addresses"]) == ({"c": "d"}, ("10.0.0.1",))
    liar.state(False, "boom\x07")
    assert host(hub, "liar")["error"] == "boom?"


def test_lists_in_broken_parts_change_nothing(hub: CoreHub, liar: CoreRelay) -> None:
    before = box(hub, 2)
    for number, part, parts in ((8, 1, 2), (9, 0, 2), (10, 1, 2), (9, 0, 3), (9, 2, 3)):
        liar.say(R.RelayList(number, part, parts, liar.now, ()))
    assert box(hub, 2) == before


def test_a_list_that_never_ends_is_bounded(hub: CoreHub, liar: CoreRelay) -> None:
    row = R.RelayContainer(*container(2))
    rows = tuple(row._replace(id=f"{n:064x}") for n in range(100, 300))
    liar.number = 50
    for part in range(limits.RELAY_PARTS):
        liar.say(R.RelayList(50, part, limits.RELAY_PARTS, liar.now, rows))
    relay = hub.core.relays.relays["relay.liar"]
    assert sum(map(len, relay.parts)) <= limits.ENGINE_CONTAINERS + len(rows)
    assert box(hub, 2)["name"] == "box-2"


def test_floods_of_events_lists_and_samples_are_cut(hub: CoreHub, liar: CoreRelay) -> None:
    hub.wait(2.0)
    before = len(hub.published)
    for _ in range(limits.ENGINE_EVENTS * 3):
        liar.event(OWN.id, "start")
        liar.sample(OWN.id)
    assert len(hub.published) - before <= limits.ENGINE_EVENTS
    for number in range(30):
        liar.list(container(2, name=f"n{number}"))
    assert box(hub, 2)["name"] == "n4"


def test_a_stranger_on_another_connection_is_not_heard(hub: CoreHub, liar: CoreRelay) -> None:
    liar.connect("other")
    assert liar.say(R.RelayList(99, 0, 1, liar.now, ())) == []
    assert box(hub, 2) is not None


def test_it_cannot_take_a_configured_engines_name(hub: CoreHub) -> None:
    hub.report(*listing(hub.now.wall, VICTIM))
    assert CoreRelay(hub, host="e1").engine == "e1-2"


KINDS = (R.RelayBeat, R.RelayState, R.RelayList, R.RelayEvent, R.RelaySamples, R.RelayResult)
SAID = st.sampled_from(KINDS).flatmap(lambda kind: values(SHAPES[kind]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SAID, max_size=8))
def test_whatever_it_says_the_others_stay_as_they_are(tmp_path_factory: Any, said: list[Any]) -> None:
    hub = CoreHub(tmp_path_factory.mktemp("store"))
    hub.report(*listing(hub.now.wall, VICTIM))
    liar = CoreRelay(hub, host="liar")
    liar.tell(OWN)
    before = others(hub)
    for message in said:
        liar.say(message)
        hub.wait(0.2)
    assert others(hub) == before
    encode(M.Answer("q", (hub.query("hosts"), hub.query("containers"))), limits.ANSWER_BYTES)
    hub.store.close(hub.now.wall)


def test_the_epoch_cannot_be_used_up(hub: CoreHub, liar: CoreRelay) -> None:
    assert isinstance(liar.beat(epoch=2**53 + 1), M.Refused)
