"""The history of samples as they came, whole columns at a time: the same as hub.monitor.history.join of their points.

Theory.  Between samples and an answer without a step there is nothing to merge: each figure over time is a column, and
rates, restarts and gaps are differences of columns.  Only where two samples share a moment (two instances met in it)
points have to be merged one by one; then this leaves it to `join`.
"""

from __future__ import annotations

from array import array

from hub.monitor.history import GAP_PERIODS, History, Layout
from hub.monitor.tables import Table, np

__all__ = ["Run", "recent"]

Run = tuple[Table, Table]
"""Some samples of one instance: their times, and a table of (time, column)."""


def recent(layout: Layout, instances: list[list[Run]]) -> History | None:
    """One history of all instances' samples; None where two of them are of one moment."""
    lives = sorted((_life(layout, runs) for runs in instances if runs), key=lambda life: life[0][0])
    if not lives:
        return None
    times, values = (np.concatenate(parts) for parts in zip(*lives, strict=True))
    order = times.argsort(kind="stable")
    times, values = times[order], values[order]
    distances = np.diff(times)
    if not (distances > 0).all():
        return None
    fell = times[1:][values[1:, 0] < values[:-1, 0]]
    restarts = {float(life[0][0]) for life in lives[1:]} | {*fell.tolist()}
    far = distances > GAP_PERIODS * np.median(distances) if len(distances) else distances > 0
    gaps = zip(times[:-1][far].tolist(), times[1:][far].tolist(), strict=True)
    columns = zip(layout.counters + layout.values, values.T, strict=True)
    return History(
        None,
        array("d", times.tobytes()),
        {name: array("d", column.tobytes()) for name, column in columns},
        tuple(gaps),
        tuple(sorted(restarts)),
    )


def _life(layout: Layout, runs: list[Run]) -> Run:
    """One instance's samples in the order of time, rates behind them: the first has none, nor has one that fell."""
    times, figures = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    order = times.argsort(kind="stable")
    times, figures = times[order], figures[order]
    counters = figures[:, : len(layout.counters)]
    rates = np.full(counters.shape, np.nan)
    with np.errstate(all="ignore"):
        rises, spans = np.diff(counters, axis=0), np.diff(times)[:, None]
        np.divide(rises, spans, out=rates[1:], where=(rises >= 0) & (spans > 0))
    return times, np.concatenate([figures, rates], axis=1)
