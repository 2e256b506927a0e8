"""initd where it is not PID 1: it adopts orphans, and ends only what is its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import Pid1
from tests.support.procfs import command_line, descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of initd's business."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def sleeping(init: Pid1, seconds: int) -> list[int]:
    """Descendants of initd that run `sleep seconds`."""
    return [pid for pid in descendants(init.pid) if command_line(pid) == f"sleep {seconds} "]


def test_an_orphan_becomes_ours_and_is_swept(begin: Begin, stranger: subprocess.Popen[bytes]) -> None:
    double_fork = "sh -c '(setsid sleep 4321 &); exec sleep 1000'"
    init = begin(f"[program:web]\nstartsecs=0\ncommand={double_fork}\n", namespace=False)
    [orphan] = until(lambda: sleeping(init, 4321))
    until(lambda: int(status(orphan, "PPid")) == init.pid)
    assert init.stop() == 0
    assert not Path(f"/proc/{orphan}").exists()
    assert stranger.poll() is None


def test_a_stubborn_orphan_is_killed_and_named(begin: Begin) -> None:
    stubborn = "sh -c '(trap \"\" TERM; setsid sleep 4322 &); exec sleep 1000'"
    init = begin(f"[program:web]\nstartsecs=0\ncommand={stubborn}\n", namespace=False)
    [orphan] = until(lambda: sleeping(init, 4322))
    assert init.stop() == 0
    assert f"had to kill: sleep (pid {orphan})" in init.said()


def test_a_program_killed_from_outside_is_restarted(begin: Begin) -> None:
    init = begin("[program:web]\nstartsecs=0\ncommand=sleep 4323\n", namespace=False)
    [first] = until(lambda: sleeping(init, 4323))
    init.wait_state("web", "RUNNING")
    os.kill(first, signal.SIGKILL)
    until(lambda: sleeping(init, 4323) not in ([], [first]))
    assert not init.ask("about")["pid1"]


def test_the_commands_orphans_are_left_alone_where_no_namespace_ends(begin: Begin) -> None:
    """A command that puts itself into the background on purpose is not punished for it outside a container."""
    init = begin(command=("sh", "-c", "(setsid sleep 4324 &); exit 3"), namespace=False)
    assert init.wait() == 3
    found = subprocess.run(["pgrep", "-f", "^sleep 4324$"], capture_output=True, text=True).stdout.split()
    assert len(found) == 1
    os.kill(int(found[0]), signal.SIGKILL)
