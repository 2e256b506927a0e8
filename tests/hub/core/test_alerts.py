"""Alerts of a whole hub in virtual time: what is told, and above all what is not."""

from __future__ import annotations

from typing import Any

import pytest

from hub import words
from hub.alerts.notices import Notice
from hub.alerts.room import Alerts
from hub.alerts.rules import parse
from hub.engines.reports import ContainerEvent, ContainerSample, EngineState
from tests.support.corehub import CoreHub, container, listing, register, roster
from tests.support.facts import exit_record
from wire import messages as M
from wire.model import CONTAINER_COLUMNS, Cause, Fact, FactKind, State, StateChange


@pytest.fixture
def told(hub: CoreHub, monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """The notices as they are told."""
    notices: list[Notice] = []
    carry_out = hub.carry_out

    def collect(effects: words.Effects) -> None:
        notices.extend(effect.notice for effect in effects if isinstance(effect, words.Notify))
        carry_out(effects)

    monkeypatch.setattr(hub, "carry_out", collect)
    return notices


def news(told: list[Notice]) -> list[tuple[str, str]]:
    return [(one.rule, one.state) for one in told if one.state != "refresh"]


def live(hub: CoreHub, seconds: float, *agents: str) -> None:
    """Time passes in which these agents beat."""
    for _ in range(round(seconds)):
        hub.wait(1.0)
        for agent in agents:
            hub.beat(agent)


def change(seq: int, hub: CoreHub, state: State, name: str = "web") -> Fact:
    body = StateChange(name, name, state, State.BACKOFF, None, "exited too quickly", "")
    return Fact(seq, hub.now.wall, 0.0, FactKind.STATE, body)


def alerts(hub: CoreHub, user: str = "admin", **args: Any) -> Any:
    return hub.query("alerts", user, **args)


def test_a_lost_agent_is_told_and_resolved_when_it_is_back(hub: CoreHub, told: list[Notice]) -> None:
    agent, other = hub.agent("shop"), hub.agent("db")
    live(hub, 40, other)
    assert news(told) == [("agent-lost", "firing")] and "agent shop is lost" in told[0].summary
    assert [(row["rule"], row["state"], row["count"]) for row in alerts(hub)] == [("agent-lost", "firing", 1)]
    live(hub, 60, agent, other)
    assert news(told) == [("agent-lost", "firing"), ("agent-lost", "resolved")] and alerts(hub) == []


def test_a_goodbye_alerts_nobody(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    hub.ask("agents", agent, M.Goodbye("b1", "stopped", 0))
    live(hub, 120)
    assert told == []


def test_what_a_deploy_replaced_alerts_nobody(hub: CoreHub, told: list[Notice]) -> None:
    join = hub.token()
    old, keep = hub.agent("shop", join=join), hub.agent("db", join=join)
    live(hub, 20, old, keep)
    new = hub.agent("shop", join=join)
    live(hub, 120, new, keep)
    assert hub.presence(old) == "lost" and told == []


def test_forty_silent_agents_are_one_host_that_may_be_off(hub: CoreHub, told: list[Notice]) -> None:
    for number in range(40):
        hub.agent(f"shop-{number}")
    live(hub, 60)
    assert news(told) == [("agent-lost", "firing")] and told[0].going == 40
    assert told[0].summary == "host 1.2.3.4 may be off: all 40 agents on it are silent"
    (row,) = alerts(hub)
    assert (row["count"], row["summary"]) == (40, told[0].summary)


def test_a_fatal_program_fires_at_once_and_is_over_when_it_runs(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 15, agent)
    assert [(one.rule, one.state, one.summary) for one in told] == [
        ("program-fatal", "firing", "shop/web is FATAL: it could not be kept running")
    ]
    hub.feed_event(agent, change(2, hub, State.RUNNING))
    live(hub, 90, agent)
    assert news(told)[1:] == [("program-fatal", "resolved")]


def test_of_a_silent_agent_nothing_is_resolved(hub: CoreHub, told: list[Notice]) -> None:
    agent, other = hub.agent("shop", "web"), hub.agent("db")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 100, agent, other)
    live(hub, 200, other)
    assert news(told) == [("program-fatal", "firing"), ("agent-lost", "firing")]


def test_an_oom_kill_alerts_and_a_commanded_stop_does_not(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web", "db")
    hub.feed_event(agent, exit_record(1, "db", cause=Cause.STOPPED, expected=True))
    live(hub, 30, agent)
    assert told == []
    hub.feed_event(agent, exit_record(2, "web", cause=Cause.OOM, expected=False))
    live(hub, 30, agent)
    assert [one.summary for one in told] == ["shop/web was killed for want of memory"]
    live(hub, 700, agent)
    assert news(told)[-1] == ("oom-kill", "resolved")


def full(hub: CoreHub, box: str, share: float) -> None:
    values = {column.name: float("nan") for column in CONTAINER_COLUMNS} | {"memory": share * 1e9, "memory_limit": 1e9}
    hub.report(ContainerSample("e1", box, hub.now.wall, tuple(values.values())))


def test_memory_near_its_limit_has_to_last_and_has_hysteresis(hub: CoreHub, told: list[Notice]) -> None:
    box = container(1, at=hub.now.wall)
    hub.report(*listing(hub.now.wall, box))

    def go(seconds: int, share: float) -> list[tuple[str, str]]:
        for _ in range(seconds // 5):
            full(hub, box.id, share)
            hub.wait(5.0)
        return news(told)

    assert go(240, 0.95) == [] and go(10, 0.5) == [] and go(240, 0.95) == []
    assert go(120, 0.95) == [("memory-full", "firing")] and "box-1 uses 95 %" in told[0].summary
    assert go(300, 0.85) == [("memory-full", "firing")]
    assert go(60, 0.7)[-1] == ("memory-full", "resolved")


def test_a_storm_is_one_alert_from_begin_to_end(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web")
    for seq in range(1, 30):
        hub.feed_event(agent, exit_record(seq, "web", code=1, expected=False)._replace(at=hub.now.wall))
        live(hub, 2, agent)
    assert news(told) == [("crash-storm", "firing")] and "a minute" in told[0].summary
    live(hub, 300, agent)
    assert news(told) == [("crash-storm", "firing"), ("crash-storm", "resolved")]


def test_a_container_that_was_paused_by_somebody_alerts_nobody(hub: CoreHub, told: list[Notice]) -> None:
    box = container(1, at=hub.now.wall)
    hub.report(*listing(hub.now.wall, box))
    agent = hub.agent("shop", container=box.id)
    live(hub, 10, agent)
    hub.report(ContainerEvent("e1", hub.now.wall, box.id, "pause", {}))
    live(hub, 60)
    assert hub.presence(agent) == "lost" and told == []


def test_a_restart_tells_nothing_twice_and_forgets_no_end(hub: CoreHub, told: list[Notice]) -> None:
    agent, other = hub.agent("shop", "web"), hub.agent("db")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 30, agent, other)
    hub.restart()
    for one, name in ((agent, "shop"), (other, "db")):
        hub.ask("agents", one, register(name=name, at=hub.now.wall))
    live(hub, 100, agent, other)
    assert news(told) == [("program-fatal", "firing")]
    hub.ask("agents", agent, roster(hub.now.wall, "web", last_seq=9))
    live(hub, 90, agent, other)
    assert news(told) == [("program-fatal", "firing"), ("program-fatal", "resolved")]


def test_a_silence_hides_and_outlives_a_restart(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web")
    made = hub.query("silence.create", selector="shop/web", seconds=3600, reason="deploy")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 30, agent)
    assert told == [] and alerts(hub) == [] and alerts(hub, all=True)[0]["state"] == "silenced"
    hub.restart()
    (row,) = hub.query("silence.list")
    assert (row["id"], row["reason"], row["by"], row["selector"]) == (made["id"], "deploy", "admin", "shop/web")
    assert hub.query("silence.end", id=made["id"])["id"] == made["id"]
    assert list(hub.query("silence.list")) == []
    assert [(row.action, row.outcome) for row in hub.store.audit() if "silence" in row.action] == [
        ("silence create", "done"), ("silence end", "done"),
    ]  # fmt: skip


def test_a_silence_ends_by_itself(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop", "web")
    hub.query("silence.create", selector="service=x", seconds=20, reason="no match")
    hub.query("silence.create", selector="program=w*", seconds=60, reason="deploy")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 50, agent)
    assert told == []
    live(hub, 30, agent)
    assert news(told) == [("program-fatal", "firing")] and list(hub.query("silence.list")) == []


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"selector": "a="},
        {"seconds": 0},
        {"seconds": 1e9},
        {"seconds": True},
        {"reason": " "},
        {"reason": "x" * 999},
    ],
)
def test_a_bad_silence_is_refused(hub: CoreHub, args: dict[str, Any]) -> None:
    good = {"selector": "*", "seconds": 60, "reason": "why"}
    answer = hub.query("silence.create", **({**good, **args} if args else {}))
    assert isinstance(answer, M.Refused) and answer.code == "bad-argument"
    assert hub.query("silence.end", id="none").code == "unknown-silence"


