"""Samples in memory: one growing ring of packed blobs per roster and window, decoded only when asked.

Theory.  A sample of n processes is one blob: each column's n values, one column after the other.  It is kept as it
came, 48 bytes a process; decoding at intake would cost fifty times as much.  A `Stream` holds the blobs that share one
roster, so that row i means the same process in all of them; a new roster is a new stream.  Streams live in *windows* of
time (WINDOW seconds, aligned to the epoch).  When a window is over it is sealed into a segment file and leaves memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from math import inf

from hub.monitor.history import Layout
from wire._record import Record
from wire.model import RosterRow

__all__ = ["NOBODY", "WINDOW", "Key", "Last", "Rings", "Rosters", "Stream"]

WINDOW = 600.0
"""Seconds of raw samples in one segment: 120 samples of a process, so a query of an hour reads 6 blocks."""

ROSTERS_KEPT = 65536
"""Rosters remembered for samples to come, least recently used first out: six for each of 10,000 agents."""

LATE_ROSTER = 1 << 40
"""Added to the roster's number of samples that came behind younger ones: they are a stream of their own."""

SAME_SECONDS = 0.05
"""An agent's samples are further apart than this; what its clock is ahead is estimated more exactly."""

ROW_BYTES = 200
"""Memory of one roster row, roughly: seven objects and a tuple."""

SAMPLE_BYTES = 64
"""Memory of a sample beside its figures: its time, an object and its place in a list."""

NOBODY = RosterRow(0, 0, 0, "", "", "", 0)
"""Stands for the one row of a container."""


class Key(Record):
    """Whose samples: `kind` is "process" or "container", `subject` the agent or container id."""

    kind: str
    subject: str
    boot: str = ""
    roster: int = 0


class Stream:
    """The samples of one roster in one window."""

    def __init__(self, key: Key, layout: Layout, rows: tuple[RosterRow, ...], start: float) -> None:
        self.key, self.layout, self.rows = key, layout, rows
        self.boot, self.roster = key.boot, key.roster
        self.start, self.end = start, start + WINDOW
        """Its window."""
        self.width = layout.width * self.height
        self.lengths = [size * self.height for _, size, _ in layout.sizes]
        self.times: array[float] = array("d")
        self.blobs: list[bytes] = []
        self.written = 0
        """How many samples are in a journal already."""

    @property
    def height(self) -> int:
        """Rows in a sample; a container has one that needs no name."""
        return 1 if self.key.kind == "container" else len(self.rows)

    @property
    def at(self) -> float:
        """Time of the last sample."""
        return self.times[-1]

    @property
    def blob(self) -> bytes:
        """The last sample."""
        return self.blobs[-1]

    @property
    def data(self) -> bytes:
        """All samples, one after the other."""
        return b"".join(self.blobs)

    @property
    def memory(self) -> int:
        """Bytes it holds, roughly."""
        return (self.width + SAMPLE_BYTES) * len(self.times) + ROW_BYTES * len(self.rows)

    def put(self, at: float, blob: bytes) -> bool:
        """Append a sample; False for one that is not younger than the last (a repetition)."""
        times = self.times
        if times and at <= times[-1]:
            return False
        times.append(at)
        self.blobs.append(blob)
        return True

    def holds(self, at: float) -> bool:
        """Whether there is a sample of this time, or so near to it that it is the same by another reading."""
        place = bisect_left(self.times, at - SAME_SECONDS)
        return place < len(self.times) and self.times[place] <= at + SAME_SECONDS


class Last:
    """The last sample of a stream that is in memory no more; no time lies in its window."""

    start = end = inf
    boot, roster = "", 0

    def __init__(self, stream: Stream) -> None:
        self.key, self.rows, self.lengths = stream.key, stream.rows, stream.lengths
        self.at, self.blob = stream.at, stream.blob


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
        self._of: dict[tuple[str, str], list[Stream]] = {}

    def stream(self, key: Key, at: float) -> Stream | None:
        """The stream for a sample at this time, None if it is the first."""
        window = self.windows.get(at // WINDOW * WINDOW)
        return window.get(key) if window else None

    def open(self, key: Key, at: float, layout: Layout, rows: tuple[RosterRow, ...]) -> Stream:
        """Begin a stream."""
        start = at // WINDOW * WINDOW
        stream = self.windows.setdefault(start, {})[key] = Stream(key, layout, rows, start)
        self._of.setdefault((key.kind, key.subject), []).append(stream)
        self.memory += stream.memory
        return stream

    def put(self, stream: Stream, at: float, blob: bytes) -> bool:
        """Append a sample to a stream of an open window."""
        if not stream.put(at, blob):
            return False
        self.memory += len(blob) + SAMPLE_BYTES
        return True

    def put_behind(self, stream: Stream, at: float, blob: bytes) -> bool:
        """Take a sample older than the last one of its stream, unless it is there."""
        if stream.holds(at):
            return False
        key = stream.key._replace(roster=stream.key.roster + LATE_ROSTER)
        late = self.stream(key, at) or self.open(key, at, stream.layout, stream.rows)
        return self.put(late, at, blob)

    def take(self, window: float) -> dict[Key, Stream]:
        """Remove a window and return its streams."""
        streams = self.windows.pop(window, {})
        self.memory -= sum(stream.memory for stream in streams.values())
        for who in {(key.kind, key.subject) for key in streams}:
            self._of[who] = [stream for stream in self._of[who] if stream.start != window]
            if not self._of[who]:
                del self._of[who]
        return streams

    def of(self, kind: str, subject: str) -> Iterator[tuple[float, Stream]]:
        """All streams of one subject, with their windows, oldest first."""
        found = sorted(self._of.get((kind, subject), ()), key=lambda stream: stream.start)
        return ((stream.start, stream) for stream in found)

    def unwritten(self, window: float) -> list[Stream]:
        """The streams of a window with samples that no journal has."""
        return [stream for stream in self.windows.get(window, {}).values() if stream.written < len(stream.times)]
