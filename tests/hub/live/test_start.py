"""How hubd starts, and what it says where it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.livehub import ROOT, LiveHub
from tests.support.procfs import alive, children
from tests.support.waiting import until


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub that was not started."""
    hub = LiveHub(tmp_path)
    yield hub
    hub.stop()


def hubd(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("port", ["command", "samples", "enrol", "client", "feed"])
def test_a_taken_port_is_named(idle: LiveHub, port: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", idle.ports[port]))
        taken.listen()
        done = hubd("-c", str(idle.ini))
    assert done.returncode == 1 and f"127.0.0.1:{idle.ports[port]}" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_corrupt_store_is_named_and_left_alone(idle: LiveHub) -> None:
    idle.start()
    idle.kill(15)
    path = idle.folder / "state" / "store" / "facts.sqlite"
    garbage = b"this is no database" * 500
    path.write_bytes(garbage)
    done = hubd("-c", str(idle.ini))
    assert done.returncode == 1 and str(path) in done.stderr and done.stderr.count("\n") == 1
    assert path.read_bytes() == garbage


def test_a_second_hub_on_the_same_store_is_refused(idle: LiveHub, tmp_path: Path) -> None:
    idle.start()
    other = tmp_path / "other"
    other.mkdir()
    second = LiveHub(other)
    second.ini.write_text(second.ini.read_text().replace(f"{other}/state", f"{idle.folder}/state"))
    done = hubd("-c", str(second.ini))
    assert done.returncode == 1 and "in use" in done.stderr
    assert idle.client.about()["epoch"] == 1


def test_an_unreachable_engine_is_shown_with_its_reason_and_hinders_nothing(tmp_path: Path) -> None:
    hub = LiveHub(tmp_path, more=f"[engine:gone]\nurl = unix://{tmp_path}/none.sock\n")
    try:
        hub.start()
        host = until(lambda: next((h for h in hub.client.hosts() if h["error"]), None), what="its state is known")
        assert (host["engine"], host["up"], host["stale"]) == ("gone", False, True) and host["error"]
    finally:
        hub.stop()


def test_help_has_examples() -> None:
    done = hubd("--help")
    assert done.returncode == 0 and "hubd -c hub.ini --check" in done.stdout


def test_the_admin_key_is_private(idle: LiveHub) -> None:
    idle.start()
    path = idle.folder / "state" / "client" / "admin.json"
    assert path.stat().st_mode & 0o777 == 0o600 and (idle.folder / "state").stat().st_mode & 0o777 == 0o700


def test_kill_9_leaves_no_process_behind(idle: LiveHub) -> None:
    idle.start()
    assert idle.process is not None
    [keeper] = children(idle.process.pid)
    [worker] = until(lambda: children(keeper), what="the worker of the enrolment port")
    idle.kill(9)
    until(lambda: not any(map(alive, (keeper, worker))), what="keeper and worker have ended")


def test_a_hub_whose_keeper_was_killed_ends_and_says_why(idle: LiveHub) -> None:
    idle.start()
    assert idle.process is not None
    os.kill(children(idle.process.pid)[0], 9)
    assert idle.process.wait(30) == 1 and idle.said("keeper of the enrolment port has ended")
