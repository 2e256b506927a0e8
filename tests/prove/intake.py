"""A hub takes 0.5 M process-samples of 12 columns in a second of CPU, 0.3 M to Redis; an hour of one is read in 5 ms.

Real CURVE from agents that only measure (link's own sockets and packing) to a real hubd: validation, rings, journals,
sealed windows and the first tier, all of it; an hour of time comes as fast as it is taken (tests.support.fasthub).
Counted is the CPU of hubd's process with all its threads but the one that tells these figures, not time: a shared
machine does not decide.  What a message costs is shared by its processes, so the limits stand for containers of 50;
what those of 10 reach is told beside it.  AGENTS are many, because time runs a thousand times faster here: what a hub
does every two or ten seconds, whoever sends, is done for few samples here and for a hundred times as many elsewhere.
The alert rules are off, they go by real time.  The fault to switch on: a hub that loses a sample now and then.

In full it takes one to two minutes.  Bytes a process-hour and a process-year are what docs/running-a-hub.md tells.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

from hub.opening import open_place
from hub.store.rows import KeyRow
from tests.prove import _sizing as sizing
from tests.support import fasthub
from tests.support.livehub import ROOT, LiveHub
from tests.support.redis import Cluster, Server
from tests.support.swarm import PERIOD, Swarm
from tests.support.waiting import until
from wire.keys import KeyPair

T0 = 1_700_000_400.0
"""A multiple of ten minutes."""
RATE, REDIS_RATE = 500_000.0, 300_000.0
QUERY_MS = 5.0
QUICK_SHARE = 0.1
"""What the quick form asks of the rates: it runs beside everything else, for seconds."""
WINDOW_TURNS = int(600 / PERIOD)
AGENTS, FEW = 120, 4
"""Where the rate is measured, and where the hour is asked for."""
QUERIES = 20
BUILT_IN = ("agent-lost", "program-fatal", "oom-kill", "memory-full", "crash-storm")
PATIENCE, QUICK_PATIENCE = 60.0, 5.0
"""Seconds for what must come."""


class Case(NamedTuple):
    """So many agents, processes of each, samples of each."""

    agents: int
    processes: int
    turns: int

    @property
    def sent(self) -> int:
        """Process-samples."""
        return self.agents * self.processes * self.turns


class Found(NamedTuple):
    """What one case showed."""

    rate: float
    """Process-samples in a second of the hub's CPU."""
    lost: float
    raw: float
    """Bytes a process-sample on disk, raw and in the first tier."""
    tier: float
    query_ms: float
    """Of the hub's CPU, from the question to the answer that is sent; 0 where there is no hour."""


@contextmanager
def fast_hub(folder: Path, case: Case, store: str, mutate: bool) -> Iterator[tuple[LiveHub, Swarm, mmap]]:
    """A hub on a clock of ours, and a swarm that has presented itself."""
    folder.mkdir()
    rules = folder / "alerts.ini"
    rules.write_text("".join(f"[alert:{name}]\nenabled = no\n" for name in BUILT_IN))
    more = f"[store]\nkeep_raw = 10800\n{f'store = {store}' if store else ''}\n"
    hub = LiveHub(folder, 300.0, f"alerts = {rules}\n{more}", PERIOD)
    board = fasthub.board(str(folder / "board"))
    fasthub.post(board, 0, T0)
    pairs = [KeyPair.generate() for _ in range(case.agents)]
    kept = open_place(str(hub.ini), make=True)
    for number, pair in enumerate(pairs):
        kept.put_key(KeyRow(pair.public, "agent", f"agent-{number}", T0))
    kept.close(T0)
    argv = [sys.executable, "-m", "tests.support.fasthub", str(folder / "board"), str(hub.ini), *["lossy"] * mutate]
    with hub.log.open("ab") as log:
        hub.process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
    try:
        hub.client = until(hub._answering, 60, f"hubd answers; log: {hub.log}")
        ends = (f"127.0.0.1:{hub.ports['command']}", f"127.0.0.1:{hub.ports['samples']}")
        key = KeyPair.load(folder / "state" / "keys" / "hub.json").public
        swarm = Swarm(pairs, key, ends, case.processes, T0)
        try:
            yield hub, swarm, board
        finally:
            swarm.close()
    finally:
        hub.stop()


