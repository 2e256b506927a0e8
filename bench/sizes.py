#!/usr/bin/env python3
"""What a process costs the store on disk, a tier at a time: bytes for each hour that the tier keeps.

Ten processes of one agent, sampled every 5 s for so many hours of virtual time: counters that grow by random steps,
gauges that walk at random, and as many columns that hardly change, as with real programs.  Docs/running-a-hub.md has
the figures.

    bench/sizes.py --hours 60
    bench/sizes.py --json
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hub.store.embedded import Embedded
from hub.store.shelf import TIERS
from wire.model import PROCESS_COLUMNS, RosterRow

T0 = 1_699_999_200.0
PERIOD, PROCESSES = 5.0, 10


def walks(seed: int = 1) -> Iterator[dict[str, bytes]]:
    """Packed columns, sample after sample."""
    chance = random.Random(seed)
    values = {column.name: [1000.0 * number for number in range(PROCESSES)] for column in PROCESS_COLUMNS}
    lively = {column.name: number % 2 == 0 for number, column in enumerate(PROCESS_COLUMNS)}
    while True:
        for column in PROCESS_COLUMNS:
            row = values[column.name]
            for number in range(PROCESSES):
                if lively[column.name] or chance.random() < 0.01:
                    row[number] += chance.random() if column.code == "d" else chance.choice((-4096.0, 0.0, 4096.0))
        yield {column.name: array(column.code, values[column.name]).tobytes() for column in PROCESS_COLUMNS}


def measure(hours: int) -> dict[str, float]:
    """Bytes of each tier for a process and an hour of its time."""
    with tempfile.TemporaryDirectory() as directory:
        store = Embedded(directory, sample_budget=4 << 30)
        rows = [RosterRow(n, n, 1, "program", f"p{n}", f"p{n}", 0) for n in range(PROCESSES)]
        store.put_roster("agent", "boot", 1, rows)
        source = walks()
        for turn in range(int(hours * 3600 / PERIOD)):
            now = T0 + turn * PERIOD
            store.put_samples("agent", "boot", 1, now, next(source))
            if turn % 120 == 0:
                store.flush(now)
                store.tend(now)
        now = T0 + hours * 3600
        store.flush(now)
        while store.tend(now).more:
            pass
        return spans(Path(directory))


def spans(directory: Path) -> dict[str, float]:
    """Bytes in the sealed segments of each tier, for each process and hour that they hold."""
    found = {}
    for tier in TIERS:
        sealed = list((directory / "samples" / tier.name).glob("*.segment"))
        if sealed:
            hours = len(sealed) * tier.span / 3600
            found[tier.name] = round(sum(path.stat().st_size for path in sealed) / hours / PROCESSES, 1)
    return found


def main(argv: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(argv)
    found = measure(options.hours)
    if options.json:
        print(json.dumps(found))
        return 0
    for tier, size in found.items():
        print(f"{tier:<6}{size:>10,.1f} bytes for a process and an hour")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
