"""Reaping real children: statuses, orphans of any number, start ticks."""

from __future__ import annotations

import os
import signal

import pytest

from initd.reaper import CHUNK, collect, decode, start_ticks
from tests.support.forked import forked
from tests.support.waiting import until


def child(code: int = 0) -> int:
    return forked(lambda: os._exit(code))


def collected(count: int) -> list[list[object]]:
    batches: list[list[object]] = []

    def all_there() -> bool:
        batches.extend(list(batch) for batch in collect())
        return sum(map(len, batches)) >= count

    until(all_there)
    return batches


def test_nothing_to_collect() -> None:
    assert list(collect()) == []


def test_more_than_a_chunk_comes_in_chunks_and_completely() -> None:
    pids = {os.posix_spawn("/bin/true", ["true"], {}) for _ in range(CHUNK + 50)}
    for pid in pids:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    batches = list(collect())
    assert [len(batch) for batch in batches] == [CHUNK, 50]
    assert {death.pid for batch in batches for death in batch} == pids


def test_the_status_and_what_it_used() -> None:
    pid = child(42)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    [[death]] = list(collect())
    assert (death.pid, death.code, death.signal, death.core) == (pid, 42, None, False)
    assert death.rusage is not None
    assert death.rusage.max_rss > 1 << 20


@pytest.mark.parametrize("code", range(256))
def test_every_exit_code(code: int) -> None:
    death = decode(1, code << 8)
    assert (death.code, death.signal) == (code, None)


@pytest.mark.parametrize("signum", range(1, 65))
def test_every_signal(signum: int) -> None:
    assert decode(1, signum)[1:4] == (None, signum, False)
    assert decode(1, signum | 0x80)[1:4] == (None, signum, True)


def test_start_ticks_tell_processes_apart_whatever_they_are_called() -> None:
    assert start_ticks(os.getpid()) == start_ticks(os.getpid()) != None  # noqa: E711
    assert start_ticks(2**22 + 1) is None


def test_a_name_full_of_parentheses_does_not_confuse() -> None:

    def renamed() -> None:
        with open("/proc/self/comm", "w") as comm:
            comm.write(") S 1 (x")
        signal.pause()

    pid = forked(renamed)
    until(lambda: open(f"/proc/{pid}/comm").read() == ") S 1 (x\n")
    assert (start_ticks(pid) or 0) >= (start_ticks(os.getpid()) or 0)
    os.kill(pid, signal.SIGKILL)
    assert len(collected(1)) == 1
