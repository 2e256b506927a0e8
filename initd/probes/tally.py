"""What single looks add up to: ready, failing, recovered; pure.

Theory.  One look may be wrong, so a verdict needs several in a row: `successes` until a program counts as well,
`failures` until it counts as ill.  A verdict is given when it changes, and a program that stays ill is told of again
after as many failures more: whatever was done about it did not help.
"""

from __future__ import annotations

from wire._record import Record

WELL, ILL, NOTHING = "well", "ill", ""
"""Verdicts; NOTHING: no news."""


class Tally(Record):
    """Looks so far."""

    successes: int = 1
    """Looks in a row that make it well."""
    failures: int = 1
    """Looks in a row that make it ill; 0: none ever do."""
    standing: str = NOTHING
    """The last verdict."""
    good: int = 0
    bad: int = 0
    """Looks in a row, up to now."""


def count(tally: Tally, success: bool) -> tuple[Tally, str]:
    """The tally after one more look, and the verdict if there is a new one."""
    if success:
        tally = tally._replace(good=tally.good + 1, bad=0)
        if tally.good < tally.successes or tally.standing == WELL:
            return tally._replace(good=min(tally.good, tally.successes)), NOTHING
        return tally._replace(standing=WELL), WELL
    tally = tally._replace(bad=tally.bad + 1, good=0)
    if not tally.failures or tally.bad < tally.failures:
        return tally._replace(bad=min(tally.bad, max(tally.failures, 1))), NOTHING
    return tally._replace(standing=ILL, bad=0), ILL
