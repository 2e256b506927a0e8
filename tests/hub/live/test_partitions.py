"""Three hubds on hosts of their own: one is cut off, with agents on its side or alone; blind it does nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.lab import air
from tests.support.boxes import InitdBox
from tests.support.livehubs import Crew, LiveHubs, losses, presences, served
from tests.support.redis import Server
from tests.support.services import absent
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc]
AGENTS, FAR = 6, 3
"""Agents beside the store, and the host of one that is on the other side of a partition."""


class Land(NamedTuple):
    """What stands."""

    air: air.Air
    hubs: LiveHubs
    crew: Crew
    box: InitdBox


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        absent("network namespaces", "run as root where /dev/net/tun is")
    folder = tmp_path_factory.mktemp("land")
    with ExitStack() as stack:
        cables = air.Air(FAR + 1)
        stack.callback(cables.close)
        server = Server(folder / "redis", [f"bind 127.0.0.1 {air.HERE}", "protected-mode no"])
        stack.callback(server.kill)
        url, places = f"redis://{air.HERE}:{server.port}", [air.address(number) for number in range(3)]
        hubs = LiveHubs(folder, url, period=1.0, places=places)
        for number, hub in enumerate(hubs.hubs):
            hub.inside = ("nsenter", f"--net=/run/netns/{air.name(number)}")
        stack.callback(hubs.stop)
        crew = Crew(hubs.start().join(), AGENTS)
        stack.callback(crew.close)
        box = InitdBox(folder / "far", FAR, hubs.join())
        stack.callback(box.destroy)
        box.start()
        yield Land(cables, hubs, crew, box)


@pytest.fixture(autouse=True)
def whole(land: Land) -> None:
    """All hubs act and see all, all agents are live."""
    land.air.part()
    until(lambda: all(land.hubs.states(hub) == land.hubs._whole(hub) for hub in land.hubs.hubs), 60.0, "all act")
    until(lambda: sum(map(served, land.hubs.hubs)) == AGENTS + 1, 60.0, "all are served")
    until(lambda: all(set(presences(hub).values()) == {"live"} for hub in land.hubs.hubs), 60.0)


def test_the_agents_of_a_hub_that_is_cut_off_are_at_home_elsewhere_and_nobody_is_lost(land: Land) -> None:
    first, *others = land.hubs.hubs
    before = len(losses(others[0]))
    land.air.part(0)
    until(lambda: first.log.read_text().count("the lease is not held") > 0, 20.0, "it knows that it is blind")
    until(lambda: set(land.hubs.states(others[0])) == {"hub-1", "hub-2"}, 20.0, "the others go on without it")
    until(lambda: sum(map(served, others)) == AGENTS + 1, 20.0, "its agents, too")
    land.air.part()
    until(lambda: land.hubs.states(first).get("hub-0") == "acting", 40.0, "it comes back")
    assert len(losses(others[0])) == before


def test_a_partition_is_told_by_the_side_of_the_store_only_and_ends_well(land: Land) -> None:
    first, *others = land.hubs.hubs
    before, said = len(losses(others[0])), len(first.log.read_text())
    land.air.part(0, FAR)
    until(lambda: len(losses(others[0])) == before + 1, 25.0, "who is on the other side cannot be heard")
    until(lambda: sum(map(served, others)) == AGENTS, 20.0, "all others are served here")
    assert ": lost" not in first.log.read_text()[said:], "a blind hub takes no action of its own"
    land.air.part()
    until(lambda: all(set(presences(hub).values()) == {"live"} for hub in others), 40.0, "all are back")
    assert len(losses(others[0])) == before + 1, "and nobody else was lost"


def test_who_vanishes_behind_a_cut_is_told_once_and_not_by_a_hub_that_wakes(land: Land) -> None:
    first, other = land.hubs.hubs[:2]
    before = len(losses(other))
    land.air.part(0)
    land.box.vanish()
    until(lambda: len(losses(other)) == before + 1, 25.0, "the side of the store tells")
    land.air.part()
    until(lambda: land.hubs.states(first).get("hub-0") == "acting", 40.0)
    settled = time.monotonic() + 2.0
    until(lambda: time.monotonic() > settled and presences(first) == presences(other), 20.0)
    assert len(losses(other)) == before + 1
    land.box.start()
