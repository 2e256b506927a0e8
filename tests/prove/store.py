"""A writer killed with SIGKILL at any moment loses no fact that it acknowledged, and no number is given twice.

Each round starts a real process that writes facts, commands, epochs and samples through the store's worker, kills it at
a random moment, opens the store again and compares it with every acknowledgement that left the process.  The fault to
switch on is a worker that acknowledges each call at once instead of after the commit.
"""

from __future__ import annotations

import random
import tempfile
import time

from hub.store.waiting import Call
from hub.store.worker import Outcome, Worker
from tests.support import crash

ROUNDS, QUICK_ROUNDS = 200, 8
LIVES = 10
"""Writers in a row over one store; then a new one begins, so that opening and comparing stay quick."""


class Hasty(Worker):
    """Acknowledges before the commit."""

    def _write(self, calls: list[Call]) -> list[Outcome]:
        with self._store.batch():
            for call in calls:
                self._put([self._outcome(call)])
        return [Outcome(None, None)] * len(calls)  # nothing is left to tell


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Run the rounds; the seed is among the figures, so that a failure can be run again."""
    count, seed, kind = QUICK_ROUNDS if quick else ROUNDS, random.randrange(2**32), Hasty if mutate else Worker
    began, done = time.monotonic(), list[crash.Round]()
    for first in range(0, ROUNDS if mutate else count, LIVES):
        if mutate and any(one.broken for one in done):
            break  # a kill between the hasty word and its commit is a matter of luck; the first one is enough
        with tempfile.TemporaryDirectory() as directory:
            done += crash.rounds(directory, min(LIVES, count - first), seed + first, kind)
    broken = [text for one in done for text in one.broken]
    acknowledged = [int(seq) for one in done for seq in one.said["f"]]
    figures: dict[str, object] = {
        "kills": count,
        "seed": seed,
        "acknowledgements_of_facts": len(acknowledged),
        "commands_claimed": sum(len(one.said["c"]) for one in done),
        "kills_after_an_acknowledgement": sum(bool(one.said["f"]) for one in done),
        "promises_broken": len(broken),
        "first_broken": broken[0] if broken else None,
        "seconds": round(time.monotonic() - began, 1),
    }
    return figures, not broken and len(acknowledged) > 0
