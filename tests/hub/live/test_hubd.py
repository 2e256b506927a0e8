"""A real hubd with real agents over ZeroMQ and CURVE on the loopback."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

import pytest

from tests.support.facts import exit_record
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.waiting import until
from wire.client import RefusedError
from wire.model import CommandState, Fact

Make = Callable[..., LiveAgent]


def died(seq: int) -> Fact:
    """An exit record of now: what is older than retention is pruned."""
    return exit_record(seq)._replace(at=time.time())


def presence(hub: LiveHub, agent: LiveAgent) -> str:
    rows = {row["agent"]: row for row in hub.client.query("agents", all=True)}
    return str(rows[agent.id]["presence"])


def test_the_list_is_empty_at_first_start(hub: LiveHub) -> None:
    assert hub.client.agents() == []


def test_an_agent_appears_with_its_programs(hub: LiveHub, agent: Make) -> None:
    agent("shop", "web", "worker")
    (row,) = hub.client.agents()
    assert (row["name"], row["presence"], row["programs"], row["peer"]) == ("shop", "live", 2, "127.0.0.1")
    assert [(row["process"], row["state"]) for row in hub.client.ps()] == [("web", "RUNNING"), ("worker", "RUNNING")]


def test_figures_are_shown_while_they_are_fresh(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    shop.live()

    def cpu() -> object:
        shop.publish([0.25])
        return hub.client.ps()[0]["cpu"]

    assert until(cpu, what="a sample arrives") == 0.25
    assert until(lambda: hub.client.ps()[0]["stale"], what="it becomes stale")
    assert hub.client.ps()[0]["cpu"] is None


def test_a_silent_agent_is_late_then_lost_then_back(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    until(lambda: presence(hub, shop) == "late", what="late")
    until(lambda: presence(hub, shop) == "lost", what="lost")
    assert hub.client.agents() == []
    shop.beat()
    assert presence(hub, shop) == "live"


def test_a_goodbye_is_gone_at_once_with_its_reason(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    shop.leave("SIGTERM")
    (row,) = hub.client.query("agents", all=True)
    assert (row["presence"], row["reason"]) == ("gone", "goodbye: SIGTERM")
    assert shop.beat().register is True


def test_a_command_reaches_its_agent_and_is_audited(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    row = hub.client.command("shop/web", "restart", id="order-1")
    command = shop.obey()
    assert (command.id, command.verb, command.args) == ("order-1", "restart", {"names": ("web",)})
    assert command.actor == "hub:admin" and command.epoch == 1
    assert hub.client.wait(row)["state"] == "done"
    audit = [(a["actor"], a["action"], a["target"], a["outcome"]) for a in hub.client.query("audit")]
    assert ("admin", "restart", "shop/web", "accepted") in audit and ("admin", "restart", "shop/web", "done") in audit


def test_a_repeated_order_is_not_executed_twice(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    hub.client.command("shop/web", "restart", id="order-1")
    shop.obey()
    again = until(lambda: _if_done(hub.client.command("shop/web", "restart", id="order-1")))
    assert again["repeated"] is True
    assert not shop.route.poll(500)


def _if_done(row: dict[str, object]) -> dict[str, object] | None:
    return row if row["state"] == "done" else None


def test_a_command_nobody_fetches_expires(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    shop.live()
    shop.route.close(0)
    row = hub.client.command("shop/web", "restart", ttl=1.0)
    state = until(lambda: _if_final(hub.client.query("command_state", id=row["id"])))
    assert state["state"] == CommandState.EXPIRED


def _if_final(row: dict[str, object]) -> dict[str, object] | None:
    return row if row["state"] in ("done", "failed", "expired") else None


def test_facts_are_acknowledged_and_found(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    assert shop.tell(died(1), died(2)).durable == 2
    exits = hub.client.exits()
    assert [(row["agent_name"], row["seq"], row["signal"]) for row in exits] == [("shop", 1, 9), ("shop", 2, 9)]


def test_after_kill_9_every_agent_is_back_and_nothing_is_lost(hub: LiveHub, agent: Make) -> None:
    agents = [agent(f"shop-{n}", "web") for n in range(3)]
    for one in agents:
        one.tell(died(1))
        one.live()
    hub.kill(signal.SIGKILL)
    hub.start()
    until(lambda: [row["presence"] for row in hub.client.agents()] == ["live"] * 3, what="all are back")
    assert len(hub.client.exits()) == 3
    notes = [row.get("presence") for row in hub.client.events(limit=1000)]
    assert "lost" not in notes and "late" not in notes
    assert hub.client.about()["epoch"] == 2


def test_a_hub_that_was_stopped_for_six_periods_loses_nobody(hub: LiveHub, agent: Make) -> None:
    agents = [agent(f"shop-{n}", "web") for n in range(3)]
    for one in agents:
        one.live()
    assert hub.process is not None
    os.kill(hub.process.pid, signal.SIGSTOP)
    time.sleep(3.0)  # the stop itself is what is tested
    os.kill(hub.process.pid, signal.SIGCONT)
    beats = [one.beat().register for one in agents]
    assert beats == [False] * 3 and [row["presence"] for row in hub.client.agents()] == ["live"] * 3
    assert {row.get("presence") for row in hub.client.events(limit=1000)} <= {None, "live"}


def test_a_viewer_may_look_and_not_touch(hub: LiveHub, agent: Make) -> None:
    agent("shop", "web")
    viewer = hub.user("eve", "viewer")
    assert len(viewer.agents()) == 1
    with pytest.raises(RefusedError) as refused:
        viewer.command("shop/web", "stop")
    assert refused.value.code == "forbidden"
    assert any(a["actor"] == "eve" and a["outcome"] == "refused" for a in hub.client.query("audit"))


def test_a_scoped_key_sees_its_scope_only(hub: LiveHub, agent: Make) -> None:
    agent("shop", "web")
    other = hub.user("ops", "operator", team="blue")
    assert other.agents() == [] and other.ps() == []
    with pytest.raises(RefusedError) as refused:
        other.command("shop/web", "stop")
    assert refused.value.code == "unknown-agent"


def test_it_ends_on_sigterm_with_0_and_its_enrolment_process_with_it(hub: LiveHub) -> None:
    port = hub.ports["enrol"]
    assert hub.kill(signal.SIGTERM) == 0
    until(lambda: not _listens(port), what="the enrolment port is closed")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
