from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from initd import kernel, reaper
from initd.kernel import Kernel
from initd.spawn import Order

SLEEP = Order(("/bin/sleep", "1000"), {}, 0, 1, 2)


@pytest.fixture
def real() -> Iterator[Kernel]:
    """A kernel whose children are killed in the end."""
    made, spawned = Kernel(), list[int]()
    spawn = made.spawn
    made.spawn = lambda order: spawned.append(spawn(order)) or spawned[-1]  # type: ignore[method-assign,func-returns-value]
    yield made
    for pid in spawned:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_start_ticks_without_asking_are_those_that_the_kernel_tells(real: Kernel) -> None:
    pids = [real.spawn(SLEEP) for _ in range(60)]
    unread = sum(pid in real._births for pid in pids)
    assert [real.start_ticks(pid) for pid in pids] == [reaper.start_ticks(pid) for pid in pids]
    assert unread > 0 and real._births == {}


def test_a_clock_that_is_not_the_kernels_is_found_out_at_once(real: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "boot_ticks", lambda: 5)
    first, second = real.spawn(SLEEP), real.spawn(SLEEP)
    assert real._births == {first: 5, second: 5}
    assert [real.start_ticks(pid) for pid in (first, second)] == [reaper.start_ticks(pid) for pid in (first, second)]


def test_a_tick_that_passed_meanwhile_is_no_answer(real: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((7, 8))
    monkeypatch.setattr(kernel, "boot_ticks", lambda: next(ticks))
    pid = real.spawn(SLEEP)
    assert real._births == {} and real.start_ticks(pid) == reaper.start_ticks(pid)
