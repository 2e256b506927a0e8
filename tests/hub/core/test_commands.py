"""Orders of clients: judged, claimed, delivered, ended, audited."""

from __future__ import annotations

from hub.engines.reports import OrderResult
from hub.store.errors import Unwritable
from hub.words import Asked, Route, Undelivered
from tests.support.corehub import CoreHub, container, listing, register, roster
from wire import messages as M
from wire.keys import KeyPair
from wire.model import CommandState


def order(hub: CoreHub, *targets: str, verb: str = "restart", user: str = "admin", **args: object) -> object:
    return hub.query("command", user, targets=targets, verb=verb, **args)


def report(hub: CoreHub, agent: str, state: CommandState, id: str, **more: object) -> None:
    fields = {"result": None, "error": None, **more}
    hub.ask("agents", agent, M.Progress(id, state, fields["result"], fields["error"], 0.0))


def test_commands_to_an_agent_are_numbered_and_a_repetition_keeps_its_number(hub: CoreHub) -> None:
    agents = [hub.agent(name, "web") for name in ("shop", "cafe")]
    routes = [hub.hello(agent) for agent in agents]
    for number in range(3):
        hub.query("command", verb="restart", target="shop/web", id=f"s{number}")
    hub.query("command", verb="restart", target="cafe/web", id="c0")
    assert routes and [(one.id, one.nonce) for one in hub.commands()] == [("s0", 1), ("s1", 2), ("s2", 3), ("c0", 1)]
    hub.hello(agents[0])
    assert {one.id: one.nonce for one in hub.commands()[4:]} == {"s0": 1, "s1": 2, "s2": 3}
    epoch = hub.commands()[-1].epoch
    hub.restart()
    hub.ask("agents", agents[0], register(name="shop"))
    hub.hello(agents[0])
    assert sorted(one.nonce for one in hub.commands()[-3:]) == [1, 2, 3] and hub.commands()[-1].epoch > epoch


def audits(hub: CoreHub) -> list[tuple[str, str, str]]:
    return [(row["actor"], row["action"], row["outcome"]) for row in hub.query("audit")]


