"""How long to wait before the next try; pure.

Programs wait as supervisord does, unless they have a Backoff: one second more after each failed start, no cap, no
jitter, and nothing after a crash from RUNNING.  With one they wait before every automatic start, after failed starts
and after ends alike.  Our own children (the link) wait exponentially up to a cap, because they are tried for ever.
"""

from __future__ import annotations

from wire._record import Record


class Backoff(Record):
    """Waits that grow with each end in a row; seconds."""

    first: float
    factor: float = 2.0
    cap: float = 30.0
    jitter: float = 0.1
    """Part of each wait by which it may be longer or shorter, so that a fleet does not come back at one moment."""
    reset: float = 60.0
    """A life this long was a steady one: after it the waits begin anew."""


MOST_DOUBLINGS = 1000
"""Exponents above it would overflow; the cap is reached long before."""


def wait_after(falls: int, backoff: Backoff, chance: float) -> float:
    """Seconds to wait after `falls` (>= 1) ends in a row; `chance` is a random number in [0, 1)."""
    try:
        whole = min(backoff.cap, backoff.first * backoff.factor ** min(falls - 1, MOST_DOUBLINGS))
    except OverflowError:
        whole = backoff.cap
    return max(0.0, whole * (1 + backoff.jitter * (2 * chance - 1)))


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
