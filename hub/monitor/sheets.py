"""A stretch of samples as a table of bytes, one line a sample, and what a file holds of it.

Theory.  Samples arrive as blobs, all rows of one moment together, column after column.  Everything that is done with
them later (rolling up, packing, answering for one row) wants one figure over time.  Seen as a *sheet* the blobs of a
stream are a table that numpy reads where it lies, without a copy: so a figure of all rows over all times is worked on
by a few calls.

As bytes (`packed`) it is in pieces of PIECE rows (hub.monitor.planes), so that a question about one row opens one; in a
piece a row's bytes lie side by side.  Everything is little-endian, as in wire.messages.Sample.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from struct import Struct
from struct import error as StructError
from typing import Protocol

from hub.monitor.cells import Cells, inflated
from hub.monitor.history import Layout
from hub.monitor.planes import Planes, packed
from hub.monitor.tables import Table, np

__all__ = ["PIECE", "Packed", "Sheet", "joined", "open_cells", "open_sheet", "sheet_of"]

PIECE = 8
"""Rows in a piece: smaller ones compress worse, larger ones take longer to open."""

_COUNT = Struct("<I")
_EIGHT = np.arange(8)

Bytes = bytes | bytearray | memoryview


class Sheet:
    """The samples of some rows; `data` has one line a sample, as it came."""

    def __init__(self, layout: Layout, height: int, times: array[float], data: Table) -> None:
        self.layout, self.height, self.times, self.data = layout, height, times, data

    @property
    def counters(self) -> Table:
        """(time, column, row)."""
        return self._half(slice(None, self._cut), "<f8")

    @property
    def gauges(self) -> Table:
        """(time, column, row)."""
        return self._half(slice(self._cut, None), "<f4")

    @property
    def _cut(self) -> int:
        return 8 * len(self.layout.counters) * self.height

    def _half(self, part: slice, kind: str) -> Table:
        return self.data[:, part].view(kind).reshape(len(self.data), -1, self.height)

    def row(self, index: int) -> Table:
        """All figures of one row: (time, column), in numbers of its own."""
        return np.concatenate([self.counters[:, :, index], self.gauges[:, :, index]], axis=1, dtype="f8")

    def whole(self) -> Sheet:
        """Itself; see `Packed.whole`."""
        return self

    def blobs(self) -> bytes:
        """The samples as they came."""
        return bytes(self.data.tobytes())

    def packed(self) -> bytes:
        """Times and rows as bytes for a file; `open_sheet` is the way back."""
        order = _by_row(self.layout.sizes, self.height)
        times = np.frombuffer(self.times, "u1").reshape(-1, 8)
        pieces = [*packed(times, _EIGHT, 8), *packed(self.data, order, PIECE * self.layout.width)]
        return b"".join([_COUNT.pack(len(self.times)), *(_COUNT.pack(len(piece)) for piece in pieces), *pieces])


@lru_cache(maxsize=256)
def _by_row(sizes: tuple[tuple[str, int, str], ...], height: int) -> Table:
    """Where the bytes of each row lie in a sample, row after row."""
    places, start = [], 0
    for _, size, _ in sizes:
        places.append(start + np.arange(size * height).reshape(height, size))
        start += size * height
    return np.concatenate(places, axis=1).ravel()


def sheet_of(layout: Layout, height: int, times: array[float], blobs: Bytes) -> Sheet:
    """The samples of one stream, one blob after the other; they are read where they lie and must stay as they are.

    Raises ValueError where the blobs are not so many or not of this size.
    """
    data = np.frombuffer(blobs, "u1").reshape(len(times), layout.width * height)
    return Sheet(layout, height, times, data)


class Piece(Protocol):
    """Some rows of a packed sheet."""

    def columns(self, start: int, end: int) -> Table:
        """Some of its rows' bytes: (time, byte)."""


Opening = Callable[[Layout, memoryview, int, int], Piece]
"""Makes a piece of its bytes, so many lines and rows."""


def open_sheet(layout: Layout, height: int, body: Bytes) -> Packed:
    """What `packed` made of so many rows.  Raises ValueError where the bytes cannot be that; pieces do when opened."""
    times, *pieces = _pieces(height, memoryview(body)[_COUNT.size :])
    (count,) = _COUNT.unpack_from(body)
    at = array("d", Planes(times, count, 8).columns(0, 8).tobytes())
    return Packed(layout, height, at, pieces, lambda _, data, lines, rows: Planes(data, lines, rows * layout.width))


def open_cells(layout: Layout, height: int, body: Bytes) -> Packed:
    """The same of the form before this one."""
    times, *pieces = _pieces(height, memoryview(body))
    return Packed(layout, height, array("d", inflated(times)), pieces, Cells)


def _pieces(height: int, body: memoryview) -> list[memoryview]:
    """Times and pieces of a body: the length of each comes first."""
    number = 1 + (height + PIECE - 1) // PIECE
    try:
        lengths = Struct(f"<{number}I").unpack_from(body)
    except StructError:
        raise ValueError("a block of samples is cut off") from None
    ends = [*accumulate(lengths, initial=_COUNT.size * number)]
    return [body[start:end] for start, end in pairwise(ends)]


class Packed:
    """A packed sheet; a piece is opened when a row of it is asked for.  Raises ValueError where one is damaged."""

    def __init__(
        self, layout: Layout, height: int, times: array[float], pieces: list[memoryview], opening: Opening
    ) -> None:
        self.layout, self.height, self.times = layout, height, times
        self._piece = cache(lambda number: opening(layout, pieces[number], len(times), self._rows(number)))

    def _rows(self, number: int) -> int:
        return min(PIECE, self.height - number * PIECE)

    def row(self, index: int) -> Table:
        """All figures of one row: (time, column)."""
        width, place = self.layout.width, index % PIECE
        line = self._piece(index // PIECE).columns(place * width, (place + 1) * width)
        return Sheet(self.layout, 1, self.times, line).row(0)

    def whole(self) -> Sheet:
        """All rows."""
        width, pieces = self.layout.width, range((self.height + PIECE - 1) // PIECE)
        data = np.empty((len(self.times), self.height * width), "u1")
        data[:, _by_row(self.layout.sizes, self.height)] = np.concatenate(
            [self._piece(number).columns(0, self._rows(number) * width) for number in pieces], axis=1
        )
        return Sheet(self.layout, self.height, self.times, data)


def joined(sheets: list[Sheet]) -> Sheet:
    """Sheets of the same rows as one, in the order of time; of two samples of one moment the later sheet's counts."""
    if len(sheets) == 1:
        return sheets[0]
    sheets = sorted(sheets, key=lambda sheet: sheet.times[0])
    times = np.concatenate([sheet.times for sheet in sheets])
    order = times.argsort(kind="stable")
    order = order[np.append(np.diff(times[order]) > 0, True)]
    data = np.concatenate([sheet.data for sheet in sheets])[order]
    return Sheet(sheets[0].layout, sheets[0].height, array("d", times[order].tobytes()), data)