def test_a_scoped_key_sees_and_silences_its_own_only(hub: CoreHub, told: list[Notice]) -> None:
    blue = hub.agent("blue", "web", join=hub.token(labels={"team": "blue"}))
    red = hub.agent("red", "web", join=hub.token(labels={"team": "red"}))
    hub.query("key.create", name="eve", role="operator", scope={"team": "blue"}, public="B" * 40)
    hub.query("silence.create", selector="red/*", seconds=60, reason="of the reds")
    for agent in (blue, red):
        hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 3, blue, red)
    assert [row["summary"][:8] for row in alerts(hub, "eve")] == ["blue/web"]
    assert list(hub.query("silence.list", "eve")) == []
    hub.query("silence.create", "eve", selector="*", seconds=60, reason="mine")
    assert [row["pairs"] for row in hub.query("silence.list", "eve")] == [{"team": "blue"}]


def test_hostile_names_reach_nobody_raw(hub: CoreHub, told: list[Notice]) -> None:
    agent = hub.agent("shop\x1b[2J\u202e{value}", "web")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 15, agent)
    assert told[0].summary == "shop\\x1b[2J\\u202e{value}/web is FATAL: it could not be kept running"
    assert all(text.isprintable() for text in told[0].firing[0].names.values())


def ruled(hub: CoreHub, text: str) -> None:
    """The hub goes on with this rule besides the built-in ones."""
    core = hub.core
    core.alerts = Alerts(core.fleet, core.weather, lambda: "id", core._own, parse(f"[alert:mine]\n{text}", "x"))


