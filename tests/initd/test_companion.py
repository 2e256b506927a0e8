"""The link's lives, in virtual time."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from initd.backoff import LINK_CAP, LINK_FIRST, LINK_STEADY, link_wait
from initd.companion import Companion
from initd.errors import StartFailed
from tests.sim.machine import ME, Simulated


@pytest.fixture
def ends() -> Iterator[list[socket.socket]]:
    found: list[socket.socket] = []
    yield found
    for end in found:
        end.close()


@pytest.fixture
def sim() -> Simulated:
    return Simulated()


@pytest.fixture
def link(sim: Simulated, ends: list[socket.socket]) -> Companion:
    return Companion(sim.supervisor, ["link"], {"PIDONE_JOIN": "secret"}, ends.append)


def die(sim: Simulated, link: Companion) -> None:
    assert link.pid is not None
    sim.kernel.die(link.pid, code=1)


def test_it_gets_its_end_as_descriptor_3_and_its_own_environment(
    sim: Simulated, link: Companion, ends: list[socket.socket]
) -> None:
    link.start()
    order = sim.kernel.spawned[0].order
    assert order is not None
    assert order.extra is not None
    assert order.environ == {"PIDONE_JOIN": "secret"}
    assert len(ends) == 1


def test_short_lives_wait_longer_each_time(sim: Simulated, link: Companion) -> None:
    link.start()
    waits = []
    for _ in range(4):
        died = sim.loop.now()
        die(sim, link)
        while link.pid is None:
            sim.run(0.125)
        waits.append(sim.loop.now() - died)
    assert waits == [0.25, 0.5, 1.0, 2.0]


def test_a_long_life_starts_the_waits_anew(sim: Simulated, link: Companion) -> None:
    link.start()
    for _ in range(5):
        die(sim, link)
        sim.run(LINK_CAP)
    sim.run(LINK_STEADY)
    die(sim, link)
    sim.run(LINK_FIRST)
    assert link.pid is not None


def test_failing_to_start_is_tried_again(sim: Simulated, link: Companion, ends: list[socket.socket]) -> None:
    sim.kernel.failures = [StartFailed("fork", errno.EAGAIN)]
    link.start()
    assert (link.pid, ends) == (None, [])
    sim.run(LINK_FIRST)
    assert link.pid is not None


def test_a_death_is_no_orphan_and_no_programs_business(sim: Simulated, link: Companion) -> None:
    link.start()
    die(sim, link)
    assert sim.supervisor.orphans == 0
    assert sim.exits() == []


def test_it_is_not_started_again_during_a_shutdown(sim: Simulated, link: Companion) -> None:
    link.start()
    sim.supervisor.shutdown(ME)
    sim.run(60)
    assert sim.loop.code == 0
    assert len(sim.kernel.spawned) == 1


def test_the_waits_are_bounded() -> None:
    assert max(link_wait(deaths) for deaths in range(1, 10_000)) == LINK_CAP


def test_one_that_is_stopped_stays_away(sim: Simulated, link: Companion) -> None:
    link.start()
    pid = link.pid
    link.stop()
    assert pid is not None
    sim.kernel.die(pid, signal=9)
    sim.run(LINK_CAP)
    assert link.pid is None