def test_a_command_goes_to_the_agents_own_route(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web", "worker")
    route = hub.hello(agent)
    answer = order(hub, "shop/web", id="o1", ttl=9.0)
    assert (answer["id"], answer["state"], answer["name"]) == ("o1", "accepted", "shop")
    (send,) = [send for send in hub.sent if isinstance(send.message, M.Command)]
    expected = M.Command("o1", "restart", {"names": ("web",)}, 9.0, "hub:admin", 1, 1, hub.now.wall + 9.0)
    assert send.route == route and send.message == expected


def test_progress_leads_to_done_and_only_its_own_agent_may_report(hub: CoreHub) -> None:
    agent, other = hub.agent("shop", "web"), hub.agent("evil", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1")
    report(hub, other, CommandState.DONE, "o1")
    assert hub.query("command_state", id="o1")["state"] == "accepted"
    report(hub, agent, CommandState.DELIVERED, "o1")
    report(hub, agent, CommandState.DONE, "o1", result={"web": "ok"})
    state = hub.query("command_state", id="o1")
    assert (state["state"], state["result"]) == ("done", {"web": "ok"})
    assert ("admin", "restart", "accepted") in audits(hub) and ("admin", "restart", "done") in audits(hub)


def test_a_failure_tells_code_and_message(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1")
    report(hub, agent, CommandState.FAILED, "o1", error={"code": "timeout", "message": "still STOPPING"})
    assert hub.query("command_state", id="o1")["error"] == "timeout: still STOPPING"


def test_a_command_waits_for_its_agents_route(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    order(hub, "shop/web", id="o1", ttl=60.0)
    assert hub.commands() == [] and hub.beat(agent).want_hello is True
    hub.hello(agent)
    assert [command.id for command in hub.commands()] == ["o1"]
    assert hub.beat(agent).want_hello is False


def test_a_dead_route_is_asked_for_anew(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    hub.feed(Undelivered(agent))
    assert hub.beat(agent).want_hello is True


def test_a_delivered_command_is_sent_again_to_a_new_link_of_the_same_boot(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1")
    report(hub, agent, CommandState.DELIVERED, "o1")
    hub.hello(agent)
    assert [command.id for command in hub.commands()] == ["o1", "o1"]


def test_another_boot_does_not_get_what_the_first_may_have_executed(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1", ttl=60.0)
    hub.ask("agents", agent, register("b2", at=hub.now.wall))
    hub.hello(agent, "b2")
    state = hub.query("command_state", id="o1")
    assert state["state"] == "failed" and "may have been executed" in state["error"] and len(hub.commands()) == 1


def test_a_deadline_expires_a_command_and_later_news_change_nothing(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1", ttl=1.0)
    hub.wait(1.2)
    report(hub, agent, CommandState.DONE, "o1")
    assert hub.query("command_state", id="o1")["state"] == "expired"


def test_a_repeated_order_claims_nothing_twice_even_after_a_restart(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    order(hub, "shop/web", id="o1")
    report(hub, agent, CommandState.DONE, "o1")
    assert order(hub, "shop/web", id="o1")["repeated"] is True
    hub.restart()
    hub.ask("agents", agent, register(at=hub.now.wall))
    hub.ask("agents", agent, roster(hub.now.wall, "web"))
    hub.hello(agent)
    again = order(hub, "shop/web", id="o1")
    assert (again["state"], again["repeated"]) == ("done", True) and len(hub.commands()) == 1


def test_one_order_for_many_targets_has_one_command_each(hub: CoreHub) -> None:
    agents = [hub.agent(f"shop-{n}", "web", "worker") for n in range(3)]
    answer = order(hub, "shop-*/w*", id="o1")
    assert [row["id"] for row in answer["commands"]] == ["o1.1", "o1.2", "o1.3"]
    for number, agent in enumerate(agents, 1):
        report(hub, agent, CommandState.DONE if number < 3 else CommandState.FAILED, f"o1.{number}")
    assert hub.query("command_state", id="o1")["state"] == "failed"


def test_one_bad_target_stops_the_whole_order(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    refused = order(hub, "shop/web", "shop/nope")
    assert refused.code == "unknown-program" and hub.commands() == []
    assert ("admin", "restart", "refused") in audits(hub)
    assert hub.query("audit")[-1]["target"] == "shop/web shop/nope"


def test_an_observed_container_takes_no_commands_but_tails(hub: CoreHub) -> None:
    hub.agent("shop", "web", remote=M.Remote.OBSERVE)
    assert order(hub, "shop/web").code == "observe-only"
    assert order(hub, "shop/web", verb="tail")["state"] == "accepted"


def test_verbs_and_arguments_are_a_closed_list(hub: CoreHub) -> None:
    hub.agent("shop", "web")
    assert order(hub, "shop/web", verb="exec").code == "unknown-verb"
    assert order(hub, "shop/web", verb="restart", args={"shell": "sh"}).code == "bad-argument"
    assert order(hub, "shop/web", verb="pause").code == "unknown-verb"


def test_a_store_that_fails_sends_nothing(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    hub.broken = "claim_audited"
    assert order(hub, "shop/web")["state"] == "failed" and hub.commands() == []


def test_a_container_command_goes_to_its_engine_with_the_full_id(hub: CoreHub) -> None:
    hub.report(*listing(hub.now.wall, container(1)))
    order(hub, "box-1", verb="stop", container=True, id="o1", args={"grace": 3})
    (sent,) = hub.orders
    assert (sent.engine, sent.command.container, sent.command.verb) == ("e1", f"{1:064x}", "stop")
    hub.report(OrderResult("e1", "o1", True, detail="stopped"))
    assert hub.query("command_state", id="o1")["state"] == "done"


def test_where_no_engine_lists_the_container_its_verbs_are_unavailable_and_its_programs_are_not(hub: CoreHub) -> None:
    hub.agent("pod-1", "web")
    refused = order(hub, "pod-1", verb="stop", container=True)
    assert refused.code == "unavailable" and "container verbs are unavailable" in refused.message
    assert order(hub, "pod-2", verb="stop", container=True).code == "unknown-container"
    assert order(hub, "pod-1/web", verb="stop")["state"] == "accepted"


def test_an_engine_that_refuses_fails_the_command(hub: CoreHub) -> None:
    hub.report(*listing(hub.now.wall, container(1)))
    order(hub, "box-1", verb="stop", container=True, id="o1")
    hub.report(OrderResult("e1", "o1", False, "unreachable", "no answer"))
    assert hub.query("command_state", id="o1")["error"] == "unreachable: no answer"


def test_container_orders_in_flight_are_not_repeated_after_a_restart(hub: CoreHub) -> None:
    hub.report(*listing(hub.now.wall, container(1)))
    order(hub, "box-1", verb="stop", container=True, id="o1")
    hub.restart()
    hub.wait(3.0)
    assert len(hub.orders) == 1 and hub.query("command_state", id="o1")["state"] == "delivered"
    hub.report(*listing(hub.now.wall, container(1, state="exited", finished_at=hub.now.wall - 1.0)))
    hub.wait(0.2)
    state = hub.query("command_state", id="o1")
    assert (state["state"], len(hub.orders)) == ("done", 1) and "it ended 2" in state["result"]


def test_a_container_order_that_no_engine_tells_of_after_a_restart_has_failed_after_its_deadline(hub: CoreHub) -> None:
    hub.report(*listing(hub.now.wall, container(1)))
    order(hub, "box-1", verb="stop", container=True, id="o1", ttl=5.0)
    hub.restart()
    hub.wait(12.0)
    state = hub.query("command_state", id="o1")
    assert state["state"] == "failed" and "the hub that gave the order ended" in state["error"] and len(hub.orders) == 1


def test_commands_in_flight_fly_on_after_a_restart(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    order(hub, "shop/web", id="o1", ttl=60.0)
    hub.restart()
    hub.ask("agents", agent, register(at=hub.now.wall))
    hub.hello(agent)
    assert [command.id for command in hub.commands()] == ["o1"]


def test_roles_and_scopes_hold_for_commands(hub: CoreHub) -> None:
    hub.agent("blue", "web", join=hub.token(labels={"team": "blue"}))
    hub.agent("red", "web", join=hub.token(labels={"team": "red"}))
    for name, role in (("eve", "viewer"), ("bob", "operator")):
        hub.query("key.create", name=name, role=role, public=KeyPair.generate().public, scope={"team": "blue"})
    assert order(hub, "blue/web", user="eve").code == "forbidden"
    assert order(hub, "blue/web", user="bob")["state"] == "accepted"
    assert order(hub, "red/web", user="bob").code == "unknown-agent"
    assert [row["name"] for row in hub.query("agents", "bob")] == ["blue"]
    assert hub.query("token.list", "bob").code == "forbidden"
    assert hub.query("command_state", "bob", id=order(hub, "red/web")["id"]).code == "unknown-command"


def full(row: object, after: str) -> int:
    raise Unwritable("the disk is full")


def held(hub: CoreHub, *, id: str = "o1", hold: float = 5.0) -> list[object]:
    """Asks for a command whose answer is held back; what was answered so far is in the list, which grows."""
    route = Route("clients", (id.encode(), b""))
    asked = M.Query("q", "command", {"targets": ("shop/web",), "verb": "restart", "id": id, "hold": hold})
    hub.feed(Asked(route, "admin", "1.2.3.4", asked))
    return [send.message for send in hub.sent if send.route == route]


def test_an_answer_is_held_until_the_command_has_ended(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    assert held(hub) == [] and len(hub.commands()) == 1
    report(hub, agent, CommandState.DONE, "o1", result={"web": "ok"})
    (answer,) = [send.message for send in hub.sent if send.route.envelope[0] == b"o1"]
    assert isinstance(answer, M.Answer) and answer.result["state"] == "done"


def test_an_answer_is_not_held_for_longer_than_was_asked(hub: CoreHub) -> None:
    hub.hello(hub.agent("shop", "web"))
    held(hub, hold=1.0)
    hub.wait(1.2)
    (answer,) = [send.message for send in hub.sent if send.route.envelope[0] == b"o1"]
    assert isinstance(answer, M.Answer) and answer.result["state"] == "accepted" and not hub.core.orders.waits.held


def test_whoever_repeats_an_order_may_wait_too_but_not_without_bound(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    answered = [len(held(hub)) for _ in range(6)]
    assert answered == [0, 0, 0, 0, 1, 2]
    report(hub, agent, CommandState.DONE, "o1")
    assert len([send for send in hub.sent if send.route.envelope[0] == b"o1"]) == 6
    assert held(hub)[-1].result["state"] == "done", "what has ended is told at once"


def test_a_hold_that_is_no_time_is_refused(hub: CoreHub) -> None:
    hub.agent("shop", "web")
    assert order(hub, "shop/web", hold=-1).code == "bad-argument"


def test_nothing_is_sent_before_the_audit_knows_it(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    hub.store._store.append_audit = full  # type: ignore[attr-defined]
    assert order(hub, "shop/web", id="o1")["state"] == "failed" and hub.commands() == []
    assert hub.store.command("o1") is None, "neither of them is kept"
