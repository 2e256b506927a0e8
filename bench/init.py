#!/usr/bin/env python3
"""initd beside supervisord, s6, runit, tini and dumb-init, each as PID 1 of a PID namespace, in one run.

Measured: the time from execve to the first instruction of 1 and of 20 programs; kill -9 of a running program until its
replacement runs; 2,000 orphans dying at once until none is a zombie; wake-ups and memory when idle with 10 programs;
SIGTERM until everything is gone.  The inits take turns in every round, and each figure of a peer is divided by the one
of initd of the same round: the ratio (their median) is what counts, since the times are those of this machine today.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.init_measures import Bench, Size, taken
from bench.init_peers import Peer, peers
from bench.init_report import Report, machine
from bench.init_space import compile_probe

EXAMPLES = """\
examples:
  script/prepare peers                                              what it needs, and the peers
  bench/init.py --quick                                             a look: two rounds, two or three minutes
  bench/init.py --rounds 7 --json >today.json                       figures to keep
  bench/init.py --peers initd,supervisord                           these only
  bench/init.py --initd /opt/initd/initd                            another launcher in place of bin/initd
  bench/init.py --peers initd --other ../before/bin/initd           did a change help?

exit status: 0 measured (a peer that is not installed is named), 1 not possible here or a figure is missing, 2 usage
"""

QUICK = Size(orphans=500, idle=2.0)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--rounds", type=int, help="rounds in which everyone has a turn (default 5, quick 2)")
    found.add_argument("--quick", action="store_true", help=f"less of everything: {QUICK.orphans} orphans, 2 s idle")
    found.add_argument("--peers", metavar="NAMES", help="some only, with commas; `initd` is always measured")
    found.add_argument("--initd", metavar="PATH", help="the initd to measure (default bin/initd of this tree)")
    found.add_argument("--other", metavar="PATH", help="a second initd beside it: an earlier one, or the bundle's")
    found.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return found


def chosen(names: str | None, everyone: list[Peer]) -> list[Peer]:
    """The peers asked for, with those that their ratios refer to.  Raises ValueError."""
    if names is None:
        return everyone
    asked = set(names.split(","))
    unknown = asked - {peer.name for peer in everyone}
    if unknown:
        raise ValueError(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(peer.name for peer in everyone)}")
    asked |= {"initd", "other initd"} | {peer.base for peer in everyone if peer.name in asked}
    return [peer for peer in everyone if peer.name in asked]


def measure(report: Report, probe: Path, size: Size, rounds: int) -> None:
    """Everyone in turn, each round beginning with another."""
    scenarios = Bench(probe, size).scenarios()
    for number in range(rounds):
        turn = number % len(report.peers)
        for scenario in scenarios:
            for peer in report.peers[turn:] + report.peers[:turn]:
                show(f"round {number + 1}/{rounds} {scenario.__name__} {peer.name}")
                figures, trouble = taken(scenario, peer)
                report.add(peer, number, figures, trouble)
    show("")


def show(text: str) -> None:
    """Where we are, for a person who waits at a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text:<50}\r", end="", file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    """Measure and print."""
    options = parser().parse_args(argv)
    try:
        asked = chosen(options.peers, peers(options.initd, options.other))
    except ValueError as error:
        parser().error(str(error))
    if os.geteuid() != 0:
        print("bench/init.py: only root may make PID namespaces", file=sys.stderr)
        return 1
    size, rounds = (QUICK, 2) if options.quick else (Size(), 5)
    here = [peer for peer in asked if peer.path()]
    report = Report(here, [peer for peer in asked if not peer.path()], size, machine())
    with tempfile.TemporaryDirectory(prefix="pidone-bench-") as directory:
        try:
            probe = compile_probe(Path(directory))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"bench/init.py: no C compiler (script/prepare packages gcc libc6-dev): {error}", file=sys.stderr)
            return 1
        measure(report, probe, size, options.rounds or rounds)
    print(json.dumps(report.as_json()) if options.json else report.as_text())
    return 1 if report.troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
