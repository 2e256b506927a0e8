"""Exits searched and grouped, crash storms, and `why`, through the core and a real store."""

from __future__ import annotations

from typing import Any

from hub.engines.reports import ContainerEvent
from tests.support.corehub import CoreHub, container, listing
from tests.support.facts import exit_record
from wire import messages as M
from wire.keys import KeyPair
from wire.model import Cause, Fact, FactKind, State, StateChange


def tell(hub: CoreHub, agent: str, *facts: Fact) -> None:
    hub.ask("agents", agent, M.Facts("b1", 1, facts))


def died(hub: CoreHub, seq: int, ago: float = 0.0, **changes: Any) -> Fact:
    return exit_record(seq, **changes)._replace(at=hub.now.wall - ago)


def crash_loop(hub: CoreHub, agent: str, exits: int = 5) -> None:
    for seq in range(1, exits + 1):
        tell(hub, agent, died(hub, seq))
        hub.wait(1.0)
        hub.beat(agent)


def test_exits_are_searched(hub: CoreHub) -> None:
    shop, cache = hub.agent("shop", "web"), hub.agent("cache", "redis")
    lines = ("MemoryError: no",)
    tell(hub, shop, died(hub, 1, 60), died(hub, 2, 5, last_lines=lines))
    tell(hub, cache, died(hub, 1, 9, name="redis", signal=None, code=1, cause=Cause.EXIT))
    assert [row["who"] for row in hub.query("exits")] == ["a signal, sender unknown"] * 2 + ["itself"]
    assert [row["agent_name"] for row in hub.query("exits", cause="exit")] == ["cache"]
    assert [row["seq"] for row in hub.query("exits", text="memoryerror")] == [2]
    assert [row["seq"] for row in hub.query("exits", signal="KILL", until=hub.now.wall - 30)] == [1]
    assert [row["end"] for row in hub.query("exits", target="cache", program="red*")] == ["exit 1"]
    assert hub.query("exits", signal="NO").code == "bad-argument"


def test_exits_of_a_selector(hub: CoreHub) -> None:
    blue, red = (hub.agent(team, "web", join=hub.token(labels={"team": team})) for team in ("blue", "red"))
    for agent in (blue, red):
        tell(hub, agent, died(hub, 1), died(hub, 2, name="db"))
    assert [row["agent_name"] for row in hub.query("exits", target="team=blue,program=web")] == ["blue"]
    hub.query("key.create", name="eve", role="viewer", public=KeyPair.generate().public, scope={"team": "red"})
    assert {row["agent_name"] for row in hub.query("exits", "eve")} == {"red"}


def test_exits_are_counted_in_groups(hub: CoreHub) -> None:
    for name in ("shop-1", "shop-2"):
        agent = hub.agent(name, "web")
        tell(hub, agent, died(hub, 1, 60), died(hub, 2, 5), died(hub, 3, cause=Cause.OOM))
    found = hub.query("exit_groups", group_by="cause,program")
    assert [(g["cause"], g["program"], g["count"], g["agents"]) for g in found["groups"]] == [
        ("signal", "web", 4, 2), ("oom", "web", 2, 2),
    ]  # fmt: skip
    assert found["whole"] is True and found["groups"][0]["example"]["seq"] == 2
    assert round(found["groups"][0]["last"] - found["groups"][0]["first"]) == 55
    assert hub.query("exit_groups").code == "bad-argument"


def storms(hub: CoreHub) -> list[tuple[str, int]]:
    told = [item.body for item in hub.published if item.topic.startswith("notice/")]
    return [(body["phase"], body["exits"]) for body in told if body["note"] == "storm" and not body["members"]]


