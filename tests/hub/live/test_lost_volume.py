"""The hub's volume is lost; its keys were backed up: a new volume, and everybody is back without a person."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ctl.verbs import main
from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

PROGRAMS = "[program:sleeper]\ncommand=sleep 1000\n"


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[list[LiveInitd]]:
    made: list[LiveInitd] = []
    yield made
    for one in made:
        one.destroy()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub
    hub.stop()


def agents(hub: LiveHub) -> dict[str, Any]:
    return {row["name"]: row["agent"] for row in hub.client.agents() if row["presence"] == "live"}


def keys(hub: LiveHub, action: str) -> int:
    """hubctl keys ACTION of this hub's backup."""
    secret = hub.folder / "passphrase"
    secret.write_text("correct horse battery\n")
    where = ("--state-dir", str(hub.folder / "state"), "--passphrase-file", str(secret))
    return main(["keys", action, str(hub.folder / "backup"), *where])


def test_agents_come_back_to_a_restored_hub(hub: LiveHub, boxes: list[LiveInitd], tmp_path: Path) -> None:
    join = hub.start().join().format()
    boxes.append(LiveInitd(tmp_path / "known", PROGRAMS, PIDONE_JOIN=join).start())
    before = until(lambda: agents(hub), what="the first joins")
    assert keys(hub, "backup") == 0 and (hub.folder / "backup").stat().st_mode & 0o777 == 0o600
    boxes.append(LiveInitd(tmp_path / "later", PROGRAMS, PIDONE_JOIN=join).start())
    until(lambda: len(agents(hub)) == 2, what="the second joins after the backup")
    hub.kill()
    shutil.rmtree(hub.folder / "state")
    assert keys(hub, "restore") == 0
    hub.start()
    until(lambda: len(agents(hub)) == 2, 90, what="both are back")
    assert agents(hub)["known"] == before["known"]
    assert any(row["action"] == "keys restore" for row in hub.client.query("audit"))


def test_nothing_is_overwritten(hub: LiveHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.start()
    assert keys(hub, "backup") == 0
    assert keys(hub, "backup") == 1 and "never overwritten" in capsys.readouterr().err
    assert keys(hub, "restore") == 1 and "holds a hub's keys already" in capsys.readouterr().err
