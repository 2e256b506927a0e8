"""Our engine's side against an Engine 26, which answers one-shot statistics at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hub.engines.reports import ContainerEvent, ContainerList, EngineState
from tests.hub.engines.conftest import Followed
from tests.hub.engines.test_docker import row, sample
from tests.support.engines import RealEngine

Follow = Callable[..., Followed]
pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engines")]


def test_it_is_polled_in_one_shots(engine26: RealEngine, follow: Follow) -> None:
    identity = engine26.run("while :; do :; done", mem_limit=64 << 20, nano_cpus=10**9 // 4)
    ear = follow(engine26, sample_period=0.5)
    state = ear.wait(EngineState)
    assert (state.stats, state.api, state.version.partition(".")[0]) == ("poll", "1.45", "26")
    shown = sample(ear, identity, lambda shown: shown["cpu"] > 0.02)
    assert shown["cpu"] < 0.5
    assert (shown["memory_limit"], shown["cpu_limit"]) == (64 << 20, 0.25)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("stats ")]


def test_lists_events_and_orders_are_the_same(engine26: RealEngine, follow: Follow) -> None:
    ear = follow(engine26)
    ear.wait(ContainerList)
    identity = engine26.run("sleep 1000")
    assert row(ear, identity, lambda one: one.state == "running" and one.pid is not None).addresses
    assert ear.order("kill", identity, signal="KILL").ok
    death = ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "die"))
    assert death.attributes["exitCode"] == "137"
    assert row(ear, identity, lambda one: one.state == "exited").exit_code == 137


def test_streams_can_be_asked_for(engine26: RealEngine, follow: Follow) -> None:
    identity = engine26.run("while :; do :; done", nano_cpus=10**9 // 4)
    ear = follow(engine26, mode="stream", sample_period=0.5)
    assert sample(ear, identity, lambda shown: shown["cpu"] > 0.02)["cpu"] < 0.5
    assert ear.wait(EngineState).stats == "stream"


def test_the_agents_own_figures_are_used_where_that_is_configured(engine26: RealEngine, follow: Follow) -> None:
    identity = engine26.run("sleep 1000")
    ear = follow(engine26, mode="agent")
    row(ear, identity, lambda one: one.state == "running")
    assert ear.wait(EngineState).stats == "agent"
    polls = [thread.name for thread in threading.enumerate() if thread.name.startswith(("stats ", "polls e"))]
    assert not polls
