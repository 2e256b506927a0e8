"""Agents that left are listed for `keep_lost`, then archived with their keys; what they did stays in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import config
from tests.support import corehub
from tests.support.corehub import SETTINGS, CoreHub
from tests.support.facts import exit_record

AN_HOUR = 3600.0


def later(hub: CoreHub, seconds: float) -> None:
    """Time passes, and the upkeep of each minute comes."""
    hub.mono += seconds
    hub.wait(1.0)


def listed(hub: CoreHub) -> list[str]:
    return [row["name"] for row in hub.query("agents", all=True)]


@pytest.mark.parametrize("keep", [AN_HOUR, SETTINGS.keep_lost])
def test_a_lost_agent_is_archived_with_its_key_after_so_long(
    keep: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corehub, "SETTINGS", SETTINGS._replace(keep_lost=keep))
    hub = CoreHub(tmp_path / "store")
    agent = hub.agent("shop", "web")
    hub.feed_event(agent, exit_record(1, "web"))
    hub.ask("agents", agent, corehub.M.Facts("b1", 1, (exit_record(1, "web"),)))
    hub.wait(8.0)
    assert hub.presence(agent) == "lost" and agent in hub.core.fleet.agent_keys
    later(hub, keep - 120)
    assert listed(hub) == ["shop"] and agent in hub.core.fleet.agent_keys
    later(hub, 240)
    assert listed(hub) == [] and agent not in hub.core.fleet.agent_keys
    assert [row["agent"] for row in hub.query("exits")] == [agent]
    hub.store.close(hub.now.wall)


def test_a_live_agent_is_never_archived(tmp_path: Path) -> None:
    hub = CoreHub(tmp_path / "store")
    agent = hub.agent("shop", "web")
    for _ in range(30):
        later(hub, AN_HOUR)
        hub.beat(agent)
    assert hub.core.fleet.agent_keys.get(agent) is not None and listed(hub) == ["shop"]
    hub.store.close(hub.now.wall)


def test_the_time_is_an_option_of_hubd() -> None:
    assert config.parse("hubd.ini", "[hubd]\n").keep_lost == 86400.0
    assert config.parse("hubd.ini", "[hubd]\nkeep_lost = 2h\n").keep_lost == 7200.0
    with pytest.raises(config.ConfigError, match="keep_lost"):
        config.parse("hubd.ini", "[hubd]\nkeep_lost = 10\n")
