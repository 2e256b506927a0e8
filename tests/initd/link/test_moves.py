"""Hubs that are absent, move or come late, and containers that are started again."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.ports import free_ports
from tests.support.procfs import status
from tests.support.waiting import until

PROGRAMS = "[program:sleeper]\ncommand=sleep 1000\n"
ID = "c0ffee" * 10 + "abcd"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub.start()
    hub.stop()


@pytest.fixture
def box(hub: LiveHub, tmp_path: Path) -> Iterator[LiveInitd]:
    """Has a container id, so that state_dir may keep its key; not started yet."""
    environ = {"PIDONE_JOIN": hub.join().format(), "PIDONE_CONTAINER_ID": ID}
    box = LiveInitd(tmp_path / "web-1", PROGRAMS, f"state_dir={tmp_path}/state", **environ)
    yield box
    box.destroy()


def agents(hub: LiveHub, presence: str = "live") -> list[dict[str, Any]]:
    return [row for row in hub.client.query("agents", all=True) if row["presence"] == presence]


def serves(pid: int) -> bool:
    """Whether a link is up: it has ZeroMQ's threads.

    One that is still loading takes a SIGTERM, too, but on a busy machine it is loaded too late for PID 1, which kills
    what is left 0.75 s after it, and then nobody writes down what no hub has heard.
    """
    return int(status(pid, "Threads") or 0) > 1


def test_a_container_that_is_started_again_is_the_same_agent(hub: LiveHub, box: LiveInitd, tmp_path: Path) -> None:
    box.start()
    [first] = until(lambda: agents(hub))
    assert box.stop() == 0
    until(lambda: agents(hub, "gone"))
    box.start()
    [again] = until(lambda: agents(hub))
    assert again["agent"] == first["agent"] and again["boot"] != first["boot"]


def test_a_copy_of_its_state_in_another_container_is_another_agent(
    hub: LiveHub, box: LiveInitd, tmp_path: Path
) -> None:
    box.start()
    [first] = until(lambda: agents(hub))
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    environ = box.environ | {"PIDONE_CONTAINER_ID": "f" * 64}
    other = LiveInitd(tmp_path / "web-2", PROGRAMS, f"state_dir={tmp_path}/copy")
    other.environ = environ
    try:
        other.start()
        ids = until(lambda: {row["agent"] for row in agents(hub)} if len(agents(hub)) == 2 else None)
        assert first["agent"] in ids
    finally:
        other.destroy()


def test_a_hub_that_comes_late_is_joined(hub: LiveHub, box: LiveInitd) -> None:
    hub.kill()
    box.start()
    until(lambda: box.said("cannot be reached"))
    assert box.status()["sleeper"]["pid"]
    hub.start()
    until(lambda: agents(hub))


def test_a_hub_whose_other_ports_moved_is_found_by_the_join_string(hub: LiveHub, box: LiveInitd) -> None:
    box.start()
    [first] = until(lambda: agents(hub))
    hub.kill()
    text = hub.ini.read_text()
    for name, port in zip(("command", "samples"), free_ports(2), strict=True):
        text = text.replace(f"port_{name} = {hub.ports[name]}", f"port_{name} = {port}")
    hub.ini.write_text(text)
    hub.start()
    [again] = until(lambda: agents(hub), 90, "found again")
    assert again["agent"] == first["agent"]


def test_deaths_that_no_hub_heard_of_are_told_after_the_restart(hub: LiveHub, box: LiveInitd, tmp_path: Path) -> None:
    box.start()
    [first] = until(lambda: agents(hub))
    hub.kill()
    for _ in range(2):
        until(lambda: serves(box.link_pid()))
        assert box.stop() == 0
        box.start()
    assert len(list((tmp_path / "state").glob("facts-*.json"))) == 2
    hub.start()
    exits = until(lambda: found if len(found := hub.client.exits(limit=100)) == 2 else None, 60, "both exits")
    assert {row["by"] for row in exits} == {"signal TERM"} and exits[0]["boot"] == first["boot"] != exits[1]["boot"]
    told = {row["boot"] for row in exits}
    until(lambda: [row for row in agents(hub) if row["boot"] not in told], what="the present boot registers")
    until(lambda: not list((tmp_path / "state").glob("facts-*.json")))


def test_link_alone_that_is_told_to_end_says_no_goodbye(hub: LiveHub, box: LiveInitd) -> None:
    box.start()
    until(lambda: agents(hub))
    pid = box.kill_link(signal.SIGTERM)
    until(lambda: box.link_pid() not in (0, pid))
    until(lambda: agents(hub))
    assert not agents(hub, "gone") and not [r for r in hub.client.events(limit=100) if "goodbye" in str(r)]


def test_a_hub_that_hangs_holds_up_nothing_in_the_container(hub: LiveHub, box: LiveInitd) -> None:
    box.start()
    until(lambda: agents(hub))
    assert hub.process is not None
    hub.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(3):
            before = box.pid_of("sleeper")
            assert box.verb("restart", "sleeper", "--wait", "20").returncode == 0
            assert box.pid_of("sleeper") != before
    finally:
        hub.process.send_signal(signal.SIGCONT)
    until(lambda: len(hub.client.exits(limit=100)) == 3, what="the deaths meanwhile")
