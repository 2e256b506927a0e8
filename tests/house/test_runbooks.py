"""docs/runbooks.md, executed: every block, verbatim, against a real hub and real agents.

`Scene` is the fleet that a runbook is about; each test brings it into the trouble, runs the blocks of one section in
order, and looks whether the trouble is over.  A block is run by its number, so that one which nobody runs fails a test.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "runbooks.md").read_text()
SECTIONS = {
    title: re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}
PROGRAMS = "[program:web]\ncommand=sleep 1000\n[program:bad]\ncommand=sh -c 'sleep 0.2; exit 3'\nautostart=false\n"
PROGRAMS += "startsecs=0\nautorestart=true\nbackoff=0.2\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Scene:
    """A hub, its agents, and a shell in which the page's variables are set."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.boxes = folder, list[LiveInitd]()
        (folder / "hub").mkdir()
        self.hub = LiveHub(folder / "hub").start()
        self.join = folder / "join"
        (folder / "pass").write_text("correct horse battery\n")
        shim = folder / "bin" / "hubctl"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -I {ROOT}/initd/prefix.py hub.ctl "$@"\n')
        shim.chmod(0o755)
        state = folder / "hub" / "state"
        self.set = {"STATE": str(state), "BACKUP": f"{folder}/backup", "PASS": f"{folder}/pass"}
        self.set |= {"PIDONE_CLIENT_KEY": f"{state}/client/admin.json", "PATH": f"{shim.parent}:{os.environ['PATH']}"}

    def agent(self, name: str, join: str = "") -> LiveInitd:
        """One more, with a join string of its own file."""
        file = self.folder / f"{name}.join"
        file.write_text(join or self.hub.join().format())
        self.boxes.append(LiveInitd(self.folder / name, PROGRAMS, PIDONE_JOIN_FILE=str(file)).start())
        return self.boxes[-1]

    def live(self) -> set[str]:
        """Names of who is there."""
        return {row["name"] for row in self.hub.client.agents() if row["presence"] == "live"}

    def run(self, title: str, number: int, **more: str) -> str:
        """A block as a person would paste it, which must succeed; its output."""
        text = SECTIONS[title][number]
        shell = ["bash", "-euo", "pipefail", "-c", text]
        environ = {**os.environ, **self.set, **more}
        done = subprocess.run(shell, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def end(self) -> None:
        for box in self.boxes:
            box.destroy()
        self.hub.stop()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.end()


def test_every_block_is_run_below() -> None:
    counts = {title: len(blocks) for title, blocks in SECTIONS.items() if blocks}
    assert list(counts.values()) == [3, 3, 2, 3, 4, 3]
    assert PAGE.count("```sh") == sum(counts.values())


def test_a_lost_volume(scene: Scene) -> None:
    title = "The hub's volume is lost"
    scene.agent("box")
    until(lambda: scene.live() == {"box"}, what="the agent joins")
    scene.run(title, 0)
    scene.hub.kill()
    shutil.rmtree(scene.set["STATE"])
    scene.run(title, 1)
    scene.hub.start()
    until(lambda: scene.live() == {"box"}, 90, what="the agent is back")
    assert "keys restore" in scene.run(title, 2)


def test_a_leaked_token(scene: Scene) -> None:
    title = "A token leaked"
    leaked = scene.hub.client.query("token.create", kind="service")
    scene.agent("friend", leaked["join"])
    scene.agent("stranger", leaked["join"])
    until(lambda: scene.live() == {"friend", "stranger"}, what="both join")
    assert leaked["id"] in scene.run(title, 0, TOKEN=leaked["id"])
    (stranger,) = [row["agent"] for row in scene.hub.client.agents() if row["name"] == "stranger"]
    assert leaked["id"] in scene.run(title, 1, STRANGER=stranger)
    until(lambda: scene.live() == {"friend"}, what="the stranger is out")
    assert "token revoke" in scene.run(title, 2)
    assert (scene.folder / "join").read_text().startswith("pidone")


def test_memory_at_night(scene: Scene) -> None:
    title = "Something was killed for memory at night"
    box = scene.agent("box")
    until(lambda: scene.live() == {"box"}, what="the agent joins")
    os.kill(box.pid_of("web"), signal.SIGKILL)
    until(lambda: scene.hub.client.query("exits", target="box/web"), what="the record arrives")
    assert "web" in scene.run(title, 0)
    until(lambda: scene.hub.client.query("ps", target="box/web"), what="it runs again")
    assert "KILL" in scene.run(title, 1, AGENT="box", PROGRAM="web")


def test_a_storm(scene: Scene) -> None:
    title = "A crash storm"
    box = scene.agent("box")
    until(lambda: scene.live() == {"box"}, what="the agent joins")
    box.verb("start", "bad")
    until(lambda: scene.hub.client.query("storms"), what="the storm begins")
    which = {"AGENT": "box", "PROGRAM": "bad"}
    assert "bad" in scene.run(title, 0, **which)
    scene.run(title, 1, **which)
    until(lambda: box.status()["bad"]["pid"] in (0, None), what="nothing more crashes")
    scene.run(title, 2, AGENT="box", PROGRAM="web")


def test_an_update_and_the_way_back(scene: Scene) -> None:
    title = "Updating the hub"
    scene.agent("box")
    until(lambda: scene.live() == {"box"}, what="the agent joins")
    scene.hub.kill(signal.SIGTERM)
    scene.run(title, 0)
    scene.hub.start()
    until(lambda: scene.live() == {"box"}, what="the agent is back")
    assert "box" in scene.run(title, 1)
    scene.hub.kill(signal.SIGTERM)
    scene.run(title, 2)
    scene.hub.start()
    until(lambda: scene.live() == {"box"}, what="the agent is back again")
    scene.run(title, 3)


def test_an_expired_token(scene: Scene) -> None:
    title = "A token, key or certificate has expired"
    old = scene.hub.client.query("token.create", kind="service", seconds=1)
    until(lambda: "expired" in scene.run(title, 0), what="it expires")
    scene.agent("box", old["join"])
    scene.run(title, 1)
    shutil.copy(scene.folder / "join", scene.folder / "box.join")
    until(lambda: scene.live() == {"box"}, 90, what="the agent takes the new one by itself")
    scene.run(title, 2)
