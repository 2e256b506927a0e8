"""Who is left: all others for PID 1, our descendants elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from initd import sweep
from initd.sweep import Leftover, leftovers, signal_all, tell


def found(*rows: tuple[int, int, str, str]) -> dict[int, Leftover]:
    return {row[0]: Leftover(*row) for row in rows}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = found(
        (1, 0, "init", "S"), (10, 1, "web", "S"), (11, 10, "worker", "S"), (12, 11, "deep", "S"), (20, 1, "other", "S"),
        (13, 10, "dead", "Z"),
    )  # fmt: skip
    monkeypatch.setattr(sweep, "_pids", lambda: list(processes))
    monkeypatch.setattr(sweep, "_look", processes.get)


def test_pid_1_ends_everybody_but_itself_and_the_dead(world: None) -> None:
    assert [one.pid for one in leftovers(1)] == [10, 11, 12, 20]


def test_a_subreaper_ends_its_family(world: None) -> None:
    assert sorted(one.pid for one in leftovers(10)) == [11, 12]


@pytest.mark.parametrize(("error", "count"), [(None, 1), (ProcessLookupError, 0)])
def test_without_proc_pid_1_knows_whether_there_is_anybody(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, count: int
) -> None:
    def kill(pid: int, signum: int) -> None:
        assert (pid, signum) == (-1, 0)
        if error is not None:
            raise error

    monkeypatch.setattr(sweep, "_pids", list)
    monkeypatch.setattr(os, "kill", kill)
    assert len(leftovers(1)) == count
    assert leftovers(77) == []


def test_real_descendants_are_found_and_signalled() -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        mine = [one for one in leftovers(os.getpid()) if one.pid == child.pid]
        assert [one.command for one in mine] == ["sleep"]
        signal_all(os.getpid(), signal.SIGKILL, mine)
        assert child.wait(30) == -signal.SIGKILL


def test_who_is_gone_does_not_matter() -> None:
    signal_all(os.getpid(), signal.SIGTERM, [Leftover(2**22 + 5, 1, "gone", "S")])


def test_names_are_told_up_to_a_limit() -> None:
    many = [Leftover(pid, 1, "w", "S") for pid in range(10, 22)]
    assert tell(many[:2]) == "w (pid 10), w (pid 11)"
    assert tell(many).endswith("w (pid 17) and 4 more")
