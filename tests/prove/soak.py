"""Half an hour of kills, pauses and cuts: nobody lost falsely, no fact lost or doubled, homes unique, memory even.

Three real hubds on a Redis Cluster and real initds with their links, each hub and each container in a network
namespace of its own; in full also a Docker engine of our own that the hubs poll.  Faults are drawn from a seed: hubs,
containers, links, Redis nodes and the engine are killed, stopped, cut off from all or from one, terminated and started
again, several at a time (one hub and one Redis node at most).  All the time: nobody is called lost who had no fault of
its own; every end of a program, which it wrote down itself, is known once; acting hubs share the agents and engines;
epochs only grow; each command is carried out once at most.  What a container killed as a whole had not told yet is
excused.  Memory is measured over the last third, of processes that lived through it: from the middle on only one hub
and every other container are killed.

In full: SOAK_SECONDS (1800) and half a minute; SOAK_SEED chooses the faults (drawn, and printed); SOAK_LOG=FILE tells
each action as it comes.  Quick: two containers, no engine, each kind of fault once, memory not judged.  Needs root.
The fault to switch on: the volume of a container that is stopped while it is cut off is emptied.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.support.soakfaults import FAULTS, QUICK, Chaos
from tests.support.soakfleet import Fleet
from tests.support.soakwatch import Facts, Homes, Log, Memory, Orders
from tests.support.waiting import until

SECONDS, CALM = 1800.0, 60.0
"""Length, and its end without faults."""
SLOPE = 1.0
"""Most growth of resident memory in ten minutes, percent."""
BOXES = 8


def quick_chaos(chaos: Chaos, mutate: bool) -> None:
    """Each kind of fault once, one beside the other."""
    for name, seconds in QUICK.items():
        chaos.begin(FAULTS[name], seconds)
    chaos.lose_a_shelf(mutate)
    until(lambda: not chaos.tick(), 20.0, "the faults are over")


def long_chaos(chaos: Chaos, facts: Facts, seconds: float) -> None:
    """Faults of a seed until the time is over, then calm."""
    begun, checked = time.monotonic(), 0.0
    while (passed := time.monotonic() - begun) < seconds - CALM:
        chaos.sparing = passed > seconds / 2
        chaos.draw()
        chaos.tick()
        if passed > checked + 10.0:
            checked = passed
            facts.check()
        time.sleep(0.2)
    while chaos.tick(over=True):
        time.sleep(0.2)
    time.sleep(max(seconds - (time.monotonic() - begun), 0.0))


def settle(facts: Facts, seconds: float) -> int:
    """Waits until everything is known; how much is not at the end."""
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then and any(facts.unknown(box, -1.0) for box in facts.fleet.boxes):
        time.sleep(0.2)
    return facts.check(0.5 if time.monotonic() > until_then else 5.0)


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim held."""
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    seconds = float(os.environ.get("SOAK_SECONDS", SECONDS))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(3))  # whatever was begun is ended
    log = Log(os.environ.get("SOAK_LOG", ""))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="pidone-soak-"))
        stack.callback(lambda: (log.breaches and not mutate) or shutil.rmtree(folder, ignore_errors=True))
        fleet = Fleet(folder, 1.0 if quick else 2.0)
        stack.callback(fleet.stop)
        fleet.start(2 if quick else BOXES, cluster=not quick, engine=not quick)
        facts, homes, memory = Facts(fleet, log), Homes(fleet, log), Memory(fleet, log, 0.5 if quick else 5.0)
        orders = Orders(fleet, log, facts)
        for watch in (watches := [facts, homes, memory, orders]):
            watch.start()
        begun = time.monotonic()
        chaos = Chaos(fleet, facts, homes, log, random.Random(seed))
        if quick:
            until(lambda: len(facts.exits) == len(fleet.boxes), 30.0, "both tell their exits")
            quick_chaos(chaos, mutate)
        else:
            long_chaos(chaos, facts, seconds)
        unknown = settle(facts, 4.0 if quick else 60.0)
        last = {} if quick else memory.slopes(begun + seconds * 2 / 3, begun + seconds)
        problems = chaos.problems()
        for watch in watches[::-1]:
            watch.end()
    worst = max(last, key=lambda name: last[name]) if last else ""
    counted = Counter(name for _, name in chaos.done)
    figures: dict[str, object] = {
        "seed": seed, "soaked_seconds": round(time.monotonic() - begun), "faults": dict(sorted(counted.items())),
        "exits_known": facts.count, "exits_unknown": unknown, "losses_told": facts.losses,
        "commands_given": orders.given, "commands_done": orders.done, "rounds_of_all_hubs": homes.rounds,
        "memory_percent_in_10_min": {name: last[name] for name in sorted(last)}, "worst": worst,
        "breaches": len(log.breaches), "first_breaches": log.breaches[:5], "problems": problems,
    }  # fmt: skip
    if log.breaches and not mutate:
        print("\n".join(log.actions), f"the logs are kept in {folder}", sep="\n", file=sys.stderr)
    return figures, not log.breaches and not problems and not unknown and max(last.values(), default=0.0) < SLOPE
