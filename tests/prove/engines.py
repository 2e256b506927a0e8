"""All containers of an engine are pictured within two periods, and a hanging engine delays no other's samples.

Some engine of a fleet always hangs.  Measured: the time from the first contact until every container has a row and a
sample, and the largest lateness of any sample (gap between two samples of a container, less the period) while a second
engine hangs.  The claim: the picture within two periods, no sample later than one period.

Quick: the machine's engine and one that accepts connections and never answers.  In full (root, some six minutes): more
containers, and a second host behind TLS whose cable is taken away and put back; it must also be listed again within
ten seconds.  Then a real hub and fifty containers on each of three hosts behind TLS: figures of all are new every five
seconds, at 5 % of a core at most, and those of two hosts stay so while the third is cut off (tests.prove._three_hosts).
With the fault switched on, one thread polls all engines in turn, as simple monitors do.
"""

from __future__ import annotations

import itertools
import math
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from hub.engines.api import Api, Tls
from hub.engines.docker import Engine
from hub.engines.listing import briefs
from hub.engines.reasons import EngineError
from hub.engines.reports import ContainerList, ContainerSample, EngineState
from tests.lab import hosts
from tests.prove import _three_hosts
from tests.support.ear import Ear
from tests.support.engines import DEFAULT, Hosts, RealEngine

PERIOD = 2.0
BACK_SECONDS = 10.0
Post = Callable[[Any], None]


class SerialPoller:
    """The fault: one thread that asks one engine after the other."""

    def __init__(self, engines: list[tuple[str, str, Tls | None]], post: Post) -> None:
        self._engines, self._post, self._stopping = engines, post, threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD / 10):
            for name, url, tls in self._engines:
                try:
                    self._ask(name, Api(url, tls))
                except EngineError:
                    continue

    def _ask(self, name: str, api: Api) -> None:
        api.negotiate()
        listed, _ = briefs(api.get("/containers/json", {"all": "true"}))
        self._post(ContainerList(name, time.time(), tuple(listed)))  # type: ignore[arg-type]
        for brief in listed:
            if brief.state == "running" and not self._stopping.is_set():
                api.get(f"/containers/{brief.id}/stats", {"stream": "false", "one-shot": "true"})
                self._post(ContainerSample(name, brief.id, time.time(), ()))


@contextmanager
def fleet(engines: list[tuple[str, str, Tls | None]], mutate: bool) -> Iterator[Ear]:
    """Our side of all engines, started; what they report."""
    ear = Ear()
    ours = [Engine(name, url, tls, ear.post, sample_period=PERIOD) for name, url, tls in engines]
    started: list[Any] = [SerialPoller(engines, ear.post)] if mutate else [*ours]
    for one in started:
        one.start()
    try:
        yield ear
    finally:
        for one in started:
            one.stop()


@contextmanager
def hung_engine() -> Iterator[str]:
    """The address of an engine that accepts connections and never answers."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/docker.sock")
        listener.listen(128)
        yield f"unix://{folder}/docker.sock"


@contextmanager
def containers(engine: RealEngine, count: int) -> Iterator[set[str]]:
    """So many idle containers on an engine, for a while."""
    try:
        with ThreadPoolExecutor(4) as pool:
            yield set(pool.map(lambda _: engine.run("exec sleep 100000"), range(count)))
    finally:
        engine.clean()


def wait_until(true: Callable[[], bool], seconds: float) -> float:
    """Seconds until it was true; at most `seconds`."""
    begun = time.monotonic()
    while not true() and time.monotonic() - begun < seconds:
        time.sleep(0.02)
    return time.monotonic() - begun


def picture(ear: Ear, wanted: set[str]) -> float:
    """When every wanted container had a row and a sample, monotonic seconds; infinite where one has none."""
    firsts = []
    for one in wanted:
        rows = ear.times(ContainerList, lambda report, one=one: one in {row.id for row in report.containers})
        samples = ear.times(ContainerSample, lambda report, one=one: report.container == one)
        firsts += [min(rows, default=math.inf), min(samples, default=math.inf)]
    return max(firsts)


def pictured(ear: Ear, wanted: set[str]) -> bool:
    """Whether it is complete."""
    return picture(ear, wanted) < math.inf


def lateness(ear: Ear, wanted: set[str], begun: float, ended: float) -> float:
    """Largest lateness of a sample of any of the containers, seconds."""
    worst = 0.0
    for one in wanted:
        times = [at for at in ear.times(ContainerSample, lambda r, one=one: r.container == one) if begun <= at <= ended]
        points = [begun, *times, ended]
        worst = max([worst, *(b - a - PERIOD for a, b in itertools.pairwise(points))])
    return worst


def measure(ear: Ear, wanted: set[str], started: float, seconds: float) -> dict[str, float]:
    """The figures of one fleet that was started then."""
    wait_until(lambda: pictured(ear, wanted), 5 * PERIOD)
    begun = time.monotonic()
    time.sleep(seconds)
    late = lateness(ear, wanted, begun, time.monotonic())
    return {"picture_seconds": round(min(picture(ear, wanted) - started, 999.0), 2), "worst_lateness": round(late, 2)}


def quick_form(mutate: bool) -> dict[str, float]:
    """The machine's engine beside a hung one."""
    with ExitStack() as stack:
        wanted = stack.enter_context(containers(RealEngine(DEFAULT), 8))
        hung = stack.enter_context(hung_engine())
        started = time.monotonic()
        ear = stack.enter_context(fleet([("hung", hung, None), ("own", DEFAULT, None)], mutate))
        return {"containers": len(wanted), **measure(ear, wanted, started, 3 * PERIOD)}


def full_form(mutate: bool) -> dict[str, float]:
    """The machine's engine beside a host that is cut off and mended."""
    with ExitStack() as stack:
        stack.enter_context(_three_hosts.alone())
        far = Hosts(1).engines[1]
        wanted = stack.enter_context(containers(RealEngine(DEFAULT), 50))
        remote = stack.enter_context(containers(far, 10))
        started = time.monotonic()
        ear = stack.enter_context(fleet([("far", far.url, far.tls), ("own", DEFAULT, None)], mutate))
        wait_until(lambda: pictured(ear, remote), 5 * PERIOD)
        hosts.cut(1)
        figures = measure(ear, wanted, started, 10 * PERIOD)
        hosts.mend(1)
        mended = time.monotonic()
        back = wait_until(lambda: any(r.engine == "far" and r.up for r in ear.heard(EngineState, mended)), 60)
        return {"containers": len(wanted), **figures, "back_seconds": round(back, 2)}


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures (seconds), and whether the claim held."""
    figures: dict[str, Any] = (quick_form if quick else full_form)(mutate)
    three = {} if quick or mutate else _three_hosts.figures()
    holds = (
        (not three or _three_hosts.holds(three))
        and figures["picture_seconds"] <= 2 * PERIOD
        and figures["worst_lateness"] <= PERIOD
        and figures.get("back_seconds", 0.0) <= BACK_SECONDS
    )
    return {"period": PERIOD, **figures, **three}, holds
