"""Whatever befalls hubs, agents and their store, no two hubs act for one agent and nobody is lost falsely.

Runs the cluster's simulation (tests.sim.cluster) in virtual time for many seeds: kill -9, SIGSTOP, drains, cut links,
partitions, a store that is away or fails over and loses its last writes, lost, doubled and late messages, clocks of
different rates.  Every invariant is looked at whenever a hub acts.  A seed that breaks is shrunk and its story printed;
`python -m tests.sim.cluster SEED --hubs N ...` replays it.  In full a quarter of an hour of processor time; each size
is told with its seeds and seconds.  The fault to switch on is a hub that goes on acting without its lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.cluster.lease import Lease
from hub.cluster.rows import LeaseRow
from tests.sim.cluster.checks import Broken
from tests.sim.cluster.fleet import Simulation, Size, shrink

QUICK = [(range(8), Size(3, 60, 12)), (range(2), Size(10, 100, 20)), (range(1), Size(10, 300, 15, 30.0))]
MANY = [
    (range(1000, 1300), Size(3, 60, 14)),
    (range(1000, 1200), Size(10, 100, 25)),
    (range(1000, 1030), Size(10, 1000, 30)),
    (range(1000, 1003), Size(100, 2000, 30, 40.0)),
    (range(1000, 1001), Size(100, 10000, 20, 20.0)),
    (range(1000, 1001), Size(100, 100_000, 12, 10.0, 5.0)),
]
"""The last one at the period that a hub of so many agents asks for, homes from one table (tests.sim.cluster.ranked)."""


class Immortal(Lease):
    """Goes on acting when its lease has run out."""

    def acts(self, now: float) -> bool:
        return self.row.born > 0 and now >= self.acts_from


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Run the seeds; with `mutate` the first that breaks ends it."""
    lease: Callable[[LeaseRow], Lease] = Immortal if mutate else Lease
    began, runs, acts, commands, losses, virtual = time.monotonic(), 0, 0, 0, 0, 0.0
    broken: list[str] = []
    sizes: list[str] = []
    for seeds, size in QUICK if quick else MANY:
        begun = time.process_time()
        for seed in seeds:
            simulation = Simulation(seed, size, None, lease)
            runs += 1
            try:
                simulation.run()
            except Broken as breach:
                broken.append(f"seed {seed} with {size.hubs} hubs, {size.agents} agents: {breach}")
                if mutate:
                    break
                print("\n".join(shrink(seed, size)[1]))
            checks = simulation.checks
            acts, commands = acts + checks.acts + checks.polls, commands + len(checks.done)
            losses, virtual = losses + checks.losses, virtual + simulation.world.now
        took = f"{size.hubs} hubs, {size.agents} agents: seeds {seeds.start} to {seeds.stop - 1}"
        sizes.append(f"{took}, {time.process_time() - begun:.0f} s")
    figures: dict[str, object] = {
        "runs": runs,
        "sizes": sizes,
        "virtual_hours": round(virtual / 3600, 2),
        "actions_checked": acts,
        "commands_executed": commands,
        "losses_reported": losses,
        "broken": len(broken),
        "first_broken": broken[0] if broken else None,
        "simulated_seconds_per_second": round(virtual / (time.monotonic() - began), 1),
    }
    return figures, not broken and losses > 0 and commands > 0
