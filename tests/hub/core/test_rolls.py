"""Rolling commands through the core and a real store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.corehub import CoreHub, register, roster
from wire import messages as M
from wire.keys import KeyPair
from wire.model import CommandState


def shops(hub: CoreHub, count: int) -> list[str]:
    agents = [hub.agent(f"shop-{n}", "web", "db", join=hub.token(labels={"service": "shop"})) for n in range(count)]
    for agent in agents:
        hub.hello(agent)
    return agents


def roll(hub: CoreHub, user: str = "admin", **args: Any) -> Any:
    given = {"targets": ("service=shop,program=web",), "verb": "restart", "id": "r1", **args}
    return hub.query("roll", user, **given)


def sent(hub: CoreHub) -> list[str]:
    return list(dict.fromkeys(command.id for command in hub.commands()))


def end(hub: CoreHub, number: int, agent: str, state: CommandState = CommandState.DONE, outcome: str = "done") -> None:
    result = {"processes": [{"name": "web", "outcome": outcome, "message": "", "state": "BACKOFF"}]}
    hub.ask("agents", agent, M.Progress(f"r1.{number}", state, result, None, 0.0))


def state(hub: CoreHub) -> Any:
    (row,) = hub.query("rolls", id="r1")
    return row


def test_a_few_at_a_time_each_waited_for(hub: CoreHub) -> None:
    agents = shops(hub, 5)
    row = roll(hub, at_a_time="40%", wait="ready")
    assert (row["phase"], row["width"], row["total"]) == ("running", 2, 5) and sent(hub) == ["r1.1", "r1.2"]
    assert hub.commands()[0].args == {"wait": 60.0, "names": ("web",)}
    for number, agent in enumerate(agents, 1):
        end(hub, number, agent)
    assert (state(hub)["phase"], state(hub)["done"], len(sent(hub))) == ("done", 5, 5)
    assert [(a["action"], a["outcome"]) for a in hub.query("audit") if a["command"] == "r1"] == [
        ("roll restart", "accepted"), ("roll restart", "done"),
    ]  # fmt: skip


def test_a_dry_run_sends_and_keeps_nothing(hub: CoreHub) -> None:
    shops(hub, 3)
    row = roll(hub, dry_run=True)
    assert list(row["names"]) == ["shop-0/web", "shop-1/web", "shop-2/web"] and row["dry_run"] is True
    assert sent(hub) == [] and hub.query("rolls", all=True) == [] and hub.store.command("r1") is None


@pytest.mark.parametrize(("how", "outcome"), [(CommandState.FAILED, "done"), (CommandState.DONE, "accepted")])
def test_a_failure_stops_it_and_it_can_be_resumed(hub: CoreHub, how: CommandState, outcome: str) -> None:
    agents = shops(hub, 4)
    roll(hub, wait=5)
    end(hub, 1, agents[0])
    end(hub, 2, agents[1], how, outcome)
    row = state(hub)
    assert (row["phase"], row["done"], row["failed"], row["waiting"]) == ("stopped", 1, 1, 2)
    assert row["errors"][0]["target"] == "shop-1/web" and sent(hub) == ["r1.1", "r1.2"]
    assert hub.query("roll.resume", id="r1")["phase"] == "running" and sent(hub)[-1] == "r1.3"


def test_a_cancelled_roll_waits_for_what_was_sent(hub: CoreHub) -> None:
    agents = shops(hub, 3)
    roll(hub)
    assert hub.query("roll.cancel", id="r1")["phase"] == "cancelling"
    end(hub, 1, agents[0])
    assert (state(hub)["phase"], sent(hub)) == ("cancelled", ["r1.1"])
    assert hub.query("roll.cancel", id="nope").code == "unknown-command"


def back(hub: CoreHub, agents: list[str]) -> None:
    """All agents come back to a hub that was started again."""
    for number, agent in enumerate(agents):
        hub.ask("agents", agent, register(name=f"shop-{number}", at=hub.now.wall))
        hub.ask("agents", agent, roster(hub.now.wall, "web", "db"))
        hub.hello(agent)


def test_it_survives_the_hubs_death_and_executes_nothing_twice(hub: CoreHub) -> None:
    agents = shops(hub, 4)
    roll(hub, at_a_time=2)
    end(hub, 1, agents[0])
    hub.restart()
    back(hub, agents)
    assert state(hub)["phase"] == "running" and state(hub)["sent"] == 2
    for number in (2, 3, 4):
        end(hub, number, agents[number - 1])
    assert (state(hub)["phase"], state(hub)["done"]) == ("done", 4)
    names = [(command.id, command.args["names"]) for command in hub.commands()]
    assert len({one for one, _ in names}) == 4


def test_progress_that_was_not_written_yet_is_found_in_the_commands(hub: CoreHub) -> None:
    agents = shops(hub, 4)
    roll(hub)
    for number in (1, 2, 3):
        end(hub, number, agents[number - 1])
    kept = hub.store.command("r1")
    assert kept is not None and isinstance(kept.result, dict) and kept.result["marks"] == ">..."
    hub.restart()
    back(hub, agents)
    assert (state(hub)["done"], state(hub)["sent"]) == (3, 1)


def test_a_stopped_roll_is_found_after_a_restart(hub: CoreHub) -> None:
    agents = shops(hub, 2)
    roll(hub)
    end(hub, 1, agents[0], CommandState.FAILED)
    hub.restart()
    back(hub, agents)
    assert state(hub)["phase"] == "stopped"
    hub.query("roll.resume", id="r1")
    end(hub, 2, agents[1])
    assert (state(hub)["phase"], state(hub)["failed"], state(hub)["done"]) == ("done", 1, 1)


def test_an_agent_that_left_is_left_out_and_a_lost_one_fails(hub: CoreHub) -> None:
    agents = shops(hub, 3)
    roll(hub, stop_on_failure=0)
    hub.ask("agents", agents[1], M.Goodbye("b1", "deploy", 0))
    for _ in range(6):
        hub.wait(2.0)
        hub.beat(agents[0])
    end(hub, 1, agents[0])
    row = state(hub)
    assert (row["phase"], row["done"], row["left_out"], row["failed"]) == ("done", 1, 1, 1)


def test_a_key_that_was_revoked_ends_its_roll(hub: CoreHub) -> None:
    agents = shops(hub, 3)
    hub.query("key.create", name="bob", role="operator", public=KeyPair.generate().public)
    assert roll(hub, "bob")["phase"] == "running"
    hub.query("key.revoke", name="bob")
    end(hub, 1, agents[0])
    row = state(hub)
    assert (row["phase"], row["done"], sent(hub)) == ("cancelled", 1, ["r1.1"])


def test_rights_and_scopes_hold(hub: CoreHub) -> None:
    shops(hub, 2)
    for name, role, scope in (("eve", "viewer", {}), ("red", "operator", {"service": "red"})):
        hub.query("key.create", name=name, role=role, public=KeyPair.generate().public, scope=scope)
    assert roll(hub, "eve").code == "forbidden" and roll(hub, "red").code == "unknown-agent"
    roll(hub)
    assert hub.query("rolls", "red", all=True) == [] and hub.query("roll.cancel", "red", id="r1").code
    assert hub.query("roll.cancel", "eve", id="r1").code == "forbidden"


@pytest.mark.parametrize(
    "wrong", [{"verb": "tail"}, {"at_a_time": "0"}, {"stop_on_failure": -1}, {"wait": "soon"}, {"id": "a.b"}]
)
def test_what_is_wrong_is_refused_and_nothing_sent(hub: CoreHub, wrong: dict[str, Any]) -> None:
    shops(hub, 2)
    assert isinstance(roll(hub, **wrong), M.Refused) and sent(hub) == []


def test_the_same_id_is_the_same_roll(hub: CoreHub) -> None:
    shops(hub, 2)
    roll(hub)
    assert roll(hub)["id"] == "r1" and sent(hub) == ["r1.1"]


def test_a_store_that_refuses_begins_nothing(hub: CoreHub) -> None:
    shops(hub, 2)
    hub.broken = "claim_audited"
    assert roll(hub).code == "store" and sent(hub) == []


def test_progress_is_told_on_the_feed(hub: CoreHub) -> None:
    agents = shops(hub, 2)
    roll(hub)
    end(hub, 1, agents[0])
    told = [item.body["done"] for item in hub.published if item.topic == "command/r1"]
    assert told[0] == 0 and told[-1] == 1


def test_what_happens_without_a_lease_is_made_up_for_with_the_next(hub: CoreHub) -> None:
    agents = shops(hub, 4)
    roll(hub, at_a_time=2)
    hub.core.rolls.acts = lambda now: False
    end(hub, 1, agents[0])
    hub.wait(1.0)
    assert (state(hub)["phase"], state(hub)["done"], sent(hub)) == ("running", 0, ["r1.1", "r1.2"])
    assert hub.query("roll.cancel", id="r1").code == "busy", "nothing is promised that may not be done"
    hub.core.rolls.acts = lambda now: True
    hub.wait(1.0)
    assert (state(hub)["done"], sent(hub)) == (1, ["r1.1", "r1.2", "r1.3"])
    for number in (2, 3, 4):
        end(hub, number, agents[number - 1])
    assert (state(hub)["phase"], state(hub)["done"]) == ("done", 4) and len(sent(hub)) == 4


def test_one_that_is_claimed_without_a_lease_begins_with_the_next(hub: CoreHub) -> None:
    agents = shops(hub, 1)
    hub.core.rolls.acts = lambda now: False
    roll(hub)
    assert sent(hub) == []
    hub.core.rolls.acts = lambda now: True
    hub.wait(1.0)
    end(hub, 1, agents[0])
    hub.restart()
    assert state(hub)["phase"] == "done", "it was noted that it began, so it is found again"
