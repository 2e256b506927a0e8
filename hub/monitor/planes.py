"""A table of bytes, line after line of one shape, as a file holds it: the first line, and what changes.

Theory.  Lines are samples of some rows, or points of a tier: the same figures at one moment after the other.  A column
is one byte of one figure; of four, three never change, and of a figure that rises slowly the upper bytes seldom do.  So
a piece of a table is

    a bit for each column, 1 where it changes; the first line;
    a bit for each later byte of these columns, 1 where it is another than the one before; the differences (modulo 256).

What is left are the bytes that carry news, and these do not compress: zlib made a window smaller by a tenth, and took
ten times as long as all of this.
"""

from __future__ import annotations

from itertools import pairwise

from hub.monitor.tables import Table, np

__all__ = ["Planes", "packed"]


def packed(table: Table, order: Table, piece: int) -> list[bytes]:
    """The columns of a table in this order, so many a piece; a multiple of 8 where there is more than one."""
    varies = (table[1:] != table[:1]).any(axis=0)[order]
    columns = np.ascontiguousarray(table[:, order[varies]].T)
    steps = columns[:, 1:] - columns[:, :-1]
    bits, first = np.packbits(varies, bitorder="little").tobytes(), table[0, order].tobytes()
    starts = range(0, len(order), piece)
    cuts = [0, *np.add.reduceat(varies, starts, dtype="i8").cumsum().tolist()]
    parts = zip(starts, pairwise(cuts), strict=True)
    return [
        bits[at // 8 : (at + piece + 7) // 8] + first[at : at + piece] + _sparse(steps[a:b]) for at, (a, b) in parts
    ]


def _sparse(steps: Table) -> bytes:
    there = steps != 0
    return bytes(np.packbits(there, bitorder="little").tobytes() + steps[there].tobytes())


class Planes:
    """A piece that `packed` made of so many lines and columns.  Raises ValueError where the bytes cannot be that."""

    def __init__(self, data: bytes | memoryview, lines: int, width: int) -> None:
        self._data, self._place, self._lines = np.frombuffer(data, "u1"), 0, lines
        self._varies = self._flags(width)
        self._first = self._bytes(width)
        there = self._flags(int(np.count_nonzero(self._varies)) * (lines - 1))
        steps = np.zeros(len(there), "u1")
        steps[there] = self._bytes(int(np.count_nonzero(there)))
        if self._place != len(self._data):
            raise ValueError(f"a piece of a block of samples has {len(self._data)} bytes, not {self._place}")
        self._steps = steps.reshape(int(np.count_nonzero(self._varies)), lines - 1)

    def _bytes(self, count: int) -> Table:
        self._place += count
        found = self._data[self._place - count : self._place]
        if len(found) < count:
            raise ValueError("a piece of a block of samples is cut off")
        return found

    def _flags(self, count: int) -> Table:
        return np.unpackbits(self._bytes((count + 7) // 8), count=count, bitorder="little").view(bool)

    def columns(self, start: int, end: int) -> Table:
        """Some columns: (line, column)."""
        varies, skipped = self._varies[start:end], int(np.count_nonzero(self._varies[:start]))
        steps = self._steps[skipped : skipped + int(np.count_nonzero(varies))]
        table = np.empty((self._lines, end - start), "u1")
        table[:] = self._first[start:end]
        table[1:, varies] += steps.T.cumsum(axis=0, dtype="u1")
        return table
