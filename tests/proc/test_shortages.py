"""Out of descriptors, processes, memory, disk: a program's start fails and is tried again, and PID 1 goes on."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.cgroup1 import Group, group
from tests.support.tmpfs import tiny_tmpfs
from tests.support.waiting import until

pytestmark = pytest.mark.proc


def sleepers(count: int) -> str:
    return "".join(f"[program:p{i:02}]\nstartsecs=0\ncommand=sleep 1000\n" for i in range(count))


@pytest.fixture
def tasks() -> Iterator[Group]:
    with group("pids") as made:
        yield made


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with tiny_tmpfs(tmp_path / "disk", 16384) as disk:
        (disk / "filler").write_bytes(b"x" * 8192)
        yield disk


def test_no_descriptors_left(begin: Begin) -> None:
    """Those that fit run, the others say why they do not, and initd can be asked all the same."""
    config = "[supervisord]\nminfds=10\npidfile=/dev/null\n" + sleepers(40)
    init = begin(config, wrapper=("prlimit", "--nofile=40:40"))
    init.wait_said(r"p\d+ did not start: pipe: Too many open files")
    assert {row["state"] for row in init.ask("status")} >= {"RUNNING", "BACKOFF"}
    assert init.exits()[0]["errno"] == errno.EMFILE
    assert init.stop() == 0


def test_no_processes_left(tasks: Group, begin: Begin) -> None:
    init = begin(
        "[program:late]\nautostart=false\nstartsecs=0\ncommand=sleep 1000\n" + sleepers(1), wrapper=tasks.wrapper
    )
    init.wait_state("p00", "RUNNING")
    tasks.set("pids.max", tasks.get("pids.current").strip())
    init.ask("start", names=["late"])
    record = init.exits()[0]
    assert (record["cause"], record["step"], record["errno"]) == ("start failure", "fork", errno.EAGAIN)
    tasks.set("pids.max", "max")
    init.wait_state("late", "RUNNING")
    assert init.stop() == 0


def test_no_processes_left_for_a_program_with_a_user(tasks: Group, begin: Begin) -> None:
    late = "[program:late]\nautostart=false\nstartsecs=0\nuser=nobody\ncommand=sleep 1000\n"
    init = begin(late + sleepers(1), wrapper=tasks.wrapper)
    init.wait_state("p00", "RUNNING")
    tasks.set("pids.max", tasks.get("pids.current").strip())
    init.ask("start", names=["late"])
    assert (init.exits()[0]["step"], init.exits()[0]["errno"]) == ("fork", errno.EAGAIN)
    tasks.set("pids.max", "max")
    init.wait_state("late", "RUNNING")


def test_a_full_disk(full_disk: Path, begin: Begin) -> None:
    writer = f"[program:writer]\nstartsecs=0\ncommand=yes\nstdout_logfile={full_disk}/log\nstdout_logfile_maxbytes=0\n"
    init = begin(f"[supervisord]\npidfile={full_disk}/pid\n" + writer)
    row = init.wait_state("writer", "RUNNING")
    until(lambda: os.statvfs(full_disk).f_bavail == 0)
    init.ask("signal", names=["writer"], signal="KILL")
    until(lambda: init.ask("status")[0]["restarts"] == 1)
    assert init.ask("status")[0]["pid"] != row["pid"]
    assert init.stop() == 0


def test_a_reader_that_stopped_reading_stops_nobody(begin: Begin) -> None:
    """Everybody's stderr and stdout is one pipe that is never read."""
    reader, writer = os.pipe()
    init = begin("[program:loud]\nstartsecs=0\ncommand=yes\nautorestart=true\n", streams=writer)
    os.close(writer)
    init.wait_state("loud", "RUNNING")
    for lives in range(1, 4):
        init.ask("signal", names=["loud"], signal=int(signal.SIGKILL))
        until(lambda lives=lives: init.ask("status")[0]["restarts"] == lives)  # type: ignore[misc]
    until(lambda: init.ask("about")["counters"]["output_dropped"] > 0)
    assert init.stop() == 0
    os.close(reader)
