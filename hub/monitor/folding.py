"""A sheet of samples as the points of a tier: the same numbers as hub.monitor.history.rollup_samples, all rows at once.

Theory.  All rows of a sheet have the same times, so they fall into the same steps, and a step is a run of lines of its
tables.  What is unknown (NaN) is left out: `fmin` and `fmax` do so, a mean counts what is known.  A rate belongs to the
later of two samples; the first has none.
"""

from __future__ import annotations

from functools import cache

from hub.monitor.history import Layout
from hub.monitor.sheets import Sheet
from hub.monitor.tables import Table, np
from wire._record import Record

__all__ = ["Folded", "fold"]


class Folded(Record):
    """The points of every row."""

    starts: list[float]
    """When each step began."""
    rows: list[bytes]
    """The points of each row, as Layout.pack packs them."""


def fold(sheet: Sheet, step: float) -> Folded:
    """The points of a sheet that has at least one sample; steps are aligned to the epoch."""
    times = np.array(sheet.times)
    starts = times // step * step
    firsts = np.flatnonzero(np.diff(starts, prepend=starts[0] - step))
    ends = np.append(firsts[1:], len(times))
    points = np.empty((sheet.height, len(firsts)), _point(sheet.layout))
    points["at"], points["weight"] = starts[firsts], ends - firsts
    points["counters"] = _by_row(sheet.counters[ends - 1])
    split = len(sheet.layout.gauges)
    with np.errstate(all="ignore"):  # too large for a float32 is infinite, unknown stays so
        gauges = _summary(sheet.gauges, firsts, ends)
        rates = _summary(_rates(times, sheet.counters), firsts, ends)
        for name, gauge, rate in zip(("low", "mean", "high"), gauges, rates, strict=True):
            points[name][..., :split], points[name][..., split:] = _by_row(gauge), _by_row(rate)
    return Folded(starts[firsts].tolist(), [row.tobytes() for row in points])


@cache
def _point(layout: Layout) -> np.dtype[np.void]:
    """Layout.point, in numpy's words."""
    counters, values = (len(layout.counters),), (len(layout.values),)
    means = [(name, "<f4", values) for name in ("low", "mean", "high")]
    return np.dtype([("at", "<f8"), ("weight", "<f4"), ("counters", "<f8", counters), *means])


def _by_row(table: Table) -> Table:
    """(step, column, row) as (row, step, column)."""
    return table.transpose(2, 0, 1)


def _rates(times: Table, counters: Table) -> Table:
    """A fallen or unknown counter has no rate: the comparison is false for NaN."""
    rates = np.full(counters.shape, np.nan)
    rises = np.diff(counters, axis=0)
    np.divide(rises, np.diff(times)[:, None, None], out=rates[1:], where=rises >= 0)
    return rates


def _summary(values: Table, firsts: Table, ends: Table) -> tuple[Table, Table, Table]:
    """Least, average and most of each step; NaN where all of it is unknown.

    For least and most all steps are as long as the longest: a shorter one repeats its last sample.
    """
    places = np.minimum(firsts[:, None] + np.arange((ends - firsts).max()), ends[:, None] - 1)
    steps = values[places]
    means = np.add.reduceat(values, firsts, dtype="f8") / (ends - firsts)[:, None, None]
    for number in np.flatnonzero(np.isnan(means).any(axis=(1, 2))):
        means[number] = _known(values[firsts[number] : ends[number]])
    return np.fmin.reduce(steps, axis=1), means, np.fmax.reduce(steps, axis=1)


def _known(values: Table) -> Table:
    """The average of what is known."""
    there = ~np.isnan(values)
    total: Table = np.add.reduce(np.where(there, values, 0.0), axis=0, dtype="f8")
    known: Table = total / np.add.reduce(there, axis=0, dtype="f8")
    return known
