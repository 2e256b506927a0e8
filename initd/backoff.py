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


LINK_FIRST, LINK_CAP = 0.25, 30.0
"""First and longest wait, seconds, before the link is started again."""

LINK_STEADY = 30.0
"""A link that lived this long, seconds, was healthy: its next death starts the waits anew."""


def link_wait(deaths: int) -> float:
    """Seconds before the link's next start after `deaths` (>= 1) short lives in a row: doubling up to LINK_CAP."""
    return float(min(LINK_CAP, LINK_FIRST * 2 ** min(deaths - 1, 16)))
