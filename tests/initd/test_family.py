"""Who belongs to a program: by rules on made-up process lists, and with real processes of every kind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from initd import family, sweep
from initd.kernel import Kernel
from initd.reaper import start_ticks
from initd.sweep import Leftover
from tests.support.waiting import until

ME = 1


def one(pid: int, parent: int, group: int = 0, session: int = 1, ticks: int = 100) -> Leftover:
    return Leftover(pid, parent, "x", "S", group or pid, session, ticks)


def pids(found: list[Leftover]) -> list[int]:
    return sorted(each.pid for each in found)


def test_a_group_is_the_leader_and_who_has_its_number() -> None:
    everyone = [one(10, ME), one(11, 10, 10), one(12, ME, 10), one(13, 10)]
    assert pids(family.claim_group(everyone, 10, 100)) == [10, 11, 12]


def test_a_group_outlives_its_leader() -> None:
    assert pids(family.claim_group([one(12, ME, 10), one(13, ME)], 10, 100)) == [12]


def test_a_group_whose_number_was_given_anew_is_somebody_elses() -> None:
    everyone = [one(10, ME, ticks=999), one(11, 10, 10, ticks=1000)]
    assert family.claim_group(everyone, 10, 100) == []


def tree(everyone: list[Leftover], more: set[int] | None = None) -> list[int]:
    first = family.claim_group(everyone, 10, 100)
    return pids(family.claim_tree(everyone, first, more or set(), {0, 1}))


def test_a_tree_has_descendants_of_other_groups() -> None:
    assert tree([one(10, ME), one(11, 10), one(12, 11, session=12), one(20, ME), one(21, 20)]) == [10, 11, 12]


def test_a_tree_has_whole_sessions_that_a_member_opened_but_not_ours() -> None:
    everyone = [one(10, ME), one(11, 10, 11, 11), one(12, ME, 12, 11), one(13, ME, 13, 1)]
    assert tree(everyone) == [10, 11, 12]


def test_a_tree_has_who_carries_the_mark_and_their_children() -> None:
    assert tree([one(30, ME, 30, 30), one(31, 30, 31, 31), one(32, ME)], {30}) == [30, 31]


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def ends() -> Iterator[list[int]]:
    """Pids to kill at the end, whatever happened."""
    found: list[int] = []
    yield found
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def program(child: subprocess.Popen[Any]) -> Any:
    """What members() reads of a process."""
    return SimpleNamespace(
        name="web",
        pid=child.pid,
        run=SimpleNamespace(pid=child.pid, start_ticks=start_ticks(child.pid)),
        program=SimpleNamespace(spawns=0),
    )


DAEMON = """import os, time
if os.fork() == 0:
    os.setsid()
    middle = os.getpid()
    if os.fork() == 0:
        while os.getppid() == middle:
            time.sleep(0.001)
        print(os.getpid(), flush=True)
        {scrub}
        time.sleep(1000)
    os._exit(0)
os.wait()
time.sleep(1000)
"""
SCRUB = "os.execve('/bin/sleep', ['sleep', '1000'], {})"


@pytest.fixture
def begin(kernel: Kernel, ends: list[int]) -> Callable[..., tuple[Any, int]]:
    """Start a program that leaves a daemon behind: the program and the daemon's pid, as the parent sees them."""

    def start(scrub: str = "pass") -> tuple[Any, int]:
        nobody: Any = SimpleNamespace(name="web", program=SimpleNamespace(spawns=0))
        child = subprocess.Popen(
            [sys.executable, "-c", DAEMON.format(scrub=scrub)],
            stdout=subprocess.PIPE,
            process_group=0,
            env={**os.environ, family.VARIABLE: kernel.mark(nobody)},
        )
        assert child.stdout is not None
        daemon = int(child.stdout.readline())
        ends.extend((child.pid, daemon))
        parent = next(each.parent for each in sweep.processes() if each.pid == daemon)
        kernel.pid = parent  # who takes orphans here is whom the kernel handed it to
        until(lambda: not scrub.startswith("os.execve") or family.read_mark(daemon) == "", what="the scrubbing")
        return program(child), daemon

    return start


@pytest.mark.proc
def test_a_daemon_that_left_group_and_session_is_found_by_its_mark(kernel: Kernel, begin: Any) -> None:
    web, daemon = begin()
    assert daemon in [pid for pid, _ in kernel.members(web, family.TREE)]
    assert daemon not in [pid for pid, _ in kernel.members(web, family.GROUP)]
    assert [pid for pid, _ in kernel.members(web, family.LEADER)] == [web.pid]


@pytest.mark.proc
def test_who_scrubbed_the_mark_is_a_survivor_and_not_claimed(kernel: Kernel, begin: Any) -> None:
    web, daemon = begin(SCRUB)
    assert daemon not in [pid for pid, _ in kernel.members(web, family.TREE)]
    assert daemon in [each.pid for each in kernel.survivors(web)]
    assert daemon not in [each.pid for each in kernel.survivors(web, known=[daemon])]


@pytest.mark.proc
def test_who_carries_another_programs_mark_is_no_survivor_of_this_one(kernel: Kernel, begin: Any) -> None:
    web, daemon = begin()
    web.name = "other"
    assert daemon not in [pid for pid, _ in kernel.members(web, family.TREE)]
    assert daemon not in [each.pid for each in kernel.survivors(web)]


@pytest.mark.proc
def test_reach_ends_the_tree(kernel: Kernel, begin: Any) -> None:
    web, daemon = begin()
    assert daemon in [pid for pid, _ in kernel.reach(web, family.TREE, signal.SIGKILL)]
    until(lambda: not kernel.members(web, family.TREE), what="an empty tree")


@pytest.mark.proc
def test_a_pid_given_anew_is_not_signalled(ends: list[int]) -> None:
    child = subprocess.Popen(["sleep", "1000"])
    ends.append(child.pid)
    ticks = start_ticks(child.pid)
    assert ticks is not None
    assert sweep.send([(child.pid, ticks - 1)], signal.SIGKILL) == []
    sweep.send([(child.pid, ticks)], signal.SIGTERM)
    assert child.wait(30) == -signal.SIGTERM  # KILL, had it arrived, would have come first


@pytest.mark.proc
def test_without_pidfds_the_ticks_still_count(ends: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise PermissionError(1, "seccomp")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    test_a_pid_given_anew_is_not_signalled(ends)


@pytest.mark.proc
def test_who_refuses_is_told() -> None:
    me = start_ticks(os.getpid())
    assert me is not None
    assert sweep.send([(os.getpid(), me)], 4096) == [(os.getpid(), 22)]