def run(folder: Path, case: Case, store: str = "", mutate: bool = False, patience: float = PATIENCE) -> Found:
    """One case: everything sent, taken, sealed and rolled up."""
    each, end = case.agents * (case.processes + 1), T0 + case.turns * PERIOD
    with fast_hub(folder, case, store, mutate) as (hub, swarm, board):
        before = fasthub.read(board)[2]
        sent = send(case, swarm, board, patience)
        if sent < case.turns:  # some are lost: nothing else matters
            return Found(0.0, sent * each - _heard(board), 0.0, 0.0, 0.0)
        _finish(board, end)
        _, taken, used, *_, raw, tier = fasthub.read(board)
        query = _query(hub, board, end) if case.turns * PERIOD >= 3600 else 0.0
    window = case.agents * case.processes * WINDOW_TURNS
    return Found(case.sent / (used - before), sent * each - taken, raw / window, tier / window, query)


def send(case: Case, swarm: Swarm, board: mmap, patience: float) -> int:
    """All turns, each when the one before was taken; returns how many, fewer where one was not taken for so long."""
    each = case.agents * (case.processes + 1)
    for turn in range(case.turns):
        payloads = swarm.turn(T0 + turn * PERIOD)
        if not _taken(board, turn * each, patience):
            return turn
        fasthub.post(board, 0, T0 + turn * PERIOD)
        swarm.publish(payloads)
    return case.turns if _taken(board, case.turns * each, patience) else case.turns - 1


def _finish(board: mmap, end: float) -> None:
    """Time goes on until all windows are sealed and rolled up: step by step, so that upkeep finds each of them over."""
    deadline = time.monotonic() + PATIENCE
    for step in count(1):
        fasthub.post(board, 0, end + 20.0 * step)
        time.sleep(0.02 if step < 40 else 0.1)
        if fasthub.read(board)[3]:
            break
        assert time.monotonic() < deadline, "not all windows are sealed and rolled up"
    time.sleep(0.1)


def _taken(board: mmap, count: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while _heard(board) < count:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _heard(board: mmap) -> float:
    """Samples that the hub has taken or left out."""
    values = fasthub.read(board)
    return values[1] + values[5]


def _query(hub: LiveHub, board: mmap, end: float) -> float:
    """Milliseconds of the hub's CPU for an hour of one process, to the answer."""

    def ask() -> int:
        found = hub.client.query("history", target="agent-0/p0", start=end - 3600, end=end)
        return len(found["times"])

    assert ask() == 3600 / PERIOD
    time.sleep(0.1)
    idle, begun = fasthub.read(board)[2], time.monotonic()
    time.sleep(0.5)
    before = fasthub.read(board)[2]
    idle = (before - idle) / (time.monotonic() - begun)
    begun = time.monotonic()
    for _ in range(QUERIES):
        ask()
    time.sleep(0.05)
    used = fasthub.read(board)[2] - before - idle * (time.monotonic() - begun)
    return used / QUERIES * 1000


def places(folder: Path, stack: ExitStack, quick: bool) -> dict[str, str]:
    """Where samples are kept, by name."""
    server = Server(folder / "server")
    stack.callback(server.kill)
    found = {"embedded": "", "redis": f"redis://127.0.0.1:{server.port}"}
    if not quick:
        cluster = Cluster(folder / "servers")
        stack.callback(cluster.kill)
        found["cluster"] = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
    return found


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim held."""
    figures: dict[str, object] = {}
    holds, share = True, QUICK_SHARE if quick else 1.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intake-")))
        for name, store in places(folder, stack, quick).items():
            case = Case(FEW, 50, WINDOW_TURNS) if quick else Case(AGENTS, 50, 2 * WINDOW_TURNS)
            found = run(folder / name, case, store, mutate, QUICK_PATIENCE if quick else PATIENCE)
            limit = share * (REDIS_RATE if store else RATE)
            holds = holds and found.rate >= limit and not found.lost
            figures[f"{name}_per_cpu_second"] = f"{found.rate:,.0f} (at least {limit:,.0f})"
            figures[f"{name}_lost"] = f"{found.lost:.0f} (none)"
            if found.lost and mutate:
                return figures, False
        if not quick:
            hour = run(folder / "hour", Case(FEW, 50, 6 * WINDOW_TURNS))
            holds = holds and hour.query_ms <= QUERY_MS
            figures["query_ms"] = f"{hour.query_ms:.1f} (at most {QUERY_MS:g})"
            figures |= sizing.told(hour.raw, hour.tier)
            small = run(folder / "small", Case(AGENTS, 10, 2 * WINDOW_TURNS))
            figures["embedded_of_10_processes"] = f"{small.rate:,.0f} (no limit)"
    return figures, holds
