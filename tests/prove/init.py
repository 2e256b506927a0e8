"""The installed initd starts, restarts, reaps, stops, relays and answers nearly as fast as the least init in Python.

Each init is PID 1 of a namespace of its own; they take turns, and each figure of initd is divided by that of floor-py
(bench/init_floor.py) of the same round: the median ratio counts.  What is measured is what pip installs, in a fresh
prefix, not the source tree; and in full the bundle beside it.  s6, runit, supervisord, circus and a floor in C stand
beside them for comparison where they are installed (script/prepare peers); they decide nothing.

Quick: small sizes, two rounds, and of the ratios only that none is absurd, since other work shares the machine; that an
idle initd does not wake, that no line is lost, no orphan left and no program killed untold holds there, too.
With the fault switched on, initd looks around ten times a second (tests.support.restless), as many supervisors do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.init_answers import answers, bare_interpreter
from bench.init_measures import SETTLED, Bench, Figures, Size
from bench.init_memory import full_rings
from bench.init_peers import S6, Circus, FloorC, FloorPy, Initd, InitdRpc, Peer, Runit, Supervisord
from bench.init_relay import Relayed, through_cat, through_init
from bench.init_space import GaveUp, compile_probe, until
from tests.support import restless
from tests.support.livehub import LiveHub
from wire.client import WireError
from wire.limits import FACTS

ROOT = Path(__file__).parents[2]


class Limit(NamedTuple):
    """What a figure may be at most, or at least; `quick` where the machine may be busy, None: not looked at."""

    name: str
    most: float
    quick: float | None = None
    at_least: bool = False

    def holds(self, value: float, is_quick: bool) -> bool:
        """Whether it is so."""
        bound = self.quick if is_quick else self.most
        return bound is None or (value >= bound if self.at_least else value <= bound)


LIMITS = (
    Limit("first program, x floor-py", 1.3, 15),
    Limit("50 programs, x floor-py", 1.2, 15),
    Limit("200 programs, x floor-py", 1.2, 15),
    Limit("restart after kill -9, x floor-py", 1.3, 30),
    Limit("orphans reaped, x floor-py", 1.2, 15),
    Limit("orphans left", 0, 0),
    Limit("stop of 200 programs, x floor-py", 1.5, 30),
    Limit("programs killed untold", 0, 0),
    Limit("idle: wakings a second", 0, 0),
    Limit("idle: CPU, ms a second", 0, 0.05),
    Limit("idle: PSS, MiB", 10, 40),
    Limit("PID 1 + link with full rings, MiB", 24, 60),
    Limit("relay, x cat", 0.9, 0.05, at_least=True),
    Limit("relay with prefix, MB/s", 150, 5, at_least=True),
    Limit("relay as JSON, MB/s", 150, 5, at_least=True),
    Limit("lines lost or broken", 0, 0),
    Limit("API: restart, ms", 4, 200),
    Limit("API: status of 200 programs, ms", 3, 200),
    Limit("initd status, x python3 -IS -c pass", 2.5, 30),
)


class Work(NamedTuple):
    """How much of everything."""

    rounds: int
    many: tuple[int, ...]
    orphans: int
    idle: float
    lines: int


FULL = Work(rounds=7, many=(50, 200), orphans=2000, idle=10.0, lines=2_000_000)
QUICK = Work(rounds=2, many=(50,), orphans=300, idle=1.5, lines=100_000)


class Contest:
    """initd beside its floor, and the others beside both."""

    def __init__(self, initd: Peer, probe: Path, work: Work) -> None:
        self.initd, self.floor, self.probe, self.work = initd, FloorPy(), probe, work
        self.figures: dict[str, float] = {}

    def ratio(
        self, name: str, figure: str, scenario: Callable[[Peer], Figures], also: dict[str, str] | None = None
    ) -> None:
        """Measure both in turn in each round; the median of the rounds' ratios becomes the figure."""
        found: list[tuple[Figures, Figures]] = []
        for number in range(self.work.rounds):
            turn = (self.initd, self.floor) if number % 2 else (self.floor, self.initd)
            both = {peer.name: scenario(peer) for peer in turn}
            found.append((both[self.initd.name], both[self.floor.name]))
        for figure_name, key in {name: figure, **(also or {})}.items():
            self.figures[figure_name] = median(ours[key] / least[key] for ours, least in found)
            self.figures[figure_name.partition(",")[0] + ", ms"] = median(ours[key] for ours, _ in found) * 1e3

    def start_and_stop(self) -> None:
        """One program, then many at once."""
        self.ratio("first program, x floor-py", "start_one", Bench(self.probe, Size()).start_one)
        for many in self.work.many:
            bench = Bench(self.probe, Size(many=many))
            name = f"{many} programs, x floor-py"
            self.ratio(name, "start_many", bench.start_many, {f"stop of {name}": "stop_many"})

    def rest(self) -> None:
        """Fifty programs, idle; then killed one by one."""
        bench = Bench(self.probe, Size(some=50, idle=self.work.idle))
        found = [(bench.at_rest(self.initd), bench.at_rest(self.floor)) for _ in range(max(1, self.work.rounds // 3))]
        ratios = [ours["restart"] / least["restart"] for ours, least in found]
        worst = {key: max(ours[key] for ours, _ in found) for key in found[0][0]}
        self.figures["restart after kill -9, x floor-py"] = median(ratios)
        self.figures["restart after kill -9, ms"] = median(ours["restart"] for ours, _ in found) * 1e3
        self.figures["programs killed untold"] = worst["untold"]
        self.figures["idle: wakings a second"] = worst["wakings"]
        self.figures["idle: CPU, ms a second"] = worst["cpu"] * 1e3
        self.figures["idle: PSS, MiB"] = worst["pss"] / 2**20
        self.figures["idle: PSS with the XML-RPC server, MiB"] = self._with_server() / 2**20

    def _with_server(self) -> float:
        with Bench(self.probe, Size()).space(InitdRpc(self.initd.path()), 50) as space:
            space.wait("S", 50)
            space.settle(SETTLED)
            return space.memory().pss

    def full(self) -> None:
        """Joined to a hub; in full also after so many events that PID 1 keeps no more."""
        self._full("PID 1 + link with full rings", 0)
        if self.work is FULL:
            self._full("PID 1 + link with a full journal, too", FACTS)

    def _full(self, name: str, facts: int) -> None:
        hub = LiveHub(Path(tempfile.mkdtemp(prefix="hub-", dir=self.probe.parent)))
        try:
            client = hub.start().client
            joined = partial(until, lambda: bool(client.query("agents", all=True)), "the hub knows nobody")
            both = full_rings(self.initd, self.probe, hub.join().format(), joined, facts)
        finally:
            hub.stop()
        self.figures[f"{name}, MiB"] = sum(both) / 2**20
        self.figures[f"{name}: link, MiB"] = both.link / 2**20

    def orphans(self) -> None:
        """Many die at once; that all are gone is what ends the measurement."""
        self.ratio("orphans reaped, x floor-py", "reap", Bench(self.probe, Size(orphans=self.work.orphans)).reap)
        self.figures["orphans left"] = 0

    def relays(self) -> None:
        """The container's log."""
        forms = {"relay": "", "relay with prefix": "log_prefix=true\n", "relay as JSON": "log_format=json\n"}
        found: dict[str, list[Relayed]] = {}
        for _ in range(max(1, self.work.rounds // 2)):
            found.setdefault("cat", []).append(through_cat(self.probe, self.work.lines))
            for form, options in forms.items():
                found.setdefault(form, []).append(through_init(self.initd, self.probe, self.work.lines, options))
        pairs = zip(found["relay"], found["cat"], strict=True)
        self.figures["relay, x cat"] = median(ours.rate / cat.rate for ours, cat in pairs)
        for form, all_of in found.items():
            self.figures[f"{form}, MB/s"] = median(one.rate for one in all_of) / 1e6
        self.figures["lines lost or broken"] = sum(one.lost + one.broken for all_of in found.values() for one in all_of)

    def answers(self) -> None:
        """Those who ask."""
        many = self.work.many[-1]
        with Bench(self.probe, Size()).space(self.initd, many) as space:
            space.wait("S", many)
            space.settle(SETTLED)
            found = answers(space, self.initd.path() or "", many)
        self.figures["API: restart, ms"] = found["api_restart"] * 1e3
        self.figures[f"API: status of {many} programs, ms"] = found["api_status"] * 1e3
        self.figures["initd status, x python3 -IS -c pass"] = found["command_status"] / bare_interpreter()

    def others(self, peers: list[Peer]) -> None:
        """One round of each peer that is here; figures only."""
        for peer in (peer for peer in peers if peer.path()):
            for bench in (Bench(self.probe, Size(many=many)) for many in self.work.many):
                self.beside(peer, f"{peer.name}: {bench.size.many} programs", "start_many", bench.start_many)
            bench = Bench(self.probe, Size(some=50, idle=self.work.idle, orphans=self.work.orphans))
            self.beside(peer, f"{peer.name}: restart after kill -9", "restart", bench.at_rest)
            self.beside(peer, f"{peer.name}: orphans reaped", "reap", bench.reap)

    def beside(self, peer: Peer, name: str, figure: str, scenario: Callable[[Peer], Figures]) -> None:
        """One figure of a peer, in ms; -1 where it gave up."""
        try:
            self.figures[f"{name}, ms"] = scenario(peer)[figure] * 1e3
        except (GaveUp, OSError):
            self.figures[f"{name}, ms"] = -1


def installed(directory: Path) -> Initd:
    """initd as pip installs this tree, in a fresh prefix, under floor-py's interpreter.  Raises CalledProcessError."""
    copy, prefix = directory / "tree", directory / "prefix"
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listing.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-script-location"]
    pip.append("--ignore-installed")  # else pip uninstalls the copy that the tests themselves run from
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--prefix", str(prefix), str(copy)]
    subprocess.run([*pip, *alone], check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
    [site] = prefix.glob("lib/python3*/site-packages")
    for name in ("zmq", "pyzmq.libs", "msgpack"):  # what the extra `link` would have brought, from where it is
        found = [Path(path, name) for path in sys.path if Path(path, name).is_dir()]
        shutil.copytree(found[0], site / name)
    return Initd(str(prefix / "bin" / "initd"))


def bundled(target: Path, *options: str) -> Initd:
    """initd as an image has it, with an interpreter of its own.  Raises CalledProcessError."""
    command = [sys.executable, str(ROOT / "images" / "bundle"), "initd", str(target), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Initd(str(target / "initd"))


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether all limits hold; a figure beyond its limit is marked."""
    work = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="init-") as name:
        directory = Path(name)
        probe = compile_probe(directory)
        contest = Contest(Initd(str(restless.launcher(directory))) if mutate else installed(directory), probe, work)
        parts: list[Callable[[], None]] = [
            contest.rest, contest.full, contest.start_and_stop, contest.orphans, contest.relays, contest.answers,
        ]  # fmt: skip
        if mutate:
            parts = [contest.rest]  # where the fault shows
        elif not quick:
            parts.append(lambda: contest.figures.update(of_the_bundle(directory, probe, work)))
            parts.append(lambda: contest.others([FloorC(directory), S6(), Runit(), Supervisord(), Circus()]))
        troubles = [trouble for part in parts if (trouble := attempted(part))]
    shown, holds = verdict(contest.figures, quick)
    return {**shown, **{f"trouble {number}": text for number, text in enumerate(troubles, 1)}}, holds and not troubles


def attempted(part: Callable[[], None]) -> str:
    """What kept a part from being measured; the others are measured all the same."""
    try:
        part()
    except (GaveUp, OSError, AssertionError, WireError, subprocess.CalledProcessError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def of_the_bundle(directory: Path, probe: Path, work: Work) -> dict[str, float]:
    """How the bundle differs: another launcher, and an interpreter whose pages nobody else has."""
    contest = Contest(bundled(directory / "lean", "--without-link"), probe, work)
    contest.start_and_stop()
    contest.rest()
    contest.initd = bundled(directory / "bundle")
    contest.full()
    shown = ("first", "idle: PSS, MiB", "PID 1", *(f"{many} programs" for many in work.many))
    return {f"bundle: {name}": value for name, value in contest.figures.items() if name.startswith(shown)}


def verdict(found: dict[str, float], quick: bool) -> tuple[dict[str, object], bool]:
    """The figures as shown, each beside its limit, and whether all hold."""
    limits = {limit.name: limit for limit in LIMITS}
    shown: dict[str, object] = {} if quick else {name: "NOT MEASURED" for name in limits if name not in found}
    holding = not shown
    for name, value in found.items():
        limit = limits.get(name)
        holds = limit is None or limit.holds(value, quick)
        holding = holding and holds
        bound = "" if limit is None else f" (at {'least' if limit.at_least else 'most'} {limit.most:g})"
        shown[name] = f"{value:.3g}{bound}{'' if holds else ' BEYOND'}"
    return shown, holding
