"""Agents, containers and engines as one picture."""

from __future__ import annotations

from hub.engines.reports import ContainerEvent, ContainerSample, EngineState
from tests.support.corehub import CoreHub, container, listing, register
from wire import messages as M


def die(hub: CoreHub, number: int = 1, at: float | None = None) -> ContainerEvent:
    return ContainerEvent("e1", at or hub.now.wall, f"{number:064x}", "die", {"exitCode": "137"})


def joined(hub: CoreHub) -> str:
    box = container(1, at=hub.now.wall)
    agent = hub.agent("inner", "web", container=box.id)
    hub.report(*listing(hub.now.wall, box))
    return agent


def test_a_joined_agent_has_its_containers_name_and_labels(hub: CoreHub) -> None:
    labels = {"com.docker.compose.service": "shop"}
    box = container(1, at=hub.now.wall, labels=labels)
    hub.agent("inner", "web", container=box.id)
    assert hub.query("agents")[0]["name"] == "inner"
    hub.report(*listing(hub.now.wall, box))
    (row,) = hub.query("agents")
    assert (row["name"], row["verified"], row["engine"]) == ("box-1", True, "e1")
    assert row["labels"]["service"] == "shop"
    assert hub.query("command", targets=("service=shop,program=web",), verb="stop")["state"] == "accepted"


def test_a_false_claim_is_shown_unverified_with_its_reason(hub: CoreHub) -> None:
    hub.agent("evil", "web", container=container(1).id, started_at=hub.now.wall - 50)
    hub.report(*listing(hub.now.wall, container(1, at=hub.now.wall)))
    (row,) = hub.query("agents")
    assert (row["name"], row["verified"]) == ("evil", False) and "start differs" in row["doubt"]


