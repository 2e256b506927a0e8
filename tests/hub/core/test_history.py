"""Histories by process and by container through a query."""

from __future__ import annotations

from array import array
from math import nan

import pytest

from hub import recall, words
from hub.engines.reports import ContainerSample
from tests.support.corehub import START, CoreHub, container, listing
from wire import messages as M


def sampled(hub: CoreHub, agent: str, count: int = 4) -> None:
    for number in range(count):
        hub.sample(agent, 0.1 * number, rss=1e6 * (number + 1))
        hub.wait(5.0)
        hub.beat(agent)


def joined(hub: CoreHub) -> str:
    box = container(1, at=hub.now.wall)
    agent = hub.agent("inner", "web", container=box.id)
    hub.report(*listing(hub.now.wall, box))
    return agent


def test_a_process_by_name_and_time(hub: CoreHub) -> None:
    agent = joined(hub)
    sampled(hub, agent)
    found = hub.query("history", target="box-1/web")
    assert len(found["times"]) == 4 and found["columns"]["rss"] == (1e6, 2e6, 3e6, 4e6)
    later = hub.query("history", target="box-1/web", start=found["times"][2])
    assert later["times"] == found["times"][2:]


def test_a_step_gives_average_least_and_most(hub: CoreHub) -> None:
    sampled(hub, joined(hub))
    found = hub.query("history", target="box-1/web", step=3600)
    columns = found["columns"]
    assert (columns["rss"], columns["rss.min"], columns["rss.max"]) == ((2.5e6,), (1e6,), (4e6,))


def test_an_agent_that_left_still_has_its_history(hub: CoreHub) -> None:
    agent = joined(hub)
    sampled(hub, agent)
    hub.ask("agents", agent, M.Goodbye("b1", "stop", 0))
    assert len(hub.query("history", target="box-1/web")["times"]) == 4


def test_who_is_there_hides_who_left_under_the_same_name(hub: CoreHub) -> None:
    old = joined(hub)
    sampled(hub, old)
    hub.ask("agents", old, M.Goodbye("b1", "stop", 0))
    new = hub.agent("inner", "web", container=container(1).id, started_at=START)
    hub.sample(new, 0.5)
    hub.wait(1.0)
    assert len(hub.query("history", target="box-1/web")["times"]) == 1
    assert len(hub.query("history", target=f"{old}/web")["times"]) == 4


def test_a_container_by_its_engine(hub: CoreHub) -> None:
    joined(hub)
    for number in range(3):
        hub.report(ContainerSample("e1", container(1).id, hub.now.wall, (float(number),) * 14))
        hub.wait(5.0)
    assert hub.query("container_history", target="box-1")["columns"]["memory"] == (0.0, 1.0, 2.0)


def test_what_the_engine_does_not_measure_comes_from_the_agent(hub: CoreHub) -> None:
    hub.sample(joined(hub), 0.5)
    hub.report(ContainerSample("e1", container(1).id, hub.now.wall + 1, (nan,) * 4 + (7.0,) * 10))
    hub.wait(5.0)
    columns = hub.query("container_history", target="box-1")["columns"]
    assert (columns["oom_kills"][-1], columns["memory"][-1]) == (1.0, 7.0)


def test_an_old_sample_of_the_agent_fills_nothing(hub: CoreHub) -> None:
    hub.sample(joined(hub), 0.5)
    hub.report(ContainerSample("e1", container(1).id, hub.now.wall + 60, (nan,) * 4 + (7.0,) * 10))
    hub.wait(61.0)
    assert hub.query("container_history", target="box-1")["columns"]["oom_kills"][-1] is None


def test_a_container_that_no_engine_lists_by_its_agent(hub: CoreHub) -> None:
    agent = hub.agent("alone", "web")
    sampled(hub, agent)
    assert len(hub.query("container_history", target="alone")["times"]) == 4


@pytest.mark.parametrize("target", ["box-1", "box-1/*", "box-1/none", "none/web", None, 7])
def test_what_is_not_one_process_is_refused(hub: CoreHub, target: object) -> None:
    agent = joined(hub)
    hub.ask("agents", agent, M.Roster("b1", 2, 0, hub.now.wall, 0.0, (), (), (), ()))
    assert isinstance(hub.query("history", target=target), M.Refused)


def test_a_history_that_is_too_long_is_refused_with_the_cure(hub: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "POINTS", 3)
    sampled(hub, joined(hub))
    refused = hub.query("history", target="box-1/web")
    assert isinstance(refused, M.Refused) and refused.code == "too-large" and "larger step" in refused.hint


def test_a_sample_from_before_the_newest_fills_history_and_is_not_the_present(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.watch("sample/")
    at = hub.now.wall

    def sample(mono: float, cpu: float) -> None:
        packed = {"cpu": array("f", [cpu]).tobytes()}
        hub.feed(
            words.Published(agent, M.Sample("b1", 1, at + mono, mono, 1.0, packed, array("d", [cpu] * 14).tobytes()))
        )

    for mono, cpu in ((10.0, 0.9), (2.0, 0.2), (4.0, 0.4), (4.0, 0.4), (12.0, 0.1)):
        sample(mono, cpu)
    found = hub.query("history", target="shop/web", start=at, end=at + 20)
    assert [round(value, 1) for value in found["columns"]["cpu"]] == [0.2, 0.4, 0.9, 0.1]
    shown = [item.body["at"] for item in hub.published if item.topic.startswith("sample/")]
    assert len(shown) == 2 and shown == sorted(shown)
    assert [row["cpu"] for row in hub.query("ps")] == [pytest.approx(0.1)]
