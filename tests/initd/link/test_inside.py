"""link below a real PID 1 in namespaces of its own: what it sees there, and the scripts' socket where scripts look."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.container import Container
from tests.support.livehub import LiveHub
from tests.support.procfs import switches
from tests.support.waiting import until

pytestmark = pytest.mark.proc
ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "conf/examples/inside_container.py"
CONFIG = """
[initd]
name=inside
join_file=/mnt/join
[program:app]
command=sleep 1000
[program:stubborn]
command=sh -c 'trap "" TERM; while :; do sleep 1; done'
stopwaitsecs=3
[program:theirs]
command=sleep 1003
user=nobody
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub.start()
    hub.stop()


@pytest.fixture
def box(hub: LiveHub, tmp_path: Path) -> Iterator[Container]:
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "join").write_text(hub.join().format())
    box = Container(folder, CONFIG)
    yield box
    box.destroy()


def inside(box: Container, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Python script in the container."""
    enter = ("nsenter", "--target", str(box.pid), "--pid", "--mount", sys.executable)
    return subprocess.run([*enter, *words], capture_output=True, text=True, timeout=60)


def ready(box: Container) -> None:
    until(lambda: inside(box, str(EXAMPLE)).returncode == 0, what="the scripts' socket answers")


def processes(hub: LiveHub) -> dict[str, Any]:
    return {row["name"]: row for row in hub.client.ps()}


def test_the_example_lists_and_restarts(box: Container) -> None:
    ready(box)
    box.wait_state("app", "RUNNING")
    assert "'name': 'app'" in inside(box, str(EXAMPLE)).stdout
    before = box.json("status", "app")[0]["pid"]
    done = inside(box, str(EXAMPLE), "app")
    assert done.returncode == 0 and "accepted" in done.stdout, done.stderr
    until(lambda: box.json("status", "app")[0]["pid"] not in (None, before))


def test_the_example_says_what_is_wrong(box: Container) -> None:
    ready(box)
    done = inside(box, str(EXAMPLE), "nothing")
    assert done.returncode == 1 and done.stderr.startswith("unknown-program: ")


TWO = """
import sys, threading, time, msgpack, zmq
def ask(id, op, **args):
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.connect("ipc:///run/initd/command")
    began = time.monotonic()
    socket.send(msgpack.packb({"v": 1, "t": "query", "id": id, "op": op, "args": args}))
    answer = msgpack.unpackb(socket.recv())
    return answer["result"]["state"], time.monotonic() - began
slow = ask("s1", "stop", names=["stubborn"], wait=30)
times = [ask("x%d" % n, "status")[1] for n in range(50)]
print(slow[0], slow[1], sorted(times)[25], ask("r1", "result", command="s1")[0])
"""


def test_a_stop_that_takes_seconds_holds_up_no_script(box: Container) -> None:
    ready(box)
    box.wait_state("stubborn", "RUNNING")
    state, took, median, later = inside(box, "-c", TWO).stdout.split()
    assert (state, later) == ("accepted", "accepted") and float(took) < 0.5 and float(median) < 0.05


def test_everything_in_the_container_is_seen_once(box: Container, hub: LiveHub) -> None:
    until(lambda: processes(hub).get("app", {}).get("rss"))
    stranger = subprocess.Popen(("nsenter", "--target", str(box.pid), "--pid", "--mount", "sleep", "777"))
    try:
        kinds = until(lambda: unmanaged(hub), what="an unmanaged process")
        assert any(row["command"] == "sleep" for row in kinds)
        assert all(row["command"] != "systemd" for row in hub.client.ps())
    finally:
        stranger.kill()
        stranger.wait()


def unmanaged(hub: LiveHub) -> list[Any]:
    return [row for row in hub.client.query("ps", all=True) if row.get("kind") == "unmanaged"]


def test_figures_of_another_users_program_are_there(box: Container, hub: LiveHub) -> None:
    row = until(lambda: (found := processes(hub).get("theirs", {})) and found.get("fds") and found)
    assert row["uid"] == 65534 and row["fds"] >= 3 and row["rss"] > 0


def test_pid_1_sleeps_while_link_works(box: Container, hub: LiveHub) -> None:
    until(lambda: processes(hub).get("app", {}).get("cpu") is not None)
    for name in ("app", "stubborn", "theirs"):
        box.wait_state(name, "RUNNING")
    until(lambda: not _wakes(box.pid), 60, "an interval in which PID 1 never woke")


def _wakes(pid: int) -> int:
    before = switches(pid)
    time.sleep(2.5)  # two samples and five heartbeats of this hub
    return switches(pid) - before
