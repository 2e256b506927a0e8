"""One stream of one process: what it said lately, who listens, and where it goes.

Theory.  A channel belongs to a name, not to a run: it lives across restarts, so `tail` shows what the run before said.
`begin()` marks where a run starts, because the last lines of an exit record may only come from that run.  Several pipes
may feed one channel at a time: the present run's and those that grandchildren of earlier runs still hold open.
"""

from __future__ import annotations

from initd.logs.lines import Assembly, Spoken
from initd.logs.ring import Ring
from initd.logs.sink import Origin
from initd.logs.stream import CONGESTED
from initd.native import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.logs.sink import FileSink
    from initd.logs.stream import StreamSink

    Sink = FileSink | StreamSink

READS_KEPT = 64
"""Reads whose order is remembered, to merge the last lines of stdout and stderr: far more than the lines shown."""


class Channel:
    """stdout or stderr of one name."""

    def __init__(self, label: str) -> None:
        self.origin = Origin(label)
        self.ring = Ring()
        self.files: list[Sink] = []
        """Sinks of its own, which take chunks as they come."""
        self.shared: list[Sink] = []
        """Sinks that other programs write to as well, which take whole lines."""
        self.assembly = Assembly()
        self.faults = 0
        """Errors raised by followers."""
        self.spoke_at: float | None = None
        """Wall time of the last read, None before the first."""
        self._followers: list[Callable[[bytes], object]] = []
        self._reads: deque[tuple[int, int]] = deque(maxlen=READS_KEPT)
        self._mark = 0

    @property
    def is_congested(self) -> bool:
        """Whether one of its sinks asks for a pause."""
        return any(sink.flow is CONGESTED for sink in self.files + self.shared)

    def begin(self) -> None:
        """A new run starts here."""
        self._mark = self.ring.total

    def take(self, chunk: bytes, serial: int) -> None:
        """A chunk was read; `serial` grows from read to read over all channels of the name."""
        self.ring.write(chunk)
        self._reads.append((serial, self.ring.total))
        for sink in self.files:
            sink.write(chunk, self.origin)
        if self.shared:
            self._share(self.assembly.feed(chunk))
        for follower in tuple(self._followers):
            self._tell(follower, chunk)

    def release(self) -> None:
        """Let an unfinished line go out as it is."""
        self._share(self.assembly.take())

    def spoken(self) -> Spoken:
        """What the present run said, as far as it is still in the ring."""
        return Spoken(self.ring.since(self._mark), self.ring.total, list(self._reads))

    def follow(self, callback: Callable[[bytes], object]) -> Callable[[], None]:
        """Call `callback(chunk)` for each chunk; the result ends it."""
        self._followers.append(callback)

        def unfollow() -> None:
            if callback in self._followers:
                self._followers.remove(callback)

        return unfollow

    def _share(self, text: bytes) -> None:
        if text:
            for sink in self.shared:
                sink.write(text, self.origin)

    def _tell(self, follower: Callable[[bytes], object], chunk: bytes) -> None:
        try:
            follower(chunk)
        except Exception:
            self.faults += 1
