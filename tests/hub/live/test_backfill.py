"""An agent that was cut off from all hubs and comes back to another one: what went on meanwhile has no hole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs, served
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.proc]
PROGRAMS = """
[program:web]
command=sleep 1000
[program:brief]
command=sleep 1000
autostart=false
startsecs=0
"""
CUT = 6.0
"""Seconds without any hub; a sample is taken each second."""

HUBS = 2


@pytest.fixture
def box(hubs: LiveHubs, tmp_path: Path) -> Iterator[LiveInitd]:
    with ExitStack() as stack:
        box = LiveInitd(tmp_path / "shop", PROGRAMS, PIDONE_JOIN=hubs.join())
        stack.callback(box.destroy)
        yield box.start()


def history(hub: LiveHub, program: str, start: float, end: float) -> dict[str, Any]:
    return hub.client.history(f"shop/{program}", start=start, end=end)


def sampled(hub: LiveHub, program: str, start: float, end: float) -> bool:
    """Whether each second and a half of this time has a figure, and the figure is known."""
    found = history(hub, program, start, end)
    times = [at for at, rss in zip(found["times"], found["columns"]["rss"], strict=True) if rss]
    marks = [start, *times, end]
    return all(later - earlier < 2.5 for earlier, later in pairwise(marks))


def test_what_ran_only_while_no_hub_was_there_is_told_to_another(hubs: LiveHubs, box: LiveInitd) -> None:
    home = until(lambda: next((hub for hub in hubs.hubs if served(hub)), None), 30.0, "the agent is served")
    [other] = [hub for hub in hubs.hubs if hub is not home]
    until(lambda: history(home, "web", 0.0, time.time())["times"], 30.0, "samples come")
    for hub in hubs.hubs:
        hub.kill()
    cut = time.time()
    box.verb("start", "brief")
    box.verb("restart", "web")
    until(lambda: time.time() > cut + CUT, CUT + 20)
    box.verb("stop", "brief")
    stopped = time.time()
    other.start()
    until(lambda: served(other), 40.0, "it comes back to another hub")
    until(lambda: sampled(other, "brief", cut + 1.5, stopped - 0.5), 60.0, "the process that has ended since, too")
    until(lambda: sampled(other, "web", cut + 1.5, stopped), 60.0, "and the one that was started again")
    assert other.client.query("exits", target="shop/brief"), "its exit is a fact"
    rows = {row["process"]: row["state"] for row in other.client.ps()}
    assert rows == {"web": "RUNNING", "brief": "STOPPED"}, "nothing of the past is shown as the present"
