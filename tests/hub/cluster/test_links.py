"""Hubs ask each other: commands are carried once, answers are gathered, and what cannot be reached is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cluster.gather import GATHER_SECONDS
from hub.engines.reports import OrderResult
from hub.fleet import PEER
from hub.words import Asked, Route, Tick
from tests.support.corehub import container, listing
from tests.support.linkedhubs import Linked, LinkedHubs, commands
from wire import messages as M
from wire.keys import KeyPair
from wire.model import CommandState


@pytest.fixture
def crew(tmp_path: Path) -> LinkedHubs:
    return LinkedHubs(tmp_path)


def shop(crew: LinkedHubs, at: int = 0) -> str:
    """An agent that speaks to one hub, and is known to all."""
    hub = crew.hubs[at]
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    crew.wait(3.0)
    hub.beat(agent)
    hub.sample(agent, 0.25)
    for one in crew.hubs:
        one.asked.clear()
    return agent


def order(hub: Linked, id: str = "o1", **args: object) -> list[object]:
    """A command whose answer is held; what was answered so far."""
    route = Route("clients", (id.encode(), b"client"))
    asked = {"targets": ("shop/web",), "verb": "restart", "id": id, "hold": 20.0, **args}
    hub.feed(Asked(route, "admin", "1.2.3.4", M.Query("q", "command", asked)))
    return [send.message for send in hub.sent if send.route == route]


def done(hub: Linked, agent: str, id: str = "o1") -> None:
    hub.ask("agents", agent, M.Progress(id, CommandState.DONE, {"web": "ok"}, None, 0.0))


def state(hub: Linked, id: str = "o1") -> object:
    return hub.query("command_state", id=id)["state"]


def asked(hub: Linked, question: str, **args: object) -> object:
    """What hub-1 is told; a refusal as it is."""
    answer = hub.ask("clients", PEER + "hub-1", M.Query("q", question, args))
    return answer.result if isinstance(answer, M.Answer) else answer


def test_a_followed_output_has_its_two_rows_whichever_hub_carries_the_looks(crew: LinkedHubs) -> None:
    agent = shop(crew)
    here, there, _ = crew.hubs
    for number in range(3):
        order(there, f"f1-{number}", verb="tail", follow="f1")
        done(here, agent, f"f1-{number}")
        assert state(there, f"f1-{number}") == "done"
    assert [command.id for command in commands(here)] == ["f1-0", "f1-1", "f1-2"]
    there.query("command", verb="tail", follow="f1", end=True)
    assert [row.outcome for row in crew.store.audit() if row.action == "tail"] == ["following", "ended"]


def test_a_command_goes_straight_to_the_agents_hub_and_its_end_comes_back(crew: LinkedHubs) -> None:
    agent = shop(crew)
    here, there, _ = crew.hubs
    assert order(there) == [] and there.asked == [("hub-0", "hub.carry")]
    assert [(one.id, one.actor) for one in commands(here)] == [("o1", "hub:admin")] and commands(there) == []
    done(here, agent)
    (answer,) = order(there)[:1]
    assert (
        isinstance(answer, M.Answer) and answer.result["state"] == "done" and answer.result["result"] == {"web": "ok"}
    )
    rows = [(row["outcome"], row["command"]) for row in there.query("audit", limit=100) if row["action"] == "restart"]
    assert rows == [("accepted", "o1"), ("done", "o1")], "each once"


def test_a_hub_that_cannot_be_reached_is_asked_through_the_store(crew: LinkedHubs) -> None:
    agent = shop(crew)
    here, there, _ = crew.hubs
    here.reached = False
    order(there)
    assert commands(here) == []
    crew.wait(3.0)
    assert [one.id for one in commands(here)] == ["o1"]
    done(here, agent)
    crew.wait(3.0)
    assert state(there) == "done"


def test_an_answer_that_is_lost_is_found_in_the_store_and_nothing_is_sent_twice(crew: LinkedHubs) -> None:
    agent = shop(crew)
    here, there, _ = crew.hubs
    order(there)
    here.crew = {**here.crew, "hub-1": here.crew["hub-2"]}  # what it answers goes astray
    done(here, agent)
    assert state(there) == "accepted"
    crew.wait(5.0)
    assert state(there) == "done" and [one.id for one in commands(here)] == ["o1"]


def test_a_hub_without_a_lease_carries_nothing(crew: LinkedHubs) -> None:
    shop(crew)
    here, there, _ = crew.hubs
    here.core.cluster.lease.until = 0.0
    here.core.cluster.errands.acts = lambda now: False
    order(there)
    assert commands(here) == [] and there.asked == [("hub-0", "hub.carry")]


def test_an_earlier_life_of_a_hub_and_other_questions_are_refused(crew: LinkedHubs) -> None:
    shop(crew)
    here = crew.hubs[0]
    born = crew.hubs[1].core.cluster.lease.row.born
    for op, args, code in (
        ("hub.carry", {"born": born - 1}, "stale-hub"),
        ("hub.tell", {}, "stale-hub"),
        ("hub.carry", {"born": born}, "bad-argument"),
        ("hub.tell", {"born": born, "op": "audit", "args": {}}, "unknown-operation"),
        ("hub.tell", {"born": born, "op": "ps", "args": {}}, "bad-argument"),
        ("command", {"born": born, "verb": "restart", "targets": ("shop/web",)}, "forbidden"),
        ("audit", {"born": born}, "forbidden"),
    ):
        assert asked(here, op, **args).code == code, (op, args)
    assert commands(here) == []


def test_no_client_asks_what_hubs_ask(crew: LinkedHubs) -> None:
    assert crew.hubs[0].query("hub.carry", born=1).code == "unknown-operation"
    assert crew.hubs[0].query("hub.tell", born=1).code == "unknown-operation"


def test_a_hub_is_let_in_as_long_as_it_is_a_member(crew: LinkedHubs) -> None:
    here, there, _ = crew.hubs
    assert here.admitted[("clients", there.link)] == PEER + "hub-1" and ("feed", there.link) not in here.admitted
    there.acting = False
    crew.wait(40.0)
    assert ("clients", there.link) not in here.admitted and "hub-1" not in here.peers


def test_figures_come_from_the_hub_that_the_agent_speaks_to(crew: LinkedHubs) -> None:
    agent = shop(crew)
    here, there, _ = crew.hubs
    for op, args in (("ps", {"target": "shop/*"}), ("ps", {"limit": 10}), ("agents", {})):
        mine, others = here.query(op, **args), there.query(op, **args)
        assert mine == others and [row["hub"] for row in others] == ["hub-0"], op
    (row,) = there.query("ps")
    assert row["agent"] == agent and row["cpu"] == 0.25
    assert {op for _, op in there.asked} == {"hub.tell"} and {hub for hub, _ in there.asked} == {"hub-0"}


def test_a_hub_that_does_not_answer_is_named_and_the_rest_is_told(crew: LinkedHubs) -> None:
    shop(crew)
    here, there, _ = crew.hubs
    here.reached = False
    route = Route("clients", (b"c", b"client"))
    there.feed(Asked(route, "admin", "1.2.3.4", M.Query("q", "ps", {})))
    assert not [send for send in there.sent if send.route == route]
    for _ in range(round(GATHER_SECONDS / 0.2) + 1):
        there.mono += 0.2
        there.feed(Tick())
    (answer,) = [send.message for send in there.sent if send.route == route]
    assert isinstance(answer, M.Answer) and answer.missing == ("hub-0",)
    assert [(row["process"], row["cpu"], row["hub"]) for row in answer.result] == [("web", None, "hub-1")]
    asked = len(there.asked)
    there.query("ps")
    assert len(there.asked) == asked, "who was silent is not waited for again at once"


def test_containers_and_engines_of_all_hubs_are_joined_page_by_page(crew: LinkedHubs) -> None:
    for number, hub in enumerate(crew.hubs):
        boxes = [container(3 * n + number + 1) for n in range(3)]
        hub.report(*listing(hub.now.wall, *boxes, engine=f"e{number}"))
    for hub in crew.hubs:
        names = [row["name"] for row in hub.query("containers")]
        assert names == [f"box-{n}" for n in range(1, 10)] and len(hub.query("hosts")) == 3
        first = hub.query("containers", limit=4)
        rest = hub.query("containers", limit=100, after=first[-1]["id"])
        assert [row["name"] for row in (*first, *rest)] == names


def boxes(crew: LinkedHubs) -> None:
    """A container of an engine at each hub."""
    for number, hub in enumerate(crew.hubs):
        hub.report(*listing(hub.now.wall, container(number + 1), engine=f"e{number}"))


def test_a_container_is_commanded_from_any_hub_by_the_one_that_polls_its_engine(crew: LinkedHubs) -> None:
    boxes(crew)
    here, there, third = crew.hubs
    answer = there.query("command", verb="stop", target="box-1", container=True, id="o1")
    assert answer["state"] in ("accepted", "delivered") and not there.orders and not third.orders
    (order_,) = here.orders
    assert (order_.engine, order_.command.verb, order_.command.container) == ("e0", "stop", f"{1:064x}")
    here.report(OrderResult("e0", "o1", True, detail="stopped"))
    assert state(there) == "done"
    rows = [(row["outcome"], row["command"]) for row in there.query("audit", limit=100) if row["action"] == "stop"]
    assert rows == [("accepted", "o1"), ("done", "o1")]
    there.query("command", verb="stop", target="box-*", container=True, id="o2")
    assert [len(hub.orders) for hub in crew.hubs] == [2, 1, 1], "each by its own hub"


def test_no_container_is_commanded_while_a_hub_is_silent(crew: LinkedHubs) -> None:
    boxes(crew)
    there = crew.hubs[1]
    crew.hubs[0].reached = False
    route = Route("clients", (b"c", b"client"))
    asked_ = M.Query("q", "command", {"verb": "stop", "target": "box-2", "container": True})
    there.feed(Asked(route, "admin", "1.2.3.4", asked_))
    for _ in range(round(GATHER_SECONDS / 0.2) + 1):
        there.mono += 0.2
        there.feed(Tick())
    (answer,) = [send.message for send in there.sent if send.route == route]
    assert isinstance(answer, M.Refused) and answer.code == "busy" and "hub-0" in answer.message
    assert not there.orders and there.query("audit", limit=100)[-1]["outcome"] == "refused"


def test_scopes_hold_on_the_way_through_another_hub(crew: LinkedHubs) -> None:
    here, there, _ = crew.hubs
    blue = here.agent("blue", "web", join=here.token(labels={"team": "blue"}))
    here.agent("red", "web", join=here.token(labels={"team": "red"}))
    here.query("key.create", name="eve", role="viewer", public=KeyPair.generate().public, scope={"team": "blue"})
    crew.wait(6.0)
    assert [row["agent"] for row in there.query("ps", "eve")] == [blue]
    assert there.query("ps", "eve", target="red/*").code == "unknown-agent"
    born = there.core.cluster.lease.row.born
    who = {"name": "eve", "role": "viewer", "scope": {"team": "blue"}}
    told = asked(here, "hub.tell", born=born, op="ps", args={}, who=who)
    assert [row["agent"] for row in told] == [blue]
