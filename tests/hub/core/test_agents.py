"""Registration, presence, facts and samples of agents, in virtual time."""

from __future__ import annotations

from array import array

import pytest

from tests.support.corehub import CoreHub, register, roster
from tests.support.facts import change, exit_record
from wire import messages as M
from wire.model import State


def test_registration_is_answered_with_period_epoch_and_durable(hub: CoreHub) -> None:
    agent = hub.enrol(hub.token()).agent
    answer = hub.ask("agents", agent, register())
    assert (answer.agent, answer.period, answer.epoch, answer.durable) == (agent, 2.0, 1, 0)
    assert hub.notices() == ["live"] and answer.want_roster


def test_a_stranger_is_refused(hub: CoreHub) -> None:
    answer = hub.ask("agents", "nobody", register())
    assert isinstance(answer, M.Refused) and answer.code == "unknown-key"


def test_a_heartbeat_of_another_boot_must_register(hub: CoreHub) -> None:
    agent = hub.agent()
    assert hub.beat(agent, "b2").register is True
    assert hub.beat(agent).register is False


def test_late_lost_and_back_are_told_once_each(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.wait(2.8)
    assert hub.presence(agent) == "live"
    hub.wait(0.6)
    assert hub.presence(agent) == "late"
    hub.wait(3.0)
    assert hub.presence(agent) == "lost" and hub.query("agents") == []
    assert len(hub.query("agents", all=True)) == 1
    hub.beat(agent)
    assert hub.notices() == ["live", "late", "lost", "live"]


def test_a_hub_that_slept_loses_nobody(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.mono += 60.0  # the loop's attention grows by one step at most
    hub.attention += 0.5
    hub.wait(0.2)
    assert hub.presence(agent) == "live"


def test_after_a_restart_agents_are_expected_and_not_lost(hub: CoreHub) -> None:
    agents = [hub.agent(f"shop-{n}") for n in range(3)]
    hub.restart()
    assert {hub.presence(agent) for agent in agents} == {"expected"}
    hub.wait(3.8)
    for agent in agents:
        assert hub.beat(agent).register is True
        hub.ask("agents", agent, register(at=hub.now.wall))
    hub.wait(1.0)
    assert {hub.presence(agent) for agent in agents} == {"live"}
    assert "lost" not in hub.notices() and "late" not in hub.notices()


def test_an_agent_that_does_not_come_back_after_a_restart_is_lost_in_the_end(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.restart()
    hub.wait(7.2)
    assert hub.presence(agent) == "lost"


def test_goodbye_is_gone_at_once_and_a_late_heartbeat_does_not_revive(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.ask("agents", agent, M.Goodbye("b1", "SIGTERM", 0))
    assert hub.presence(agent) == "gone" and hub.beat(agent).register is True
    assert hub.presence(agent) == "gone"
    assert hub.query("agents", all=True)[0]["reason"] == "goodbye: SIGTERM"


def test_facts_are_acknowledged_only_when_they_are_stored(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.broken = "append_facts"
    assert hub.ask("agents", agent, M.Facts("b1", 1, (exit_record(1),))).durable == 0
    hub.broken = ""
    assert hub.ask("agents", agent, M.Facts("b1", 1, (exit_record(1),))).durable == 1
    assert len(hub.query("exits")) == 1


def test_facts_of_an_agent_that_said_goodbye_are_still_taken(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.ask("agents", agent, M.Goodbye("b1", "SIGTERM", 1))
    assert hub.ask("agents", agent, M.Facts("b1", 1, (exit_record(1),))).durable == 1


def test_facts_the_agent_lost_are_skipped(hub: CoreHub) -> None:
    agent = hub.agent()
    assert hub.ask("agents", agent, M.Facts("b1", 5, (exit_record(5),))).durable == 5


def test_a_fact_told_twice_is_published_once(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    fact = change(1)
    hub.feed_event(agent, fact)
    hub.ask("agents", agent, M.Facts("b1", 1, (fact,)))
    assert [item.topic for item in hub.published].count(f"fact/{agent}") == 1


def test_state_changes_move_the_picture_and_old_ones_do_not(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    stop = change(5)
    stop = stop._replace(body=stop.body._replace(state=State.EXITED, pid=None))
    hub.ask("agents", agent, M.Facts("b1", 1, (stop,)))
    hub.ask("agents", agent, M.Facts("b1", 1, (change(4),)))
    (row,) = hub.query("ps")
    assert (row["state"], row["pid"], row["uptime"]) == ("EXITED", None, None)


def test_a_roster_older_than_a_fact_does_not_undo_it(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    stop = change(5)
    hub.feed_event(agent, stop._replace(body=stop.body._replace(state=State.EXITED, pid=None)))
    hub.ask("agents", agent, roster(hub.now.wall, "web", number=2, last_seq=4))
    assert hub.query("ps")[0]["state"] == "EXITED"


def test_a_roster_of_the_past_is_kept_and_changes_no_view(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    before = hub.query("ps")
    old = roster(hub.now.wall, "web", "gone", number=7)._replace(past=True)
    hub.ask("agents", agent, old)
    assert hub.query("ps") == before
    assert hub.store.put_samples(agent, "b1", 7, hub.now.wall, {})


def test_values_are_shown_fresh_and_never_stale(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.sample(agent, 0.5)
    (row,) = hub.query("ps")
    assert row["cpu"] == 0.5 and row["stale"] is False and row["tree"]["cpu"] == 0.5
    for _ in range(7):
        hub.wait(2.0)
        hub.beat(agent)
    (row,) = hub.query("ps")
    assert row["cpu"] is None and row["stale"] is True and row["age"] > 12


def test_a_sample_of_another_roster_is_not_shown_and_the_roster_is_wanted(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.sample(agent, 0.5, roster=9)
    assert hub.query("ps")[0]["cpu"] is None
    assert hub.beat(agent).want_roster is True


@pytest.mark.parametrize("topic", ["", "sample/", "sample"])
def test_watching_asks_for_quicker_samples(hub: CoreHub, topic: str) -> None:
    agent = hub.agent("shop", "web")
    hub.watch("notice/")
    assert hub.beat(agent).watch is False
    hub.watch(topic)
    assert hub.beat(agent).watch is True
    hub.sample(agent, 0.5)
    assert hub.published[-1].topic == f"sample/{agent}"
    hub.watch(topic, on=False)
    assert hub.beat(agent).watch is False


def test_after_a_restart_the_age_is_that_of_the_last_minute(hub: CoreHub) -> None:
    agent = hub.agent()
    for _ in range(600):
        hub.wait(2.0, ticks=1.0)
        hub.beat(agent)
    hub.restart()
    assert hub.query("agents")[0]["age"] <= 61.0


def test_skewed_clocks_are_noted_once(hub: CoreHub) -> None:
    agent = hub.agent()
    for _ in range(20):
        hub.beat(agent, wall=hub.now.wall - 30.0)
    notes = [item.body for item in hub.published if item.body.get("note") == "clock skew"]
    assert len(notes) == 1 and notes[0]["seconds"] == -30.0


def test_a_higher_epoch_of_an_agent_raises_ours(hub: CoreHub) -> None:
    agent = hub.enrol(hub.token()).agent
    hub.ask("agents", agent, register(epoch=41))
    assert hub.beat(agent).epoch == 42
    assert isinstance(hub.ask("agents", agent, register(epoch=2**60)), M.Refused)


def test_container_values_of_unverified_agents_go_to_their_own_history(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web", container="f" * 64)
    hub.sample(agent, 0.5)
    assert hub.store.container_history(agent, 0.0, hub.now.wall + 10).columns["cpu_seconds"] == array("d", [1.0])
    assert not hub.store.container_history("f" * 64, 0.0, hub.now.wall + 10).times
