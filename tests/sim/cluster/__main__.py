"""Replays one seed of the cluster's simulation: `python -m tests.sim.cluster SEED [--hubs N] [--agents N] ...`.

Exit code 0 where every invariant held, 1 where one broke; then the shortest story that was found is printed.
"""

from __future__ import annotations

import argparse
import sys

from tests.sim.cluster.checks import Broken
from tests.sim.cluster.fleet import Simulation, Size, shrink


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.cluster", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seed", type=int)
    for name, default in Size._field_defaults.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--story", action="store_true", help="print what happened, also where all held")
    chosen = parser.parse_args(argv)
    size = Size(*(getattr(chosen, name) for name in Size._fields))
    simulation = Simulation(chosen.seed, size)
    try:
        checks = simulation.run()
    except Broken as broken:
        faults, told = shrink(chosen.seed, size)
        print(f"seed {chosen.seed} breaks: {broken}\nshrunk to {len(faults)} faults:")
        print("\n".join([*(f"  {fault}" for fault in faults), *told]))
        return 1
    if chosen.story:
        print("\n".join(simulation.world.story))
    print(f"seed {chosen.seed} holds: {checks.acts} acts, {len(checks.done)} commands, {checks.losses} losses")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
