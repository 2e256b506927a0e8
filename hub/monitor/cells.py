"""Pieces of packed sheets of an older form, which stores may still hold.

Theory.  A row has a *cell* for each column; most never change.  A piece is: a bit for each cell, 1 where it varies; the
single values; then the byte planes of each varying cell (first bytes of all values, then the second ones ...).  All
else of a packed sheet is as it is today (hub.monitor.sheets).
"""

from __future__ import annotations

import zlib

from hub.monitor.history import Layout
from hub.monitor.tables import Table, np

__all__ = ["Cells", "inflated"]


class Cells:
    """Where each cell of a piece lies, and whether it varies.  Raises ValueError where the bytes cannot be that."""

    def __init__(self, layout: Layout, piece: bytes | memoryview, count: int, height: int) -> None:
        self._data = inflated(piece)
        self._count, self._width, self._cells = count, layout.width, len(layout.sizes)
        self._sizes = [size for _, size, _ in layout.sizes] * height
        sizes, head = np.array(self._sizes), (len(self._sizes) + 7) // 8
        flags = np.frombuffer(self._data[:head].ljust(head, b"\0"), "u1")
        bits = np.unpackbits(flags, count=len(sizes), bitorder="little")
        ones, planes = np.where(bits, 0, sizes).cumsum(), np.where(bits, sizes * count, 0).cumsum()
        whole = head + int(ones[-1] + planes[-1])
        if whole != len(self._data):
            raise ValueError(f"a piece of a block of samples has {len(self._data)} bytes, not {whole}")
        places = np.where(bits, ones[-1] + planes - sizes * count, ones - sizes)
        self._varies, self._places = bits.tolist(), (head + places).tolist()

    def columns(self, start: int, end: int) -> Table:
        """The bytes of some whole rows: (time, byte)."""
        first, last = (place // self._width * self._cells for place in (start, end))
        return np.ascontiguousarray(np.concatenate([self._cell(number) for number in range(first, last)]).T)

    def _cell(self, number: int) -> Table:
        """(byte, time)."""
        size, place, count = self._sizes[number], self._places[number], self._count
        if self._varies[number]:
            return np.frombuffer(self._data, "u1", size * count, place).reshape(size, count)
        return np.frombuffer(self._data, "u1", size, place)[:, None].repeat(count, axis=1)


def inflated(data: bytes | memoryview) -> bytes:
    """What zlib compressed.  Raises ValueError."""
    try:
        return zlib.decompress(data, bufsize=8 * len(data) + 64)
    except zlib.error as error:
        raise ValueError(f"a piece of a block of samples is damaged ({error})") from None
