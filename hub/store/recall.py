"""Answers out of segments and rings: the best tier for each stretch of time, decoded and joined.

Theory.  For a wanted step the tiers stand in an order of preference: the coarsest that divides it (least to read), the
finer ones after it (for the time that has not been rolled up yet), then the coarser ones (for the time whose finer
samples are gone).  Without a step the finest comes first.  Each tier in turn takes the windows that none before it has;
so every moment is answered once, by the best that is kept.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

from hub.monitor.history import CONTAINER, PROCESS, History, Layout, Point, join, points_of, rollup, rollup_samples
from hub.store.rings import Stream, decode
from hub.store.shelf import RAW, TIERS, Shelving, Tier
from wire.model import RosterRow

__all__ = ["LAYOUTS", "Instances", "recall", "rolled"]

LAYOUTS: dict[str, Layout] = {"process": PROCESS, "container": CONTAINER}

Instance = tuple[str, int, int]
"""Boot id, pid, start ticks."""

Match = Callable[[RosterRow], bool]
Span = tuple[float, float]
NOBODY = RosterRow(0, 0, 0, "", "", "", 0)
"""Stands for the one row of a container."""


class Instances:
    """What was found of each instance, (boot, pid, start ticks), within the spans still open."""

    def __init__(self, layout: Layout, match: Match) -> None:
        self._layout, self._match = layout, match
        self.rows: dict[Instance, RosterRow] = {}
        self._samples: dict[Instance, list[tuple[float, tuple[float, ...]]]] = defaultdict(list)
        self._points: dict[Instance, list[Point]] = defaultdict(list)

    def _wanted(self, boot: str, rows: Iterable[RosterRow]) -> Iterator[tuple[int, Instance]]:
        for index, row in enumerate(rows):
            if self._match(row):
                instance = (boot, row.pid, row.start_ticks)
                self.rows[instance] = row
                yield index, instance

    def add_stream(self, stream: Stream, spans: list[Span]) -> None:
        """Samples in memory."""
        for index, instance in self._wanted(stream.key.boot, stream.rows or (NOBODY,)):
            self._samples[instance] += _within(list(stream.samples(index)), spans)

    def add_raw(self, boot: str, head: Any, body: memoryview, spans: list[Span]) -> None:
        """A RAWB block: head [roster, rows, count], body times and blobs."""
        rows = [RosterRow(*row) for row in head[1]] or [NOBODY]
        times = array("d", bytes(body[: 8 * head[2]]))
        for index, instance in self._wanted(boot, rows):
            found = decode(self._layout, len(rows), index, times, body[8 * head[2] :])
            self._samples[instance] += _within(list(found), spans)

    def add_tier(self, boot: str, head: Any, body: memoryview, spans: list[Span], step: float) -> None:
        """A TIER block: head [[row, points] ...], body their points."""
        size, starts, offset = self._layout.point.size, [], 0
        for _, count in head:
            starts.append(offset)
            offset += count * size
        for index, instance in self._wanted(boot, [RosterRow(*row) for row, _ in head]):
            part = body[starts[index] : starts[index] + head[index][1] * size]
            self._points[instance] += _within(self._layout.unpack(part, step), spans)

    def points(self) -> dict[Instance, list[Point]]:
        """Each instance's points in the order of time."""
        return {instance: self._of(instance) for instance in self.rows}

    def _of(self, instance: Instance) -> list[Point]:
        raw = points_of(self._layout, sorted(self._samples.get(instance, ()), key=_TIME))
        return sorted(raw + self._points.get(instance, []), key=_TIME)

    def rolled(self, step: float) -> Iterator[tuple[Instance, RosterRow, list[Point]]]:
        """Each instance's points of a coarser tier, computed one by one."""
        return ((instance, row, self._rolled(instance, step)) for instance, row in self.rows.items())

    def _rolled(self, instance: Instance, step: float) -> list[Point]:
        raw = rollup_samples(self._layout, sorted(self._samples.get(instance, ()), key=_TIME), step)
        return raw + rollup(sorted(self._points.get(instance, ()), key=_TIME), step)


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
    return join(LAYOUTS[who[0]], list(found.points().values()), step)


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
    """One subject's points of a coarser tier, instance by instance."""
    found = Instances(LAYOUTS[who[0]], lambda row: True)
    for window in windows:
        read(shelf, source, window, who, found, [(window, window + source.span)])
    return found.rolled(step)
