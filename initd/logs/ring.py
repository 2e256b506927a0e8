"""The last RING_BYTES bytes of one stream, behind `tail` and the last lines of an exit record.

Theory.  `total` counts every byte ever written and never falls, so a place in the stream is a number that stays valid
when the ring has moved on: byte number n (from 0) is still here while n >= total - size.  The buffer is allocated at
the first byte, because most of a thousand streams never speak.
"""

from __future__ import annotations

from wire.limits import RING_BYTES


class Ring:
    """A byte ring of fixed capacity."""

    def __init__(self, capacity: int = RING_BYTES) -> None:
        self.capacity = capacity
        self.total = 0
        """Bytes ever written."""
        self._buffer: bytearray | None = None
        self._begin = 0
        """Byte number before which nothing is here."""
        self._floor = 0
        """Where the stream was cleared last: nothing before that number is shown."""

    @property
    def size(self) -> int:
        """Bytes written since the ring was cleared, more than are here once it is full."""
        return self.total - self._floor

    def clear(self) -> None:
        """Forget what is here; places in the stream stay valid."""
        self._floor = self.total

    def write(self, chunk: bytes | memoryview) -> None:
        """Append; what no longer fits pushes out the oldest bytes."""
        self.total += len(chunk)
        if not chunk:
            return
        if self._buffer is None:
            self._buffer = bytearray(self.capacity)
        kept = memoryview(chunk)[-self.capacity :]
        start = (self.total - len(kept)) % self.capacity
        head = min(len(kept), self.capacity - start)
        self._buffer[start : start + head] = kept[:head]
        self._buffer[: len(kept) - head] = kept[head:]

    def skip(self, count: int) -> None:
        """So many bytes passed unseen: nothing before them is shown any more."""
        if count:
            self.total += count
            self._begin = self.total

    def since(self, place: int) -> bytes:
        """Everything from byte number `place` on, as far as it is still here."""
        return self.tail(self.total - place)

    def tail(self, count: int | None = None) -> bytes:
        """The last `count` bytes (all that are here for None)."""
        here = min(self.size, self.total - self._begin, self.capacity)
        count = here if count is None else max(0, min(count, here))
        if self._buffer is None or not count:
            return b""
        start = (self.total - count) % self.capacity
        first = bytes(self._buffer[start : start + count])
        return first + bytes(self._buffer[: count - len(first)])
