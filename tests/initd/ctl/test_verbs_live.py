"""The installed command, a real PID 1 and every verb: what a person does with `docker exec`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.container import Container, stays_idle
from tests.support.waiting import until
from wire.limits import RING_BYTES

pytestmark = pytest.mark.proc

APP = """
[supervisord]
pidfile=/run/supervisord.pid
[program:web]
command=sh -c 'echo hello; echo "bad thing" >&2; trap "echo reread" HUP; while :; do sleep 0.05; done'
[program:job]
command=sh -c 'echo migrated'
autorestart=false
startsecs=0
[program:lazy]
command=sleep 1000
autostart=false
[program:pool]
command=sleep 1000
numprocs=2
process_name=w_%(process_num)d
"""
LOUD = """
[supervisord]
pidfile=/run/supervisord.pid
[program:loud]
command=sh -c 'while [ ! -e /mnt/end ]; do head -c 100000 /dev/zero | tr "\\0" x; echo; done; echo finished; sleep 999'
[program:quiet]
command=sleep 1000
"""
FULL = """
[supervisord]
pidfile=/run/supervisord.pid
[program:loud]
command=sh -c 'for i in $(seq 40); do head -c 10000 /dev/zero | tr "\\0" x; done; echo finished; exec sleep 1000'
stdout_logfile=/run/disk/log
stdout_logfile_maxbytes=0
"""

Begin = Callable[..., Container]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[Container] = []

    def start(config: str, **options: str) -> Container:
        begun.append(Container(tmp_path, config, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.destroy()


@pytest.fixture
def app(begin: Begin) -> Container:
    container = begin(APP)
    for name in ("web", "pool:w_0", "pool:w_1"):
        container.wait_state(name, "RUNNING")
    return container


def test_status_of_a_real_container(app):
    rows = {row["full_name"]: row for row in app.json("status")}
    assert {name: row["state"] for name, row in rows.items()} == {
        "web": "RUNNING", "job": "EXITED", "lazy": "STOPPED", "pool:w_0": "RUNNING", "pool:w_1": "RUNNING",
    }  # fmt: skip
    assert "web" in app.initd("status").stdout and app.initd("status", "web").returncode == 0


def test_start_stop_and_restart_wait_for_what_they_did(app):
    before = app.json("status", "web")[0]["pid"]
    assert app.json("restart", "web")["processes"][0]["pid"] not in (None, before)
    assert app.json("start", "lazy")["processes"][0]["state"] == "RUNNING"
    assert app.initd("stop", "pool:*").stdout == "pool:w_0 is STOPPED\npool:w_1 is STOPPED\n"
    assert app.initd("start", "all").returncode == 0


def test_signal_and_tail(app):
    assert app.initd("signal", "HUP", "web").returncode == 0
    until(lambda: "reread" in app.initd("tail", "web").stdout)
    assert app.initd("tail", "web", "stderr").stdout == "bad thing\n"
    assert app.initd("tail", "web", "-n", "1").stdout == "reread\n"


def test_exits_tell_who_and_what(app):
    app.initd("restart", "web")
    records = {fact["body"]["name"]: fact["body"] for fact in app.json("exits")}
    assert (records["job"]["code"], records["job"]["expected"]) == (0, True)
    assert (records["web"]["signal"], records["web"]["by"]) == (signal.SIGTERM, "uid=0")
    assert records["web"]["last_lines"] == ["hello", "bad thing"] and records["web"]["rusage"]["max_rss"] > 0
    assert "| hello" in app.initd("exits", "web", "--output").stdout


def test_events_follow_what_happens(app):
    follower = subprocess.Popen(app.command("events", "lazy", "-f", "--json"), stdout=subprocess.PIPE, text=True)
    try:
        app.initd("start", "lazy")
        assert follower.stdout is not None
        states = [json.loads(follower.stdout.readline())["body"]["state"] for _ in range(2)]
        assert states == ["STARTING", "RUNNING"]
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()


def test_healthy_turns_with_the_programs(app):
    assert app.initd("healthy").returncode == 0
    app.initd("stop", "web")
    done = app.initd("healthy")
    assert (done.returncode, done.stdout) == (1, "not healthy: web STOPPED\n")


def test_mistakes_have_clear_messages_and_statuses(app):
    unknown, usage = app.initd("stop", "nope"), app.initd("stop")
    assert unknown.returncode == 1 and "nope" in unknown.stderr
    assert usage.returncode == 2 and "usage: initd stop" in usage.stderr
    lost = app.initd("status", "--socket", "/nowhere/x")
    assert lost.returncode == 3 and "/nowhere/x: No such file or directory" in lost.stderr


def test_shutdown_ends_the_container(app):
    # With PID 1 its whole namespace ends, the verb that asked included.
    app.initd("shutdown")
    assert app.process.wait(30) == 0


def test_a_stranger_is_kept_out(app):
    done = app.initd("status", user=65534)
    assert done.returncode == 3 and "Permission denied" in done.stderr


def test_without_rights_on_run_root_still_finds_the_socket(begin):
    container = begin(APP, run_as="setpriv --reuid=65534 --regid=65534 --clear-groups")
    container.wait_state("web", "RUNNING")
    assert os.path.exists(f"/proc/{container.pid}/root/tmp/initd-65534/control.sock")
    assert container.initd("status", user=65534).returncode == 0


def test_with_nothing_writable_the_abstract_name_serves(begin):
    readonly = "mount -o remount,ro /run; mount -o remount,ro /tmp"
    container = begin(APP, setup=readonly, run_as="unshare --net")
    command = ("nsenter", "--target", str(container.pid), "--net", *container.command("status")[1:])
    until(lambda: subprocess.run(command, capture_output=True).returncode == 0, what="an answer on @initd-0")


def test_nobody_reading_the_containers_output_stops_nothing(begin):
    """PID 1's stdout and stderr are full pipes; programs write on, verbs answer, initd does not spin."""
    container = begin(LOUD)
    container.wait_state("loud", "RUNNING")
    until(lambda: container.json("status", "loud")[0]["dropped"] > 3_000_000, what="drops")
    assert container.json("restart", "quiet")["outcome"] == "done"
    assert len(container.initd("tail", "loud").stdout) >= RING_BYTES - 1
    Path(f"/proc/{container.pid}/root/mnt/end").touch()
    until(lambda: container.initd("tail", "loud").stdout.endswith("finished\n"), what="the end of the noise")
    assert stays_idle(container.pid) < 0.5
    _read_all(container)
    assert "bytes of output did not reach the container's stdout: loud stdout" in container.stderr()


