"""Fifty containers on each of three engines behind TLS, and a real hub: how fresh its figures are, and what it costs.

Nothing is asked of the hub while its processor time is counted; what it had then is read from its history afterwards.
Then one engine's cable is taken away, and the same is looked at for the two others.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.lab import hosts
from tests.support.engines import Hosts, RealEngine
from tests.support.livehub import LiveHub
from tests.support.procfs import descendants
from tests.support.waiting import until

HOSTS, EACH = 3, 50
PERIOD, SLACK = 5.0, 1.0
"""Seconds between two samples, and how much more may lie between two: the engine measures once a second."""
WINDOW, SETTLE = 60.0, 15.0
CPU = 0.05
"""Most of one core."""


@contextmanager
def alone() -> Iterator[None]:
    """One test run at a time has hosts of its own (tests.support.engines)."""
    with open("/tmp/pidone-test-engines.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            hosts.down()


def fill(engine: RealEngine, count: int) -> set[str]:
    """So many idle containers on an engine."""
    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(lambda _: engine.run("exec sleep 100000", network_mode="none"), range(count)))


def configuration() -> str:
    """The hub's sections of all engines."""
    tls = Hosts.tls
    return "".join(
        f"[engine:h{host}]\nurl = {hosts.url(host)}\ntls_ca = {tls.ca}\ntls_cert = {tls.cert}\ntls_key = {tls.key}\n"
        for host in range(1, HOSTS + 1)
    )


def processor(hub: LiveHub) -> float:
    """Processor time of the hub and its enrolment process so far, seconds."""
    assert hub.process is not None
    pid = hub.process.pid
    children = descendants(pid)
    return sum(_time(one) for one in (pid, *children))


def _time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def worst_gap(hub: LiveHub, ids: set[str], begun: float, ended: float) -> float:
    """The longest time in between in which a container had no new sample, of all containers; wall seconds."""
    worst = 0.0
    for one in ids:
        found = hub.client.history(one, begun - 2 * PERIOD, ended, container=True)
        times = [at for at in found["times"] if at <= ended]
        points = [
            max([at for at in times if at <= begun], default=begun - 2 * PERIOD),
            *(t for t in times if t > begun),
        ]
        worst = max([worst, *(b - a for a, b in itertools.pairwise([*points, ended]))])
    return worst


def look(hub: LiveHub, ids: set[str]) -> dict[str, float]:
    """Lets the hub be for a while: its share of a core, and how old a figure ever was."""
    begun, used = time.time(), processor(hub)
    time.sleep(WINDOW)
    ended, used = time.time(), processor(hub) - used
    return {"cpu": round(used / (ended - begun), 4), "gap": round(worst_gap(hub, ids, begun, ended), 2)}


def figures() -> dict[str, Any]:
    """What was measured."""
    with ExitStack() as stack:
        stack.enter_context(alone())
        engines = Hosts(HOSTS).engines
        filled = {host: fill(engine, EACH) for host, engine in engines.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hub = LiveHub(folder, 2.0, configuration(), PERIOD)
        stack.callback(hub.stop)
        hub.start()
        every = set().union(*filled.values())
        until(lambda: shown(hub) >= every, 60.0, "all are shown")
        time.sleep(SETTLE)
        calm = look(hub, every)
        hosts.cut(HOSTS)
        time.sleep(SETTLE)
        cut = look(hub, every - filled[HOSTS])
        hosts.mend(HOSTS)
    return {
        "tls_containers": len(every), "hub_cpu": calm["cpu"], "oldest_figure_seconds": calm["gap"],
        "hub_cpu_one_cut_off": cut["cpu"], "oldest_figure_of_the_others_seconds": cut["gap"],
    }  # fmt: skip


def shown(hub: LiveHub) -> set[str]:
    """Containers that have figures."""
    return {row["id"] for row in hub.client.containers() if row["cpu"] is not None or row["memory"] is not None}


def holds(found: dict[str, Any]) -> bool:
    """Whether the limits are kept."""
    ages = (found["oldest_figure_seconds"], found["oldest_figure_of_the_others_seconds"])
    return max(found["hub_cpu"], found["hub_cpu_one_cut_off"]) <= CPU and max(ages) <= PERIOD + SLACK