def test_a_crash_loop_is_one_storm_with_start_and_end(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    crash_loop(hub, agent, 8)
    (row,) = hub.query("storms")
    assert (row["name"], row["process"], row["exits"], row["phase"]) == ("shop", "web", 8, "begun")
    assert row["rate"] > 30 and storms(hub) == [("begun", 4)]
    for _ in range(35):
        hub.wait(2.0)
        hub.beat(agent)
    assert hub.query("storms") == [] and storms(hub) == [("begun", 4), ("ended", 8)]
    assert [(row["phase"], row["exits"]) for row in hub.query("storms", all=True)] == [("ended", 8)]
    notes = [row for row in hub.query("events", target="shop") if row.get("note") == "storm"]
    assert [row["phase"] for row in notes] == ["begun", "ended"]


def test_a_replay_begins_no_second_storm(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    crash_loop(hub, agent)
    tell(hub, agent, *(died(hub, seq, 9 - seq) for seq in range(1, 6)))
    assert hub.query("storms")[0]["exits"] == 5


def test_a_storm_goes_on_after_a_restart_of_the_hub(hub: CoreHub) -> None:
    crash_loop(hub, hub.agent("shop", "web"))
    hub.restart()
    assert [row["process"] for row in hub.query("storms")] == ["web"]


def test_giving_up_ends_a_storm(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    crash_loop(hub, agent)
    given_up = StateChange("web", "web", State.FATAL, State.BACKOFF, None, "exited too quickly", "")
    tell(hub, agent, Fact(6, hub.now.wall, 1.0, FactKind.STATE, given_up))
    assert hub.query("storms") == [] and storms(hub)[-1][0] == "ended"


def test_a_bad_deploy_is_one_fleet_storm(hub: CoreHub) -> None:
    agents = [hub.agent(f"shop-{n}", "web") for n in range(4)]
    for seq in range(1, 6):
        for agent in agents:
            tell(hub, agent, died(hub, seq))
        hub.wait(1.0)
    fleet = [row for row in hub.query("storms") if row["members"]]
    assert len(fleet) == 1 and len(fleet[0]["members"]) == 4 and fleet[0]["name"] == "fleet"


def test_why_names_who_stopped_it(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web", "db")
    hub.hello(agent)
    hub.wait(1.0)
    hub.query("command", targets=("shop/web",), verb="restart", id="6f1c")
    stopped = {"cause": Cause.STOPPED, "by": "hub:alice", "command": "restart 6f1c", "expected": True}
    tell(hub, agent, died(hub, 1, 0.0, **stopped), died(hub, 2, name="db"))
    found = hub.query("why", target="shop/web")
    assert found["verdict"] == "web stopped by hub:alice through restart 6f1c"
    assert [entry["kind"] for entry in found["entries"]][-2:] == ["command", "exit"]
    assert "db" not in {entry["about"] for entry in found["entries"]}


def test_why_tells_memory_before_an_oom(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    for size in (1e8, 2e8, 5e8):
        hub.sample(agent, 0.5, rss=size)
        hub.wait(1.0)
        hub.beat(agent)
    tell(hub, agent, died(hub, 1, cause=Cause.OOM))
    found = hub.query("why", target="shop/web")
    assert "web killed by the OOM killer: memory rose from 95 MiB to 477 MiB" in found["verdict"]
    assert "memory" in [entry["kind"] for entry in found["entries"]] and found["memory"]["last"] == 5e8


def test_why_tells_of_a_storm_that_goes_on(hub: CoreHub) -> None:
    crash_loop(hub, hub.agent("shop", "web"))
    assert "a crash storm goes on" in hub.query("why", target="shop")["verdict"]


def test_why_is_of_one_thing(hub: CoreHub) -> None:
    hub.agent("shop", "web", "db")
    assert hub.query("why", target="shop/*").code == "bad-target"
    assert hub.query("why", target="nope").code.startswith("unknown-")
    assert hub.query("why", target="shop")["verdict"] == "nothing of it ended in this time"


def boxed(hub: CoreHub) -> str:
    box = container(1, at=hub.now.wall)
    agent = hub.agent("inner", "web", "db", container=box.id)
    hub.report(*listing(hub.now.wall, box))
    hub.sample(agent, 0.5, 0.1, rss=3e8)
    hub.wait(1.0)
    return agent


def event(hub: CoreHub, action: str, **attributes: str) -> None:
    hub.report(ContainerEvent("e1", hub.now.wall, f"{1:064x}", action, attributes))


def test_a_container_that_is_killed_whole_has_a_note_with_its_largest_process(hub: CoreHub) -> None:
    boxed(hub)
    event(hub, "kill", signal="9")
    event(hub, "die", exitCode="137")
    (note,) = [row for row in hub.query("events") if row.get("note") == "container died"]
    assert (note["exit_code"], note["signal"], note["largest"]["rss"]) == (137, "9", 3e8)
    assert (
        "nobody asked for it through this hub; its engine sent signal 9" in hub.query("why", target="box-1")["verdict"]
    )


def test_a_container_that_was_stopped_through_the_hub_names_who(hub: CoreHub) -> None:
    boxed(hub)
    hub.query("command", targets=("box-1",), verb="stop", container=True, id="77aa")
    event(hub, "die", exitCode="137")
    assert "asked for by admin through stop 77aa" in hub.query("why", target="box-1")["verdict"]


def test_a_container_that_is_just_not_there_any_more_was_removed(hub: CoreHub) -> None:
    agent = boxed(hub)
    hub.report(*listing(hub.now.wall))
    assert "container removed by its engine" in hub.query("why", target=agent)["verdict"]


def test_oom_kills_that_the_engine_tells_are_kept_once(hub: CoreHub) -> None:
    boxed(hub)
    for _ in range(3):
        event(hub, "oom")
    assert len([row for row in hub.query("events") if row.get("action") == "oom"]) == 1
