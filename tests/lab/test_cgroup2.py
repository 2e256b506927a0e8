"""The cgroup v2 guest is what its users take it for: real v2, this machine's files, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.guest import guest  # noqa: F401
from tests.support.uml import Guest, GuestError

pytestmark = [pytest.mark.vm, pytest.mark.slow]

HOG = """import os
group = "/sys/fs/cgroup/hog"
os.mkdir(group)
open(group + "/memory.max", "w").write("32M")
if os.fork() == 0:
    open(group + "/cgroup.procs", "w").write(str(os.getpid()))
    held = []
    while True:
        held.append(bytearray(1 << 20))
print(os.wait()[1], open(group + "/memory.events").read().split())
"""


def test_every_controller_and_the_commands_status(guest: Guest) -> None:  # noqa: F811
    done = guest.run(["sh", "-c", "cat /sys/fs/cgroup/cgroup.subtree_control; echo hurt >&2; exit 7"])
    assert set(done.stdout.split()) >= {"cpu", "io", "memory", "pids"}
    assert (done.stderr, done.returncode) == ("hurt\n", 7)


def test_an_oom_kill_is_counted_by_the_real_kernel(guest: Guest) -> None:  # noqa: F811
    status, *events = guest.run([sys.executable, "-c", HOG]).stdout.split()
    assert status == "9"
    assert "'oom_kill', '1'" in " ".join(events)


def test_this_machine_is_not_written_to(guest: Guest, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "old").write_text("old")
    done = guest.run(["sh", "-c", "cat old; echo new >old; echo new >fresh; cat old"], cwd=tmp_path)
    assert done.stdout == "oldnew\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old"] and (tmp_path / "old").read_text() == "old"


def test_out_of_time_ends_everything(guest: Guest) -> None:  # noqa: F811
    ours = Guest(memory=333)
    with pytest.raises(subprocess.TimeoutExpired):
        ours.run(["sleep", "3600"], timeout=6)
    deadline = time.monotonic() + 20
    while running("mem=333M") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running("mem=333M")


def running(argument: str) -> list[Path]:
    """Processes with this argument; one that ends while we look is not running."""
    found = []
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument.encode() in commandline.read_bytes().split(b"\0"):
                found.append(commandline)
        except OSError:
            continue
    return found


def test_a_guest_that_dies_shows_its_console(guest: Guest) -> None:  # noqa: F811
    with pytest.raises(GuestError, match="its console"):
        guest.run(["busybox", "poweroff", "-f"])