def mine(told: list[Notice]) -> list[tuple[str, str]]:
    return [(one.state, one.summary) for one in told if one.rule == "mine" and one.state != "refresh"]


def test_a_rule_over_a_host_sees_its_engine(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = host\nif = up == 0\nsummary = {host} is down with {silent} silent")
    hub.report(*listing(hub.now.wall))
    hub.wait(20.0)
    assert told == []
    hub.report(EngineState("e1", hub.now.wall, False, "refused"))
    hub.wait(20.0)
    assert mine(told) == [("firing", "e1 is down with 0 silent")]
    hub.report(*listing(hub.now.wall))
    hub.wait(60.0)
    assert [state for state, _ in mine(told)] == ["firing", "resolved"]


def test_a_rule_over_processes_where_their_agent_is_meant(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = process\nif = cpu > 80%\nwhere = agent=shop*\nsummary = {process} of {agent} takes {value}")
    shop, other = hub.agent("shop", "web"), hub.agent("db", "web")
    for _ in range(6):
        hub.sample(shop, 1.5)
        hub.sample(other, 1.5)
        live(hub, 3, shop, other)
    assert mine(told) == [("firing", "web of shop takes 1.5 cores")]


def test_a_rule_over_the_hub_sees_its_own_figures(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = hub\nif = fds_share > 80%\nsummary = {hub} has {value} open")
    hub.wait(20.0)
    assert told == []
    hub.core.metrics.set("pidone_hub_open_fds", 90)
    hub.core.metrics.set("pidone_hub_max_fds", 100)
    hub.wait(20.0)
    assert mine(told) == [("firing", "hub-1 has 90 % open")]


def test_a_rule_over_silence_and_one_over_a_counter(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = agent\nif = age > 20s\nsummary = {agent} is silent for long")
    hub.agent("shop")
    hub.wait(15.0)
    assert mine(told) == []
    hub.wait(20.0)
    assert mine(told) == [("firing", "shop is silent for long")]


def test_a_container_that_was_stopped_by_command_is_no_subject(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = container\nif = state == exited\nsummary = {container} ended with {exit_code}")
    boxes = [container(n, at=hub.now.wall) for n in (1, 2)]
    hub.report(*listing(hub.now.wall, *boxes))
    hub.report(ContainerEvent("e1", hub.now.wall, boxes[0].id, "stop", {}))
    ended = [box._replace(state="exited", exit_code=137) for box in boxes]
    hub.report(*listing(hub.now.wall, *ended))
    hub.wait(20.0)
    assert mine(told) == [("firing", "box-2 ended with 137")]


def test_a_fleet_that_crashes_alike_is_one_alert(hub: CoreHub, told: list[Notice]) -> None:
    join = hub.token(labels={"service": "shop"})
    agents = [hub.agent(f"shop-{n}", "web", join=join) for n in range(4)]
    for seq in range(1, 30):
        for agent in agents:
            hub.feed_event(agent, exit_record(seq, "web", code=1, expected=False)._replace(at=hub.now.wall))
        live(hub, 2, *agents)
    assert news(told) == [("crash-storm", "firing")] and told[0].going == 1
    assert told[0].firing[0].subject == "fleet:shop/web" and "3 agents" in told[0].summary
    live(hub, 300, *agents)
    assert news(told) == [("crash-storm", "firing"), ("crash-storm", "resolved")]


def test_of_agents_at_another_hub_presence_and_states_are_known_only(hub: CoreHub, told: list[Notice]) -> None:
    ruled(hub, "on = agent\nif = age > 5s")
    hub.core.alerts.things.mine = lambda agent, now: False
    agent = hub.agent("shop", "web")
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 30, agent)
    assert [(one.rule, one.common, one.group) for one in told] == [("program-fatal", True, "program-fatal/1.2.3.4")]
    hub.wait(30.0)
    assert [rule for rule, state in news(told)] == ["program-fatal", "mine", "agent-lost"]


def test_what_one_hub_alone_can_see_it_tells_itself() -> None:
    common = {one.name for one in parse("[alert:a]\non = container\nif = cpu > 1", "x").rules if one.common}
    assert common == {"agent-lost", "program-fatal", "oom-kill"}


def test_a_silence_of_another_hub_is_heard_of(hub: CoreHub, told: list[Notice]) -> None:
    hub.core.fleet.settings = hub.core.fleet.settings._replace(shared=True)
    agent = hub.agent("shop", "web")
    other = Alerts(hub.core.fleet, hub.core.weather, lambda: "s1", hub.core._own, parse("", "x"))
    made = other.silences.begin("s1", "shop/*", {}, 600.0, "eve", "deploy", hub.now.wall)
    hub.store.record_fact("silences", hub.now.wall, FactKind.NOTE, {"note": "silence", **made.row(hub.now.wall)})
    live(hub, 10, agent)
    hub.feed_event(agent, change(1, hub, State.FATAL))
    live(hub, 30, agent)
    assert told == [] and [row["by"] for row in hub.query("silence.list")] == ["eve"]
    hub.store.record_fact("silences", hub.now.wall, FactKind.NOTE, {"note": "silence ended", "id": "s1"})
    live(hub, 30, agent)
    assert news(told) == [("program-fatal", "firing")]