def _read_all(container: Container) -> None:
    """Read what waits in stdout until nothing more comes for a moment."""
    assert container.process.stdout is not None
    fd, silent = container.process.stdout.fileno(), 0.0
    os.set_blocking(fd, False)
    while silent < 1.0:
        try:
            os.read(fd, 1 << 20)
            silent = 0.0
        except BlockingIOError:
            time.sleep(0.05)
            silent += 0.05


def test_a_full_disk_costs_log_lines_and_nothing_else(begin):
    container = begin(FULL, setup="mkdir /run/disk && mount -t tmpfs -o size=100k tmpfs /run/disk")
    until(lambda: container.initd("tail", "loud").stdout.endswith("finished\n"), what="the end of the noise")
    row = container.wait_state("loud", "RUNNING")
    assert 280_000 < row["dropped"] < 400_000
    assert "cannot write /run/disk/log: No space left on device" in container.stderr()


def test_hostile_clients_do_not_disturb_others(app):
    path = f"/proc/{app.pid}/root/run/initd/control.sock"
    clients = []
    for text in (b"\xff" * 70_000, b"[" * 60_000 + b"\n", b'{"verb":"status"}\n' * 3000, b""):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        client.connect(path)
        try:
            client.send(text)
        except BlockingIOError:
            pass
        clients.append(client)
    assert app.initd("healthy").returncode == 0
    for client in clients:
        client.close()
