"""Goodbye and die are told within a second, silence within three periods and half a second; nobody is lost falsely.

Real initd and link in network namespaces, period 2 s, joined to one hub and, beside it, to three hubs on one Redis; in
each namespace a serf agent with its default profile as well, so that all notice the same troubles in the same run:

    kill      SIGKILL to everything in the host, at once          cut       no packet comes or goes any more
    stop      SIGSTOP to everything in the host                   goodbye   SIGTERM to initd (serf: SIGINT)
    die       `docker kill` of a container whose agent falls silent with it (no serf)

Measured: seconds from the trouble until the first hub tells of it on its feed (`everywhere`: until the last one does).
Then 10 minutes in which each packet is lost with 5 % and late by 0 to 400 ms (200 ms of jitter; by a process between
TUN devices, tests.lab.air, as no kernel module is needed for that), and 10 minutes in which every 10 s a hub, each of
the three in turn, is stopped for 2 s; at the end the single hub for 20 s: nobody may be reported lost.

In full about 27 minutes, as root.  Quick: one hub, period 0.5 s, no serf, 2 s of air with a quarter of the jitter, one
stop of the hub for 1 s.  The fault to switch on is a hub that waits for twice as long.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.lab import air
from tests.support.boxes import Ear, InitdBox, Serf, has_serf, within
from tests.support.engines import DEFAULT, RealEngine
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.livehubs import LiveHubs, losses
from tests.support.redis import Server
from wire.client import WireError
from wire.keys import JoinString

TOLD_SECONDS, MORE_SECONDS = 1.0, 0.5
LOSS, JITTER = 0.05, 0.2
STOPPED, EVERY = 2.0, 10.0
KINDS = ("goodbye", "kill", "stop", "cut")
SERF_SECONDS = 60.0
"""Longest wait for serf."""


class Size(NamedTuple):
    """How large a run is."""

    period: float
    hosts: int
    rounds: int
    """Of every trouble, each at two hosts; 0: each once, all at the same time."""
    minutes: float
    """Of bad air, and of stopped hubs."""
    full: bool


FULL, QUICK = Size(2.0, 8, 3, 10.0, True), Size(0.5, 4, 0, 0.03, False)


class Site:
    """A fleet: its hubs, an ear at each, and a box on every host."""

    def __init__(self, stack: ExitStack, folder: Path, hubs: Sequence[LiveHub], join: str, hosts: int) -> None:
        self.name, self.hubs = folder.name, hubs
        self.join = join
        self.ears = [Ear(hub.client.key) for hub in hubs]
        self.boxes = [InitdBox(folder / f"{self.name}-{host}", host, join) for host in range(hosts)]
        for one in (*self.boxes, *self.ears):
            stack.callback(getattr(one, "destroy", None) or one.close)  # type: ignore[union-attr]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(InitdBox.start, self.boxes))

    def whole(self) -> bool:
        """Whether the hubs hear every box."""
        try:
            rows = self.hubs[0].client.query("agents")
        except WireError:
            return False
        return {row["name"] for row in rows if row["presence"] == "live"} >= {box.name for box in self.boxes}

    def noticed(self, host: str, what: str, after: float) -> list[float]:
        """Seconds until each hub told it; those that did."""
        times = [ear.first(host, what, after) for ear in self.ears]
        return [at - after for at in times if at is not None]

    def lost(self) -> int:
        """Losses that were ever reported."""
        return len(losses(self.hubs[0]))


class Scene:
    """The network, the fleets and serf."""

    def __init__(self, stack: ExitStack, folder: Path, size: Size, period: float) -> None:
        self.size, self.stack, self.folder, self.period = size, stack, folder, period
        self.air = air.Air(size.hosts)
        stack.callback(self.air.close)
        self.sites = [self._single()]
        self.serfs: list[Serf] = []
        self.observer: Serf | None = None
        if size.full:
            self.sites.append(self._several())
        if size.full and has_serf():
            self.observer = self._serf(None)
            self.serfs = [self._serf(host) for host in range(size.hosts)]

    def _engine(self) -> str:
        return f"[engine:own]\nurl = {DEFAULT}\n" if self.size.full else ""

    def _single(self) -> Site:
        home = self.folder / "one"
        home.mkdir()
        hub = LiveHub(home, self.period, self._engine(), place=air.HERE)
        self.stack.callback(hub.stop)
        join = hub.start().join().format()
        return Site(self.stack, home, [hub], join, self.size.hosts)

    def _several(self) -> Site:
        home = self.folder / "three"
        home.mkdir()
        server = Server(home / "redis")
        self.stack.callback(server.kill)
        url = f"redis://127.0.0.1:{server.port}"
        hubs = LiveHubs(home, url, period=self.period, more=self._engine(), places=[air.HERE] * 3)
        self.stack.callback(hubs.stop)
        hubs.start()
        return Site(self.stack, home, hubs.hubs, hubs.join(), self.size.hosts)

    def _serf(self, host: int | None) -> Serf:
        serf = Serf(host, self.folder)
        self.stack.callback(serf.end)
        return serf

    def settle(self) -> None:
        """Until all hear all."""
        for site in self.sites:
            assert within(site.whole, 120.0), f"not all are live at {site.name}"
        if self.observer is not None:
            within(lambda: self._serf_whole(), 90.0)

    def _serf_whole(self) -> bool:
        assert self.observer is not None
        last = {host: what for _, host, what in list(self.observer.seen)}
        return all(last.get(f"box-{serf.host}") == "live" for serf in self.serfs)

    # -- troubles ----------------------------------------------------------------------------------------------------

    def strike(self, kind: str, host: int) -> float:
        """It befalls a host; when it did."""
        boxes, serfs = [site.boxes[host] for site in self.sites], self.serfs[host : host + 1]
        at = time.monotonic()
        if kind == "cut":
            self.air.cut(host)
        for box in boxes:
            if kind == "kill":
                box.vanish()
            elif kind != "cut":
                box.signal(signal.SIGSTOP) if kind == "stop" else os.kill(box.process.pid, signal.SIGTERM)  # type: ignore[union-attr]
        for serf in serfs:
            if kind == "stop":
                serf.process.send_signal(signal.SIGSTOP)
            elif kind != "cut":
                serf.end(signal.SIGKILL if kind == "kill" else signal.SIGINT)
        return at

    def heal(self, kind: str, host: int) -> None:
        """It is over."""
        if kind == "cut":
            self.air.mend(host)
        for one in (*(site.boxes[host] for site in self.sites), *self.serfs[host : host + 1]):
            if kind == "stop":
                one.signal(signal.SIGCONT) if isinstance(one, InitdBox) else one.process.send_signal(signal.SIGCONT)
            elif kind != "cut":
                isinstance(one, InitdBox) and one.process and one.process.wait(30)
                one.start()

    def troubles(self, pairs: Sequence[tuple[str, int]]) -> dict[str, list[float]]:
        """Seconds until they were noticed, by who noticed; `pairs` of a kind and a host."""
        found, struck = dict[str, list[float]](), list[tuple[str, int, float]]()
        for kind, host in pairs:
            time.sleep(random.random() * self.period)
            struck.append((kind, host, self.strike(kind, host)))
        for kind, host, at in struck:
            what = "gone" if kind == "goodbye" else "lost"
            for site in self.sites:
                name, wanted = site.boxes[host].name, len(site.ears)
                within(lambda s=site, n=name, w=what, a=at, c=wanted: len(s.noticed(n, w, a)) == c, 20.0)  # type: ignore[misc]
                times = site.noticed(name, what, at)
                found.setdefault(f"{site.name}.{kind}", []).append(min(times, default=999.0))
                whole = max(times) if len(times) == wanted else 999.0
                found.setdefault(f"{site.name}.{kind}_everywhere", []).append(whole)
            if self.observer is not None:
                found.setdefault(f"serf.{kind}", []).append(self._by_serf(host, what, at))
        for kind, host in pairs:
            self.heal(kind, host)
        self.settle()
        return found

    def _by_serf(self, host: int, what: str, at: float) -> float:
        assert self.observer is not None
        seen: Callable[[], float | None] = lambda: self.observer.first(f"box-{host}", what, at)  # type: ignore[union-attr]  # noqa: E731
        within(lambda: seen() is not None, SERF_SECONDS)
        return (seen() or at + 999.0) - at

    def die(self) -> dict[str, list[float]]:
        """A container is killed, and its agent with it."""
        engine, found = RealEngine(DEFAULT), dict[str, list[float]]()
        self.stack.callback(engine.clean)
        for number, site in enumerate(self.sites * 3):
            container = engine.run("exec sleep 100000")
            agent = LiveAgent(JoinString.parse(site.join), f"{site.name}-die-{number}")
            begun = engine.api.inspect_container(container)["State"]["StartedAt"][:26]
            claim = {"container": container, "container_source": "mountinfo"}
            started = datetime.fromisoformat(begun + "+00:00").timestamp()
            agent.register = partial(agent.register, started_at=started, **claim)  # type: ignore[method-assign]
            agent.enrol()
            agent.register()
            agent.live(self.period)
            within(lambda s=site, a=agent.id: self._is_verified(s, a), 30.0)  # type: ignore[misc]
            at = time.monotonic()
            agent.stopping.set()
            engine.api.kill(container)
            within(lambda s=site, n=agent.id, a=at: bool(s.noticed(n, "gone", a)), 20.0)  # type: ignore[misc]
            found.setdefault(f"{site.name}.die", []).append(min(site.noticed(agent.id, "gone", at), default=999.0))
            agent.close()
        return found

    def _is_verified(self, site: Site, agent: str) -> bool:
        """Whether the hub that asks the engine knows whose agent it is."""
        rows = [row for hub in site.hubs for row in hub.client.query("agents") if row["agent"] == agent]
        return any(row["verified"] for row in rows)

    # -- bad times ---------------------------------------------------------------------------------------------------

    def bad_air(self) -> dict[str, list[float]]:
        """Loss and jitter for a while; how many were lost falsely."""
        before, begun = [site.lost() for site in self.sites], time.monotonic()
        self.air.weather(LOSS, JITTER * self.size.period / FULL.period)
        time.sleep(60.0 * self.size.minutes)
        self.air.weather(0.0, 0.0)
        return self._falsely("bad_air", before, begun)

    def stops(self) -> dict[str, list[float]]:
        """A hub is stopped now and then."""
        before, begun = [site.lost() for site in self.sites], time.monotonic()
        turn = 0
        while not turn or (self.size.full and time.monotonic() < begun + 60.0 * self.size.minutes):
            time.sleep(EVERY - STOPPED if self.size.full else 0.2)
            hubs = [site.hubs[turn % len(site.hubs)] for site in self.sites]
            self._pause(hubs, STOPPED if self.size.full else STOPPED / 2)
            turn += 1
        if self.size.full:
            self._pause(self.sites[0].hubs, 20.0)
        time.sleep(4 * self.period)
        return self._falsely("stopped_hub", before, 0.0)

    def _pause(self, hubs: Sequence[LiveHub], seconds: float) -> None:
        for hub in hubs:
            hub.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]
        time.sleep(seconds)
        for hub in hubs:
            hub.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]

    def _falsely(self, when: str, before: list[int], begun: float) -> dict[str, list[float]]:
        self.settle()
        lost = [site.lost() - count for site, count in zip(self.sites, before, strict=True)]
        found = {f"{site.name}.lost_in_{when}": [float(count)] for site, count in zip(self.sites, lost, strict=True)}
        if self.observer is not None and begun:
            found[f"serf.lost_in_{when}"] = [float(self.observer.count("lost", begun))]
        return found


def limit(figure: str, period: float) -> float | None:
    """The most that this may be; None where it only stands beside."""
    site, _, what = figure.partition(".")
    if site == "serf" or what == "goodbye_everywhere":
        return None
    if what.startswith("lost"):
        return 0.0
    return TOLD_SECONDS if what in ("goodbye", "die") else 3 * period + MORE_SECONDS


def run(size: Size, mutate: bool) -> dict[str, list[float]]:
    """Every figure of every trouble."""
    found: dict[str, list[float]] = {}

    def keep(more: dict[str, list[float]]) -> None:
        for figure, values in more.items():
            found.setdefault(figure, []).extend(values)
        if size.full:
            print(*(f"{figure}: {[round(one, 2) for one in values]}" for figure, values in more.items()), sep="\n",
                  file=sys.stderr, flush=True)  # fmt: skip

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="detect-")))
        scene = Scene(stack, folder, size, size.period * (2 if mutate else 1))
        scene.settle()
        for number in range(size.rounds):
            for turn, kind in enumerate(KINDS):
                first = 2 * (turn + number)
                keep(scene.troubles([(kind, host % size.hosts) for host in (first, first + 1)]))
        if not size.rounds:
            keep(scene.troubles([(kind, host) for host, kind in enumerate(KINDS)]))
        if size.full:
            keep(scene.die())
        keep(scene.bad_air())
        keep(scene.stops())
    return found


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """The worst of each figure beside its limit, and whether all hold."""
    size = QUICK if quick else FULL
    told: dict[str, object] = {"period": size.period, "hosts": size.hosts}
    good = True
    for figure, values in run(size, mutate).items():
        worst, most = max(values), limit(figure, size.period)
        good = good and (most is None or worst <= most)
        middle = sorted(values)[len(values) // 2]
        verdict = "" if most is None else f" <= {most:<4g} {'holds' if worst <= most else 'DOES NOT HOLD'}"
        told[figure] = f"{worst:<6.2f}{verdict or ' (beside it)'}  median {middle:.2f} of {len(values)}"
    return told, good
