"""The blocks of the coarser tiers: the points of one boot's rows in one window.

Theory.  Points are lines of bytes, one figure beside the other (`Layout.point`); those of neighbouring steps differ in
few places, as samples do, so a block is one piece of hub.monitor.planes: a line a step, all rows side by side.  A row
with fewer points than the others repeats its last, which takes no room; the head tells how many are its own.  Of old
(and between stores, in exports) the points follow one after the other, and the head is just the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from hub.monitor.history import Layout, Point
from hub.monitor.planes import Planes, packed
from hub.monitor.tables import np
from hub.store.segments import Block
from wire._record import Record
from wire.model import RosterRow

__all__ = ["POINTS", "Part", "Points", "block_of", "of_points"]

POINTS = "points"
"""First word of the head of a block whose body is a packed table; older ones begin with a row."""


class Part(Record):
    """The points of one instance in one window of a tier."""

    boot: str
    row: RosterRow
    start: float
    end: float
    """Starts of the first and the last step."""
    points: int
    body: bytes


def of_points(layout: Layout, boot: str, row: RosterRow, points: list[Point]) -> Part:
    """Points that are not packed yet."""
    return Part(boot, row, points[0].at, points[-1].at, len(points), layout.pack(points))


def block_of(layout: Layout, who: tuple[str, str], boot: str, parts: Sequence[Part]) -> tuple[Block, list[Any], bytes]:
    """Index entry, head and body."""
    most, size = max(part.points for part in parts), layout.point.size
    lines = b"".join([part.body + part.body[-size:] * (most - part.points) for part in parts])
    table = np.frombuffer(lines, "u1").reshape(len(parts), most, size).transpose(1, 0, 2).reshape(most, -1)
    block = Block(*who, boot, min(part.start for part in parts), max(part.end for part in parts), 0, 0)
    head = [POINTS, [[list(part.row), part.points] for part in parts]]
    return block, head, packed(table, np.arange(table.shape[1]), table.shape[1])[0]


class Points:
    """What a block of today or of old holds.  Raises ValueError where the bytes cannot be that."""

    def __init__(self, layout: Layout, head: Any, body: bytes | memoryview) -> None:
        self._size, self._body = layout.point.size, body
        self.listed = head[1] if head and head[0] == POINTS else head
        """Rows and how many points each has."""
        self.rows = [RosterRow._make(row) for row, _ in self.listed]
        counts = [count for _, count in self.listed]
        self._ends = [self._size * end for end in accumulate(counts)]
        width = self._size * len(counts)
        self._planes = None if self.listed is head else Planes(body, max(counts), width)

    def of(self, index: int) -> bytes:
        """The points of one row, as `Layout.unpack` takes them."""
        size, count = self._size, self.listed[index][1]
        if self._planes is None:
            return bytes(self._body[self._ends[index] - count * size : self._ends[index]])
        return bytes(self._planes.columns(index * size, (index + 1) * size)[:count].tobytes())

    def plain(self) -> tuple[list[Any], bytes]:
        """Head and body as of old, for who takes points from here elsewhere."""
        return self.listed, b"".join([self.of(index) for index in range(len(self.rows))])
