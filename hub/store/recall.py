"""Answers out of segments and rings: the best tier for each stretch of time, decoded and joined.

Theory.  For a wanted step the tiers stand in an order of preference: the coarsest that divides it (least to read), the
finer ones after it (for the time that has not been rolled up yet), then the coarser ones (for the time whose finer
samples are gone).  Without a step the finest comes first.  Each tier in turn takes the windows that none before it has;
so every moment is answered once, by the best that is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

from hub.monitor.history import CONTAINER, PROCESS, History, Layout, Point, join, points_of, rollup
from hub.monitor.recent import Run, recent
from hub.monitor.sheets import Packed, Sheet, sheet_of
from hub.monitor.tables import np
from hub.store.rings import NOBODY, Stream
from hub.store.rolling import sheet_in
from hub.store.shelf import RAW, TIERS, Shelving, Tier
from hub.store.tiers import Points
from wire.model import RosterRow

__all__ = ["LAYOUTS", "Instances", "recall", "rolled"]

LAYOUTS: dict[str, Layout] = {"process": PROCESS, "container": CONTAINER}

Instance = tuple[str, int, int]
"""Boot id, pid, start ticks."""

Match = Callable[[RosterRow], bool]
Span = tuple[float, float]


class Instances:
    """What was found of each instance, (boot, pid, start ticks), within the spans still open."""

    def __init__(self, layout: Layout, match: Match) -> None:
        self._layout, self._match = layout, match
        self.rows: dict[Instance, RosterRow] = {}
        self._runs: dict[Instance, list[Run]] = defaultdict(list)
        self._points: dict[Instance, list[Point]] = defaultdict(list)

    def _wanted(self, boot: str, rows: Iterable[RosterRow]) -> Iterator[tuple[int, Instance]]:
        for index, row in enumerate(rows):
            if self._match(row):
                instance = (boot, row.pid, row.start_ticks)
                self.rows[instance] = row
                yield index, instance

    def add_stream(self, stream: Stream, spans: list[Span]) -> None:
        """Samples in memory."""
        wanted = list(self._wanted(stream.key.boot, stream.rows or (NOBODY,)))
        if wanted:
            self._add(wanted, sheet_of(stream.layout, stream.height, stream.times[:], stream.data), spans)

    def add_raw(self, boot: str, head: Any, body: memoryview, spans: list[Span]) -> None:
        """A raw block."""
        _, rows, sheet = sheet_in(self._layout, head, body)
        self._add(self._wanted(boot, rows or (NOBODY,)), sheet, spans)

    def _add(self, wanted: Iterable[tuple[int, Instance]], sheet: Sheet | Packed, spans: list[Span]) -> None:
        times = np.array(sheet.times)
        meant = np.logical_or.reduce([(start <= times) & (times < end) for start, end in spans])
        for index, instance in wanted:
            if meant.any():
                self._runs[instance].append((times[meant], sheet.row(index)[meant]))

    def add_tier(self, boot: str, head: Any, body: memoryview, spans: list[Span], step: float) -> None:
        """A block of a coarser tier."""
        points = Points(self._layout, head, body)
        for index, instance in self._wanted(boot, points.rows):
            self._points[instance] += _within(self._layout.unpack(points.of(index), step), spans)

    def history(self, step: float | None) -> History:
        """All of them as one."""
        found = recent(self._layout, list(self._runs.values())) if step is None and not self._points else None
        return found or join(self._layout, [self._of(instance) for instance in self.rows], step)

    def _of(self, instance: Instance) -> list[Point]:
        samples = [
            (at, tuple(figures))
            for times, table in self._runs.get(instance, ())
            for at, figures in zip(times.tolist(), table.tolist(), strict=True)
        ]
        raw = points_of(self._layout, sorted(samples, key=_TIME))
        return sorted(raw + self._points.get(instance, []), key=_TIME)

    def rolled(self, step: float) -> Iterator[tuple[Instance, RosterRow, list[Point]]]:
        """The points of each instance as those of a coarser tier, computed one by one."""
        ordered = ((instance, row, sorted(self._points[instance], key=_TIME)) for instance, row in self.rows.items())
        return ((instance, row, rollup(points, step)) for instance, row, points in ordered)


_TIME = itemgetter(0)

Timed = TypeVar("Timed", bound=tuple[Any, ...])


def _within(items: list[Timed], spans: list[Span]) -> list[Timed]:
    """Those whose time (their first field) lies in one of the spans; items are in the order of time."""
    if items and any(start <= items[0][0] and items[-1][0] < end for start, end in spans):
        return items
    return [item for item in items if any(start <= item[0] < end for start, end in spans)]


def recall(
    shelf: Shelving,
    streams: list[tuple[float, Stream]],
    who: tuple[str, str],
    match: Match,
    between: Span,
    step: float | None,
) -> History:
    """The history of one subject's rows that match; `streams` are its samples in memory, with their windows."""
    start, end = between
    found = Instances(LAYOUTS[who[0]], match)
    open_spans = [(start // step * step if step else start, end)]
    for tier in _preferred(step):
        memory = streams if tier is RAW else []
        for window in sorted({*shelf.windows(tier), *(w for w, _ in memory)}):
            spans, open_spans = _cut(open_spans, (window, window + tier.span))
            if spans:
                read(shelf, tier, window, who, found, spans)
                for stream in [s for w, s in memory if w == window]:
                    found.add_stream(stream, spans)
    return found.history(step)


def read(shelf: Shelving, tier: Tier, window: float, who: tuple[str, str], found: Instances, spans: list[Span]) -> None:
    """Everything a window has of one subject."""
    for block, head, body in shelf.read(tier, window, *who):
        if tier is RAW:
            found.add_raw(block.boot, head, body, spans)
        else:
            found.add_tier(block.boot, head, body, spans, tier.step)


def _preferred(step: float | None) -> list[Tier]:
    fitting = [tier for tier in TIERS if step and tier.step <= step and (tier is RAW or step % tier.step == 0)]
    return fitting[::-1] + [tier for tier in TIERS if tier not in fitting]


def _cut(spans: list[Span], by: Span) -> tuple[list[Span], list[Span]]:
    """The parts of `spans` inside and outside of `by`."""
    inside = [(max(a, by[0]), min(b, by[1])) for a, b in spans]
    outside = [(a, min(b, by[0])) for a, b in spans] + [(max(a, by[1]), b) for a, b in spans]
    return [span for span in inside if span[0] < span[1]], [span for span in outside if span[0] < span[1]]


def rolled(
    shelf: Shelving, source: Tier, windows: list[float], who: tuple[str, str], step: float
) -> Iterator[tuple[Instance, RosterRow, list[Point]]]:
    """One subject's points of a coarser tier out of a finer one's, instance by instance."""
    found = Instances(LAYOUTS[who[0]], lambda row: True)
    for window in windows:
        read(shelf, source, window, who, found, [(window, window + source.span)])
    return found.rolled(step)
