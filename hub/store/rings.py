"""Samples in memory: one growing ring of packed blobs per roster and window, decoded only when asked.

Theory.  A sample of n processes is one blob: each column's n values, one column after the other.  It is appended as it
came, 48 bytes a process; decoding at intake would cost fifty times as much.  A `Stream` holds the blobs that share one
roster, so that row i means the same process in all of them; a new roster is a new stream.  Streams live in *windows* of
time (WINDOW seconds, aligned to the epoch).  When a window is over it is sealed into a segment file and leaves memory.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from hub.monitor.history import Layout
from wire._record import Record
from wire.model import RosterRow

__all__ = ["WINDOW", "Key", "Rings", "Rosters", "Stream"]

WINDOW = 600.0
"""Seconds of raw samples in one segment: 120 samples of a process, so a query of an hour reads 6 blocks."""

ROSTERS_KEPT = 65536
"""Rosters remembered for samples to come, least recently used first out: six for each of 10,000 agents."""

ROW_BYTES = 200
"""Memory of one roster row, roughly: seven objects and a tuple."""


class Key(Record):
    """Whose samples: `kind` is "process" or "container", `subject` the agent or container id."""

    kind: str
    subject: str
    boot: str = ""
    roster: int = 0


class Stream:
    """The samples of one roster in one window."""

    def __init__(self, key: Key, layout: Layout, rows: tuple[RosterRow, ...]) -> None:
        self.key, self.layout, self.rows = key, layout, rows
        self.width = layout.width * self.height
        self.lengths = [size * self.height for _, size, _ in layout.sizes]
        self.times: array[float] = array("d")
        self.data = bytearray()
        self.written = 0
        """How many samples are in a journal already."""

    @property
    def height(self) -> int:
        """Rows in a sample; a container has one that needs no name."""
        return 1 if self.key.kind == "container" else len(self.rows)

    @property
    def memory(self) -> int:
        """Bytes it holds, roughly."""
        return len(self.data) + 8 * len(self.times) + ROW_BYTES * len(self.rows)

    def put(self, at: float, blob: bytes) -> bool:
        """Append a sample; False for one that is not younger than the last (a repetition)."""
        times = self.times
        if times and at <= times[-1]:
            return False
        times.append(at)
        self.data += blob
        return True

    def samples(self, index: int) -> Iterator[tuple[float, tuple[float, ...]]]:
        """Time and columns of one row, oldest first."""
        return decode(self.layout, self.height, index, self.times, self.data)


def decode(
    layout: Layout, height: int, index: int, times: array[float], data: bytes | bytearray | memoryview
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """One row out of packed samples."""
    return zip(times, layout.row_of(height, index).iter_unpack(bytes(data)), strict=True)


class Rosters:
    """What the numbers of rosters mean, for samples to come."""

    def __init__(self, kept: int = ROSTERS_KEPT) -> None:
        self._rows: OrderedDict[Key, tuple[RosterRow, ...]] = OrderedDict()
        self._kept = kept

    def put(self, key: Key, rows: tuple[RosterRow, ...]) -> None:
        """Remember; what was said first under a number stays."""
        self._rows.setdefault(key, rows)
        self._rows.move_to_end(key)
        if len(self._rows) > self._kept:
            self._rows.popitem(last=False)

    def get(self, key: Key) -> tuple[RosterRow, ...] | None:
        """The rows, None if unknown."""
        rows = self._rows.get(key)
        if rows is not None:
            self._rows.move_to_end(key)
        return rows


class Rings:
    """The windows that are still open, by start; `memory` counts their bytes."""

    def __init__(self) -> None:
        self.windows: dict[float, dict[Key, Stream]] = {}
        self.memory = 0

    def stream(self, key: Key, at: float) -> Stream | None:
        """The stream for a sample at this time, None if it is the first."""
        window = self.windows.get(at // WINDOW * WINDOW)
        return window.get(key) if window else None

    def open(self, key: Key, at: float, layout: Layout, rows: tuple[RosterRow, ...]) -> Stream:
        """Begin a stream."""
        stream = Stream(key, layout, rows)
        self.windows.setdefault(at // WINDOW * WINDOW, {})[key] = stream
        self.memory += stream.memory
        return stream

    def put(self, stream: Stream, at: float, blob: bytes) -> bool:
        """Append a sample to a stream of an open window."""
        if not stream.put(at, blob):
            return False
        self.memory += len(blob) + 8
        return True

    def take(self, window: float) -> dict[Key, Stream]:
        """Remove a window and return its streams."""
        streams = self.windows.pop(window, {})
        self.memory -= sum(stream.memory for stream in streams.values())
        return streams

    def of(self, kind: str, subject: str) -> Iterator[tuple[float, Stream]]:
        """All streams of one subject, with their windows, oldest first."""
        for start in sorted(self.windows):
            yield from ((start, s) for k, s in self.windows[start].items() if k.subject == subject and k.kind == kind)

    def unwritten(self, window: float) -> list[Stream]:
        """The streams of a window with samples that no journal has."""
        return [stream for stream in self.windows.get(window, {}).values() if stream.written < len(stream.times)]


def tail(stream: Stream) -> tuple[array[float], bytes]:
    """Times and blobs that are not written yet."""
    first = stream.written
    return array("d", islice(stream.times, first, None)), bytes(memoryview(stream.data)[first * stream.width :])