def test_the_engines_die_is_gone_at_once_with_the_exit_code(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.wait(1.0)
    hub.report(die(hub))
    assert hub.presence(agent) == "gone"
    assert hub.query("agents", all=True)[0]["reason"] == "its container stopped (exit code 137)"


def test_a_die_older_than_the_agents_start_is_ignored(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.report(die(hub, at=hub.now.wall - 5))
    assert hub.presence(agent) == "live"


def test_a_death_that_only_the_list_shows_counts_too(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.wait(1.0)
    ended = container(1, state="exited", finished_at=hub.now.wall, exit_code=0, started_at=hub.now.wall - 1)
    hub.report(*listing(hub.now.wall, ended))
    assert hub.presence(agent) == "gone"


def test_running_but_silent_is_shown_as_a_disagreement(hub: CoreHub) -> None:
    joined(hub)
    hub.wait(7.0)
    (row,) = hub.query("containers")
    assert (row["state"], row["presence"]) == ("running", "lost")
    assert row["disagreement"] == "running, but its agent is silent for 7 s"


def test_a_restarted_container_brings_its_agent_back_under_a_new_boot(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.wait(1.0)
    hub.report(die(hub))
    box = container(1, at=hub.now.wall)
    hub.ask("agents", agent, register("b2", "inner", hub.now.wall, container=box.id))
    hub.report(*listing(hub.now.wall, box))
    (row,) = hub.query("agents")
    assert (row["presence"], row["name"], row["boot"]) == ("live", "box-1", "b2")


def test_two_claims_of_one_container_the_first_keeps_it(hub: CoreHub) -> None:
    first = joined(hub)
    hub.agent("evil", "web", container=container(1).id)
    rows = {row["agent"]: row for row in hub.query("agents")}
    assert rows[first]["verified"] is True and sum(row["verified"] for row in rows.values()) == 1


def test_an_engine_that_is_down_shows_its_age_and_its_containers_as_stale(hub: CoreHub) -> None:
    at = hub.now.wall
    hub.report(*listing(at, container(1)))
    hub.wait(3.0)
    hub.report(EngineState("e1", hub.now.wall, False, "connection refused", seen_at=at))
    (host,) = hub.query("hosts")
    assert (host["up"], host["stale"], round(host["age"])) == (False, True, 3)
    assert hub.query("containers")[0]["stale"] is True


def test_container_figures_come_from_the_engine_and_grow_stale(hub: CoreHub) -> None:
    box = container(1)
    hub.report(*listing(hub.now.wall, box))
    hub.report(ContainerSample("e1", box.id, hub.now.wall, tuple(float(n) for n in range(14))))
    row = hub.query("containers")[0]
    assert (row["cpu"], row["figures"]["source"]) == (8.0, "engine")
    hub.wait(20.0)
    assert hub.query("containers")[0]["cpu"] is None


def test_samples_of_containers_that_are_not_listed_are_dropped(hub: CoreHub) -> None:
    hub.report(ContainerSample("e1", "f" * 64, hub.now.wall, (1.0,) * 14))
    assert not hub.store.container_history("f" * 64, 0.0, 2e10).times


def test_an_unverified_agent_is_no_target_by_its_claimed_container(hub: CoreHub) -> None:
    hub.agent("evil", "web", container="f" * 64)
    refused = hub.query("command", targets=("ffffffff/web",), verb="stop")
    assert isinstance(refused, M.Refused) and refused.code == "unknown-agent"


def test_a_container_killed_as_a_whole_by_oom_gets_a_record_naming_the_largest_process(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.sample(agent, 0.5, rss=3e8)
    hub.wait(1.0)
    hub.report(die(hub)._replace(action="oom", attributes={}), die(hub))
    (row,) = hub.query("exits")
    assert (row["cause"], row["signal"], row["name"], row["pid"]) == ("oom", 9, "web", 100)


def test_an_oom_long_before_the_end_makes_it_possible_only(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.sample(agent, 0.5, rss=3e8)
    hub.report(die(hub)._replace(action="oom", attributes={}))
    for _ in range(5):
        hub.wait(2.0)
        hub.beat(agent)
    hub.report(die(hub))
    assert hub.query("exits")[0]["cause"] == "killed, oom possible"


def test_a_kill_without_oom_is_not_called_oom(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.sample(agent, 0.5, rss=3e8)
    hub.wait(1.0)
    hub.report(die(hub))
    assert list(hub.query("exits")) == []


def test_figures_of_an_agent_that_left_are_not_shown(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.sample(agent, 0.5)
    assert hub.query("agents")[0]["cpu"] == 1.0
    hub.ask("agents", agent, M.Goodbye("b1", "stop", 0))
    assert hub.query("agents", all=True)[0]["cpu"] is None


def test_of_an_engine_that_never_answered_nothing_is_known(hub: CoreHub) -> None:
    hub.report(EngineState("e1", hub.now.wall, False, "connection refused"))
    (host,) = hub.query("hosts")
    assert (host["cpus"], host["memory"], host["containers"], host["age"]) == (None,) * 4 and host["stale"] is True


def test_a_container_that_ended_has_no_figures(hub: CoreHub) -> None:
    box = container(1)
    sample = ContainerSample("e1", box.id, hub.now.wall, (1.0,) * 14)
    hub.report(*listing(hub.now.wall, box), sample)
    assert hub.query("containers")[0]["memory"] == 1.0
    hub.report(*listing(hub.now.wall, box._replace(state="exited", exit_code=0)), sample)
    assert hub.query("containers")[0]["memory"] is None


def test_a_death_in_a_list_counts_by_the_hubs_clock_whatever_the_engines_says(hub: CoreHub) -> None:
    agent = joined(hub)
    hub.wait(1.0)
    there = hub.now.wall - 100.0
    state, rows = listing(
        hub.now.wall, container(1, state="exited", finished_at=there, exit_code=0, started_at=there - 1)
    )
    hub.report(state._replace(clock_ahead=100.0), rows)
    assert hub.presence(agent) == "gone"
