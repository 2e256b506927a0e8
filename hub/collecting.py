"""When Python looks for garbage in cycles: seldom, since all threads stand still meanwhile.

Theory.  A full collection walks everything that is tracked: 20 ms with 100 agents, a third of a second with thousands;
Python starts one whenever a quarter has been added, so just while a fleet comes.  Nearly nothing here is in a cycle,
and what is dies young.  So young generations are collected as ever, by larger handfuls, and the old one by the clock.
"""

from __future__ import annotations

import gc

from hub.clock import Instant
from hub.words import Event

HANDFUL = 10_000
"""New objects between two looks at the young ones: a millisecond of work."""
ROUNDS = 20
"""Looks at the young ones between two looks at those that survived one."""
NEVER = 1_000_000
SECONDS = 600.0
"""Between two looks at everything."""


class Collector:
    """Takes Python's collector over; one of the loop's turns."""

    def __init__(self, now: float) -> None:
        gc.set_threshold(HANDFUL, ROUNDS, NEVER)
        gc.collect()
        gc.freeze()  # modules and what a store held at the start: for good, or as good as
        self._at = now + SECONDS

    def turn(self, now: Instant) -> list[Event]:
        """Look at everything, if it is time."""
        if now.mono >= self._at:
            self._at = now.mono + SECONDS
            gc.collect()
        return []
