"""What is written of open windows every 10 s: little and cheap, since a sealed window replaces it.

Theory.  The first that is written of a stream are samples whole.  All later ones are told by how they differ from the
stream's very first, four bytes at a time: a bit for each word, 1 where it is another, then those words (XOR).  Most
figures of most processes never change within a window, so this is as small as what zlib makes of the same samples and
takes a tenth of its time; and nothing needs any but the first.  Streams of one shape are thinned together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hub.monitor.tables import np
from hub.store.rings import Key, Stream
from wire._record import Record
from wire.model import RosterRow

__all__ = ["Unwritten", "spread_out", "thinned", "unwritten"]


AT_ONCE = 64 * 1024
"""Bytes that are thinned at one time: with more, half of the time goes into memory that is fetched and given back."""


class Unwritten(Record):
    """Samples of one stream that are only in memory."""

    key: Key
    rows: tuple[RosterRow, ...]
    before: int
    """How many samples of the stream are written; where there are any, `data` is thinned."""
    times: bytes
    data: bytes

    @property
    def number(self) -> int:
        """How many these are."""
        return len(self.times) // 8


def unwritten(streams: Sequence[Stream]) -> list[Unwritten]:
    """What is to be written of each of these streams."""
    data = {stream: b"".join(stream.blobs[stream.written :]) for stream in streams}
    alike: defaultdict[tuple[int, int], list[Stream]] = defaultdict(list)
    for stream in streams:
        if stream.written:
            alike[stream.width, len(data[stream])].append(stream)
    for (_, size), same in alike.items():
        number = max(1, AT_ONCE // size)
        for some in (same[first : first + number] for first in range(0, len(same), number)):
            thin = thinned([stream.blobs[0] for stream in some], [data[stream] for stream in some])
            data |= zip(some, thin, strict=True)
    return [Unwritten(s.key, s.rows, s.written, s.times[s.written :].tobytes(), data[s]) for s in streams]


def thinned(firsts: Sequence[bytes], blobs: Sequence[bytes]) -> list[bytes]:
    """Samples of streams of one shape by how they differ from the first of each; `spread_out` is the way back."""
    bases = np.frombuffer(b"".join(firsts), "<u4").reshape(len(firsts), 1, -1)
    words = np.frombuffer(b"".join(blobs), "<u4").reshape(len(firsts), -1, bases.shape[2]) ^ bases
    words = words.reshape(len(firsts), -1)
    others = words != 0
    bits, changed = np.packbits(others, axis=1), words[others].tobytes()
    ends = (4 * np.count_nonzero(others, axis=1).cumsum()).tolist()
    cuts = zip([0, *ends], ends, strict=False)
    return [bits[number].tobytes() + changed[start:end] for number, (start, end) in enumerate(cuts)]


def spread_out(first: bytes, count: int, data: bytes | memoryview) -> bytes:
    """So many samples again.  Raises ValueError where the bytes cannot be that."""
    width = len(first) // 4
    cut = (count * width + 7) // 8
    others = np.unpackbits(np.frombuffer(data[:cut], "u1"), count=count * width).astype(bool)
    words = np.zeros(count * width, "<u4")
    words[others] = np.frombuffer(data[cut:], "<u4")
    return bytes((words.reshape(count, width) ^ np.frombuffer(first, "<u4")).tobytes())
