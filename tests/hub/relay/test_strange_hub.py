"""A real relay between an engine that notes what it is asked to do and a hub with a valid key that is hostile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.engines.fake import FakeEngine
from tests.hub.engines.recorded import ID
from tests.support.livehub import ROOT
from tests.support.strangehub import StrangeHub
from tests.support.waiting import until
from wire.messages import Enrol, Refused
from wire.relay import ContainerOrder, RelayBeat, RelayList, RelayResult, RelayState


class Scene:
    """Engine, hub, and the relay between them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hub, self.engine = folder, StrangeHub(), FakeEngine(folder / "e.sock")
        (folder / "join").write_text(self.hub.join().format())
        self.process = self.start()

    def start(self, more: str = "") -> subprocess.Popen[bytes]:
        ini = self.folder / "relay.ini"
        head = f"[relay]\nengine = {self.engine.url}\nname = vm\njoin_file = {self.folder}/join\n"
        ini.write_text(f"{head}state_dir = {self.folder}/state\nmode = agent\n{more}")
        argv = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub", "--relay", "-c", str(ini)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(argv, stdout=log, stderr=log)

    def end(self, number: int = signal.SIGTERM) -> int:
        os.kill(self.process.pid, number)
        return self.process.wait(30)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def order(
        self, number: int, verb: str = "stop", container: str = ID, epoch: int = 3, **args: object
    ) -> RelayResult:
        """The relay's word about an order."""
        self.hub.send(ContainerOrder(f"c{number}", verb, container, args, 20.0, epoch))
        found = self.hub.wait(RelayResult, lambda one: one.id == f"c{number}")
        assert isinstance(found, RelayResult)
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    try:
        made.hub.wait(RelayList, seconds=60)
        yield made
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGKILL)
        made.engine.close()
        made.hub.stop()


def test_it_enrols_as_a_relay_and_tells_of_its_engine(scene: Scene) -> None:
    (enrol,) = scene.hub.heard(Enrol)
    assert (enrol.role, enrol.hostname) == ("relay", "vm")
    assert scene.hub.wait(RelayState).version == "26.0-fake"
    assert [row.id for row in scene.hub.wait(RelayList).containers] == [ID]


def test_only_the_six_verbs_reach_the_engine(scene: Scene) -> None:
    assert scene.order(1, "stop", grace=2).ok
    assert scene.order(2, "kill", signal="HUP").ok
    bad = [
        scene.order(3, "exec"), scene.order(4, "create"), scene.order(5, container="f" * 64),
        scene.order(6, "kill", signal="SEGV"), scene.order(7, "stop", grace="1&x"), scene.order(8, "stop", epoch=2),
        scene.order(9, "start", Privileged=True), scene.order(10, "restart", grace=-1),
    ]  # fmt: skip
    assert [one.ok for one in bad] == [False] * 8
    assert scene.engine.posted == [f"/containers/{ID}/stop?t=2", f"/containers/{ID}/kill?signal=HUP"]


def test_a_replayed_order_is_carried_out_once(scene: Scene) -> None:
    scene.order(1)
    before = len(scene.hub.heard(RelayResult))
    scene.hub.send(ContainerOrder("c1", "stop", ID, {}, 20.0, 3), ContainerOrder("c1", "kill", ID, {}, 20.0, 3))
    until(lambda: len(scene.hub.heard(RelayResult)) > before, what="told again")
    assert scene.order(2, "start").ok
    assert scene.engine.posted == [f"/containers/{ID}/stop", f"/containers/{ID}/start"]


def test_garbage_and_foreign_messages_end_nothing(scene: Scene) -> None:
    scene.hub.send(b"", b"\xff" * 100, os.urandom(3000), b"\x81\xa1v\x01")
    assert scene.order(1).ok
    assert scene.process.poll() is None


def test_what_the_hub_lacks_is_told_again(scene: Scene) -> None:
    before = len(scene.hub.heard(RelayList))
    scene.hub.want = True
    until(lambda: len(scene.hub.heard(RelayList)) > before + 3, what="lists at every beat")


def test_a_key_that_is_not_known_any_more_enrols_again(scene: Scene) -> None:
    scene.hub.answer = lambda beat: Refused("", "unknown-key", "who are you?")
    until(lambda: len(scene.hub.heard(Enrol)) > 1, what="it enrols again")
    scene.hub.answer, since = scene.hub.relayed, time.monotonic()
    scene.hub.wait(RelayBeat, since=since)  # the order goes where its last beat came from
    assert scene.order(1).ok


def test_a_silent_hub_is_asked_again_and_nothing_is_lost(scene: Scene) -> None:
    scene.hub.answer = lambda beat: None
    until(lambda: "does not answer" in scene.log(), what="it gives up on the silent hub")
    scene.hub.answer, since = scene.hub.relayed, time.monotonic()
    scene.hub.wait(RelayBeat, since=since)  # the order goes where its last beat came from
    assert scene.order(1).ok


def test_it_says_goodbye_and_keeps_its_key(scene: Scene) -> None:
    assert scene.end() == 0
    assert scene.hub.wait(RelayBeat, lambda beat: beat.leaving).leaving == "SIGTERM"
    scene.process = scene.start("verbs = none\n")
    beat = scene.hub.wait(RelayBeat, lambda beat: not beat.verbs)
    assert beat.epoch == 3 and len(scene.hub.heard(Enrol)) == 1
    assert scene.order(1).error == "refused" and not scene.engine.posted


def test_a_join_string_for_another_fleet_sends_nothing(scene: Scene) -> None:
    scene.end()
    other = StrangeHub()
    try:
        foreign = scene.hub.join()._replace(fleet_key=other.pair.public, token="t2")
        (scene.folder / "join").write_text(foreign.format())
        scene.process = scene.start()
        until(lambda: "another fleet key" in scene.log(), what="it says so")
        assert len(scene.hub.heard(Enrol)) == 1
    finally:
        other.stop()
