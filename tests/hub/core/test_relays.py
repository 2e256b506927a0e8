"""Engines behind relays: like any other engine while the relay talks, unreachable when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engines.reports import EngineState
from tests.support.corehub import CoreHub, container, listing
from tests.support.corerelay import CoreRelay
from wire import messages as M
from wire import relay as R

BOX = container(1)


@pytest.fixture
def relay(hub: CoreHub) -> CoreRelay:
    """A relay that has told of one container."""
    made = CoreRelay(hub)
    made.tell(container(1, at=hub.now.wall))
    return made


def host(hub: CoreHub, name: str = "host-1") -> Any:
    return {row["engine"]: row for row in hub.query("hosts")}.get(name)


def box(hub: CoreHub, number: int = 1) -> Any:
    return {row["id"]: row for row in hub.query("containers")}.get(f"{number:064x}")


def stop(hub: CoreHub, **args: Any) -> Any:
    return hub.query("command", target="box-1", verb="stop", container=True, **args)


def ended(hub: CoreHub, command: Any) -> tuple[str, str]:
    row = hub.query("command_state", id=command["id"])
    return row["state"], row["error"]


def test_its_engine_is_shown_like_any_other(hub: CoreHub, relay: CoreRelay) -> None:
    row = host(hub)
    assert (row["up"], row["version"], row["via"], row["kind"]) == (True, "26", "relay.host-1", "docker")
    assert (box(hub)["name"], box(hub)["engine"], box(hub)["stale"]) == ("box-1", "host-1", False)


def test_it_is_named_at_enrolment_and_shown_before_it_talks(hub: CoreHub) -> None:
    made = CoreRelay(hub, host="über/../host")
    assert made.key == "relay.ber-..-host"
    hub.wait(0.4)
    assert "has not been heard yet" in host(hub, made.engine)["error"]


def test_the_answer_asks_for_what_the_hub_lacks(hub: CoreHub, relay: CoreRelay) -> None:
    assert relay.beat().want is False
    hub.restart()
    assert relay.beat().want is True
    relay.list(BOX)
    assert relay.beat().want is False


def test_a_sample_becomes_a_figure(hub: CoreHub, relay: CoreRelay) -> None:
    relay.sample(BOX.id, 0.5)
    assert (box(hub)["cpu"], box(hub)["memory"]) == (0.5, 0.5)
    assert hub.query("container_history", target="box-1")


def test_times_are_moved_to_the_hubs_clock(hub: CoreHub) -> None:
    relay = CoreRelay(hub, behind=100.0)
    relay.tell(BOX)
    assert abs(box(hub)["age"]) < 0.5
    assert host(hub)["clock_ahead"] == pytest.approx(100.0)
    relay.sample(BOX.id, at=relay.now + 5000)
    assert hub.core.fleet.samples[BOX.id].at <= hub.now.wall


def test_a_die_is_told_at_once(hub: CoreHub) -> None:
    agent = hub.agent("inner", "web", container=BOX.id)
    relay = CoreRelay(hub)
    relay.tell(BOX)
    hub.wait(1.0)
    relay.event(BOX.id, "die", exitCode="137")
    assert hub.presence(agent) == "gone"


def test_a_silent_relay_makes_its_engine_unreachable_and_nobody_dead(hub: CoreHub) -> None:
    agent = hub.agent("inner", "web", container=BOX.id)
    relay = CoreRelay(hub)
    relay.tell(BOX)
    for _ in range(8):
        hub.wait(1.0)
        hub.beat(agent)
    assert (host(hub)["up"], host(hub)["error"]) == (False, "its relay is silent for 6.0 s")
    assert (box(hub)["stale"], box(hub)["state"]) == (True, "running")
    assert hub.presence(agent) == "live"
    relay.tell(BOX)
    assert (host(hub)["up"], box(hub)["stale"]) == (True, False)


def test_a_relay_that_says_goodbye_is_not_waited_for(hub: CoreHub, relay: CoreRelay) -> None:
    relay.beat(leaving="SIGTERM")
    assert (host(hub)["up"], host(hub)["error"]) == (False, "its relay was stopped: SIGTERM")


def test_an_engine_that_its_relay_cannot_reach_is_down_for_that_reason(hub: CoreHub, relay: CoreRelay) -> None:
    relay.state(False, "connection refused")
    assert (host(hub)["up"], host(hub)["error"]) == (False, "connection refused")
    assert host(hub)["via"] == "relay.host-1"


def test_an_order_goes_to_the_relay_and_its_result_comes_back(hub: CoreHub, relay: CoreRelay) -> None:
    command = stop(hub, args={"grace": 3})
    (order,) = relay.orders()
    assert (order.verb, order.container, order.args, order.ttl > 1) == ("stop", BOX.id, {"grace": 3}, True)
    relay.result(order, detail="was not running")
    assert ended(hub, command) == ("done", "")
    assert relay.beat().results == (order.id,)
    assert relay.beat().results == ()
    assert not hub.orders


def test_a_verb_that_the_relay_does_not_allow_is_refused_at_once(hub: CoreHub, relay: CoreRelay) -> None:
    relay.beat(verbs=("restart",))
    state, error = ended(hub, stop(hub))
    assert state == "failed" and "does not allow stop" in error
    assert not relay.orders()


def test_an_order_to_a_lost_relay_fails_at_once(hub: CoreHub, relay: CoreRelay) -> None:
    hub.wait(8.0)
    assert ended(hub, stop(hub)) == ("failed", "unreachable: the relay of host-1 is not there")


def test_an_order_is_sent_again_over_a_new_connection_of_the_same_start(hub: CoreHub, relay: CoreRelay) -> None:
    command = stop(hub)
    relay.connect("2")
    relay.beat()
    first, again = relay.orders()
    assert first.id == again.id and again.ttl <= first.ttl
    relay.result(again)
    assert ended(hub, command)[0] == "done"


def test_an_order_is_not_repeated_to_a_relay_that_was_started_anew(hub: CoreHub, relay: CoreRelay) -> None:
    command = stop(hub)
    relay.connect("2")
    relay.boot = "boot2"
    relay.beat()
    assert len(relay.orders()) == 1
    assert "may have been carried out" in ended(hub, command)[1]


def test_a_lost_key_is_replaced_and_the_engine_keeps_its_name(hub: CoreHub, relay: CoreRelay) -> None:
    hub.wait(8.0)
    again = CoreRelay(hub, relay.join)
    assert again.key == relay.key
    assert again.pair.public in {public for _, public in hub.admitted}
    assert relay.pair.public not in {public for _, public in hub.admitted}


def test_a_second_host_of_the_same_name_gets_a_number(hub: CoreHub, relay: CoreRelay) -> None:
    assert CoreRelay(hub, relay.join).engine == "host-1-2"


def test_a_token_admits_so_many_relays_at_a_time(hub: CoreHub) -> None:
    join = hub.token(kind="relay")
    CoreRelay(hub, join)
    assert CoreRelay(hub, join, "host-2").answer.code == "token-full"


def test_the_key_of_a_gone_relay_gives_way_to_another_host(hub: CoreHub) -> None:
    join = hub.token(kind="relay")
    CoreRelay(hub, join).tell(BOX)
    hub.wait(8.0)
    CoreRelay(hub, join, "host-2").tell()
    hub.wait(0.4)
    assert (host(hub), box(hub)) == (None, None)
    assert list(hub.core.fleet.relay_keys) == ["relay.host-2"]


def test_a_revoked_relay_is_refused_and_its_engine_forgotten(hub: CoreHub, relay: CoreRelay) -> None:
    agent = hub.agent("inner", "web", container=BOX.id)
    assert hub.query("key.revoke", name="relay.host-1")["kind"] == "relay"
    assert relay.beat().code == "unknown-key"
    hub.wait(0.4)
    assert (host(hub), box(hub), hub.presence(agent)) == (None, None, "live")


def test_join_strings_in_the_wrong_place_admit_nobody(hub: CoreHub) -> None:
    assert hub.enrol(hub.token(kind="relay")).code == "wrong-token"
    assert CoreRelay(hub, hub.token(kind="service")).answer.code == "wrong-token"


def test_roles_do_not_mix(hub: CoreHub, relay: CoreRelay) -> None:
    agent = hub.agent("inner", "web")
    assert hub.ask("agents", agent, R.RelayBeat("b1", "0", "h", (), 0.0, 0.0, 0, 0)).code == "unknown-key"
    assert relay.say(M.Hello("b1"))[0].code == "unknown-key"
    assert hub.ask("clients", relay.key, M.Query("q", "hosts", {})).code == "unknown-key"


def test_two_relays_with_one_key_are_told_and_the_later_is_refused(hub: CoreHub, relay: CoreRelay) -> None:
    answers = []
    for _ in range(3):
        for boot in ("boot1", "copy"):
            relay.boot = boot
            answers.append((boot, relay.beat()))
    assert isinstance(answers[-1][1], M.Refused) and answers[-1][1].code == "double"
    relay.boot = "boot1"
    assert isinstance(relay.beat(), R.Relayed)


def test_a_higher_epoch_raises_the_hubs(hub: CoreHub, relay: CoreRelay) -> None:
    relay.beat(epoch=41)
    assert relay.beat().epoch == 42
    assert relay.beat(epoch=2**60).code == "bad-epoch"


def test_a_directly_polled_engine_keeps_its_containers(hub: CoreHub, relay: CoreRelay) -> None:
    hub.report(*listing(hub.now.wall, BOX))
    assert box(hub)["engine"] == "e1"
    relay.list(BOX._replace(state="exited"))
    assert (box(hub)["engine"], box(hub)["state"]) == ("e1", "running")
    hub.report(EngineState("e1", hub.now.wall, False, "gone"))
    relay.list(BOX._replace(state="exited"))
    assert (box(hub)["engine"], box(hub)["state"]) == ("e1", "running")


def test_what_a_relay_had_to_drop_is_told_once(hub: CoreHub, relay: CoreRelay) -> None:
    for _ in range(3):
        relay.beat(dropped=7)
    told = [item.body for item in hub.published if item.topic == "notice/host-1"]
    assert [body["count"] for body in told if body["note"] == "relay dropped reports"] == [7]
