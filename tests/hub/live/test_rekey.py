"""hubctl agents rekey with real processes: it stays the same agent, whichever side is killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ctl.verbs import main
from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

CALM = "[program:calm]\ncommand=sleep 1000\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub.start()
    hub.stop()


@pytest.fixture
def box(hub: LiveHub, tmp_path: Path) -> Iterator[LiveInitd]:
    """A container that joined with an invite: nothing could make it join a second time."""
    join = hub.join("invite").format()
    made = LiveInitd(tmp_path / "one", CALM, PIDONE_JOIN=join).start()
    until(lambda: live(hub), 60, "it joins")
    yield made
    made.destroy()


def live(hub: LiveHub) -> list[Any]:
    return [row for row in hub.client.agents() if row["presence"] == "live"]


def keys(hub: LiveHub) -> set[str]:
    return {row["public"] for row in hub.client.query("key.list", all=True) if row["kind"] == "agent"}


def rekey(hub: LiveHub) -> int:
    return main(["--key", str(hub.folder / "state" / "client" / "admin.json"), "agents", "rekey", "one"])


def changed(hub: LiveHub, old: set[str]) -> bool:
    found = keys(hub)
    return len(found) == 1 and not found & old


def test_the_key_changes_and_the_agent_stays(hub: LiveHub, box: LiveInitd) -> None:
    old, [before] = keys(hub), live(hub)
    assert rekey(hub) == 0
    until(lambda: changed(hub, old), 60, "the new key alone is live")
    assert hub.client.wait(hub.client.command("one/calm", "restart"))["state"] == "done"
    [after] = live(hub)
    assert (after["agent"], after["boot"]) == (before["agent"], before["boot"])
    new = keys(hub)
    box.kill_link()
    until(lambda: live(hub) and live(hub)[0]["age"] < 0.5 and box.link_pid(), 60, "a new link comes by the new key")
    assert keys(hub) == new and live(hub)[0]["agent"] == before["agent"]


@pytest.mark.parametrize("victim", ["hub", "link"])
def test_either_side_may_be_killed_in_the_middle(hub: LiveHub, box: LiveInitd, victim: str) -> None:
    old, [before] = keys(hub), live(hub)
    for _ in range(3):
        rekey(hub)
        if victim == "hub":
            hub.kill()
            hub.start()
        else:
            box.kill_link()
        until(lambda: live(hub), 60, "it is back")
    rekey(hub)
    until(lambda: changed(hub, old), 60, "the new key alone is live")
    until(lambda: [row["agent"] for row in live(hub)] == [before["agent"]], 60, "it is the same agent")
