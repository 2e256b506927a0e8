"""How long to wait before the next try; pure.

Programs wait as supervisord does: one second more after each failed start, no cap, no jitter.  Our own children (the
link) wait exponentially up to a cap, because they are tried for ever.
"""

from __future__ import annotations


def program_wait(tries: int) -> float:
    """Seconds a program waits after its `tries`-th failed start in a row (supervisord: as many as there were tries)."""
    return float(tries)


def is_exhausted(tries: int, startretries: int) -> bool:
    """True when a program is given up: after startretries + 1 failed starts, so startretries=3 allows four."""
    return tries > startretries


HASTY_SECONDS, HASTY_BURST = 1.0, 5
"""A life below HASTY_SECONDS is a hasty one; after more than HASTY_BURST of them in a row a restart waits."""


def next_start(spawned_at: float, hasty: int) -> float:
    """When a program that counts as started at once (startsecs=0) may be started again; a time past is: now.

    `hasty` is its number of hasty lives in a row.  supervisord never restarts more than once a second, because that is
    how often it looks; without any limit a program that ends at once would be started hundreds of times a second.
    """
    return spawned_at + HASTY_SECONDS if hasty > HASTY_BURST else spawned_at


LINK_FIRST, LINK_CAP = 0.25, 30.0
"""First and longest wait, seconds, before the link is started again."""

LINK_STEADY = 30.0
"""A link that lived this long, seconds, was healthy: its next death starts the waits anew."""


def link_wait(deaths: int) -> float:
    """Seconds before the link's next start after `deaths` (>= 1) short lives in a row: doubling up to LINK_CAP."""
    return float(min(LINK_CAP, LINK_FIRST * 2 ** min(deaths - 1, 16)))
