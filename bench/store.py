#!/usr/bin/env python3
"""How many process-samples the store takes in a second of CPU time, beside the naive way, in one run.

The naive way is one SQLite row a process-sample (agent, program, time, nine numbers), WAL, one transaction a second's
worth of samples.  Ours is Embedded.put_samples with its upkeep, journals and segments included.  The ratio is what
counts: both see the same machine at the same moment.  Ours is given twice: the intake (samples in memory and in the
journal), and everything (sealing and min/avg/max tiers too, which the naive way does not have).

With --redis the same goes to a redis-server of its own (appendfsync always), and both stores say how long one durable
audit row takes, alone.  The CPU counted is this process': redis-server's own is given beside it.

    bench/store.py --seconds 5 --agents 100 --processes 10
    bench/store.py --redis --json
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hub.store.chained import chained
from hub.store.embedded import Embedded
from hub.store.rows import AuditRow
from wire.model import PROCESS_COLUMNS, RosterRow

if TYPE_CHECKING:
    from hub.store.redis.store import RedisStore

T0 = 1_700_000_400.0
PERIOD = 5.0
TURNS = 720
"""Different samples: counters rise for an hour, then begin anew."""


def sample(processes: int, turn: int) -> dict[str, bytes]:
    """Packed columns that change from turn to turn."""
    values = [float(turn * 31 + process) for process in range(processes)]
    return {column.name: array(column.code, values).tobytes() for column in PROCESS_COLUMNS}


def ours(directory: str, agents: int, processes: int, seconds: float) -> dict[str, float]:
    """Process-samples per second through the embedded store; also bytes each on disk."""
    return through(Embedded(directory, sample_budget=4 << 30), agents, processes, seconds)


def redis(directory: str, agents: int, processes: int, seconds: float) -> dict[str, float]:
    """The same through Redis; `server` is redis-server's CPU, as a share of ours."""
    from hub.store.redis.address import Access, read_address
    from hub.store.redis.store import RedisStore

    socket = str(Path(directory) / "redis.sock")
    options = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--appendonly", "yes"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(["redis-server", *options, "--appendfsync", "always", "--save", ""], stdout=quiet) as server:
        try:
            while not os.path.exists(socket) and server.poll() is None:
                time.sleep(0.02)
            store = RedisStore(read_address(f"redis+unix://{socket}"), Access(), sample_budget=4 << 30)
            began = time.process_time()
            found = through(store, agents, processes, seconds)
            ticks = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            return {**found, "server": used / (time.process_time() - began)}
        finally:
            server.kill()


def audited(store: Embedded | RedisStore, count: int = 200) -> tuple[float, float]:
    """Milliseconds, by the clock on the wall, until one audit row is durable: median and 99 %."""
    chain, found = chained(store, 365 * 86400.0), []
    for number in range(count):
        began = time.perf_counter()
        with chain.batch():
            chain.append_audit(AuditRow(T0 + number, "bench", "restart", "shop/web", "done"))
        found.append((time.perf_counter() - began) * 1000)
    found.sort()
    return found[count // 2], found[count * 99 // 100]


def through(store: Embedded | RedisStore, agents: int, processes: int, seconds: float) -> dict[str, float]:
    """Process-samples per second through a store; closes it."""
    p50, p99 = audited(store)
    rows = [RosterRow(n, n, 1, "program", f"p{n}", f"p{n}", 0) for n in range(processes)]
    for agent in range(agents):
        store.put_roster(f"agent-{agent}", "boot", 1, rows)
    packed = [sample(processes, turn) for turn in range(TURNS)]
    turn, upkeep, began = 0, 0.0, time.process_time()
    while time.process_time() - began < seconds:
        now = T0 + turn * PERIOD
        for agent in range(agents):
            store.put_samples(f"agent-{agent}", "boot", 1, now, packed[turn % TURNS])
        if turn % 2:  # every 10 s, as it happens by itself
            store.flush(now)
        upkeep -= time.process_time()
        store.tend(now)
        upkeep += time.process_time()
        turn += 1
    intake = time.process_time() - began - upkeep
    while store.tend(now).more:
        pass
    taken, elapsed, stats = turn * agents * processes, time.process_time() - began, store.stats()
    query = timed(lambda: store.process_history("agent-0", now - 3600, now, program="p0"))
    store.close(now)
    rates = {"rate": taken / intake, "all_in": taken / elapsed, "disk_bytes": stats.used / taken, "query_ms": query}
    return {**rates, "audit_p50_ms": p50, "audit_p99_ms": p99}


def naive(directory: str, agents: int, processes: int, seconds: float) -> dict[str, float]:
    """The same with one row a process-sample."""
    connection = sqlite3.connect(str(Path(directory) / "naive.sqlite"), isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    numbers = ", ".join(f"{column.name} REAL" for column in PROCESS_COLUMNS)
    connection.execute(f"CREATE TABLE samples(agent TEXT, program TEXT, at REAL, {numbers})")
    connection.execute("CREATE INDEX by_program ON samples(agent, program, at)")
    insert = f"INSERT INTO samples VALUES (?, ?, ?{', ?' * len(PROCESS_COLUMNS)})"
    turn, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        now, values = T0 + turn * PERIOD, [float(turn)] * len(PROCESS_COLUMNS)
        connection.execute("BEGIN")
        for agent in range(agents):
            connection.executemany(insert, [(f"agent-{agent}", f"p{n}", now, *values) for n in range(processes)])
        connection.execute("COMMIT")
        turn += 1
    taken, elapsed = turn * agents * processes, time.process_time() - began
    hour = "SELECT * FROM samples WHERE agent = 'agent-0' AND program = 'p0' AND at >= ?"
    query = timed(lambda: connection.execute(hour, (now - 3600,)).fetchall())
    size = connection.execute("PRAGMA page_count").fetchone()[0] * 4096
    connection.close()
    return {"rate": taken / elapsed, "all_in": taken / elapsed, "disk_bytes": size / taken, "query_ms": query}


def timed(query: Callable[[], object]) -> float:
    """Median of five, milliseconds of CPU."""
    found = []
    for _ in range(5):
        began = time.process_time()
        query()
        found.append((time.process_time() - began) * 1000)
    return median(found)


def main(argv: list[str]) -> int:
    """Run both ways in turn and print their figures and the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--processes", type=int, default=10, help="of each agent")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each way")
    parser.add_argument("--redis", action="store_true", help="also through a redis-server that it starts")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(argv)
    found, size = {}, (options.agents, options.processes, options.seconds)
    for way in (ours, redis, naive) if options.redis else (ours, naive):
        with tempfile.TemporaryDirectory() as directory:
            found[way.__name__] = way(directory, *size)
    ratios = {name: found["ours"][name] / found["naive"][name] for name in ("rate", "all_in")}
    load = os.getloadavg()[0]
    if options.json:
        print(json.dumps({**found, "load": load, "ratio": ratios["rate"], "ratio_all_in": ratios["all_in"]}))
        return 0
    for name, figures in found.items():
        print(
            f"{name:<6} {figures['rate']:>12,.0f} process-samples/CPU s taken, {figures['all_in']:>10,.0f} with tiers; "
            f"{figures['disk_bytes']:6.1f} bytes each; {figures['query_ms']:6.1f} ms for an hour of one process"
        )
        if "audit_p50_ms" in figures:
            print(f"{'':6} one audit row: p50 {figures['audit_p50_ms']:.2f} ms, p99 {figures['audit_p99_ms']:.2f} ms")
    print(f"load   {load:>12.1f}")
    print(f"ratio  {ratios['rate']:>12.1f}{'':29}{ratios['all_in']:>10.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
