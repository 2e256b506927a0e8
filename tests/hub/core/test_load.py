"""A busy hub stretches the heartbeats, and measures silence by what it told; a full one sends newcomers elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import words
from hub.cluster.overload import HOLD_SECONDS, LOOK_SECONDS
from tests.support.corehub import CoreHub, register
from wire.messages import Beat, HubAddress, Registered

PLACE = HubAddress("x:7401", "x:7402", "x:7403", "K" * 40)


@pytest.fixture
def hub(tmp_path: Path) -> CoreHub:
    return CoreHub(tmp_path)


def busy(hub: CoreHub, part: float, seconds: float = HOLD_SECONDS + LOOK_SECONDS) -> None:
    """The loop was so busy for so long."""
    for _ in range(round(seconds / LOOK_SECONDS)):
        hub.mono += LOOK_SECONDS
        hub.attention += LOOK_SECONDS
        for agent in hub.core.fleet.registry.met:
            hub.beat(agent)
        hub.feed(words.Tick(part))


def test_a_busy_hub_tells_a_longer_period_and_an_idle_one_the_first(hub: CoreHub) -> None:
    agent = hub.agent()
    assert hub.beat(agent).period is None
    busy(hub, 0.95)
    stretched = hub.beat(agent).period
    assert stretched > 2.0
    again = hub.ask("agents", agent, register(at=hub.now.wall))
    assert isinstance(again, Registered) and again.period == stretched
    busy(hub, 0.05, 60.0)
    assert hub.beat(agent).period == 2.0


def test_who_keeps_to_the_longer_period_is_not_late(hub: CoreHub) -> None:
    agent = hub.agent()
    busy(hub, 0.95, 40.0)
    period = hub.beat(agent).period
    assert period >= 4.0
    hub.wait(1.4 * period)
    assert hub.presence(agent) == "live"
    hub.wait(0.3 * period)
    assert hub.presence(agent) == "late"
    hub.wait(1.5 * period)
    assert hub.presence(agent) == "lost"


class Crowded:
    """A full hub beside one with room."""

    def refuge(self, agent: str, now: object) -> tuple[HubAddress, ...]:
        return (PLACE,)

    def news_for(self, agent: str, sign: float) -> tuple[HubAddress, ...]:
        return ()

    def elsewhere(self, now: object) -> bool:
        return False


def test_a_full_hub_tells_a_newcomer_where_there_is_room(hub: CoreHub) -> None:
    agent = hub.enrol(hub.token()).agent
    hub.core.desk.compass = Crowded()  # type: ignore[assignment]
    answer = hub.ask("agents", agent, register(at=hub.now.wall))
    assert isinstance(answer, Beat) and answer.elsewhere and answer.hubs == (PLACE,) and answer.register
    assert agent not in hub.core.fleet.registry.agents
