"""One stream of one process: what it said lately, who listens, and where it goes.

Theory.  A channel belongs to a name, not to a run: it lives across restarts, so `tail` shows what the run before said.
`begin()` marks where a run starts, because the last lines of an exit record may only come from that run.  Several pipes
may feed one channel at a time: the present run's and those that grandchildren of earlier runs still hold open.

Who gets what, of a chunk that was read:

    escape sequences are taken out (initd.logs.ansi), secrets masked (initd.logs.mask), if the configuration asks for it
    ring, followers, files, log events     that text as it comes; where there are masks, as whole lines
    syslog                                 whole lines
    `shared` sinks (the container's)       whole lines, in their shape (initd.logs.shape) if they have one
    `spare` (the container's)              the same, while there is no syslog daemon

What waits for the end of its line waits in one place, `assembly`, for at most PARTIAL_LINE_SECONDS (initd.output).
"""

from __future__ import annotations

from initd.logs.lines import Assembly, Spoken, blocks
from initd.logs.ring import Ring
from initd.logs.sink import Origin
from initd.logs.stream import CONGESTED
from initd.native import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from initd.logs.ansi import Strip
    from initd.logs.mask import Mask
    from initd.logs.shape import JsonShape, TextShape
    from initd.logs.sink import FileSink
    from initd.logs.stream import StreamSink
    from initd.logs.syslog import SyslogSink

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
        """Sinks that other programs write to as well, which take whole lines, in their shape."""
        self.syslog: SyslogSink | None = None
        self.spare: StreamSink | None = None
        self.strip: Strip | None = None
        self.mask: Mask | None = None
        self.shape: TextShape | JsonShape | None = None
        self.on_log: Callable[[bytes], object] | None = None
        """Told of everything, where the program has log events."""
        self.tap: Callable[[bytes], object] | None = None
        """Told of what the present run writes before anything is done to it; see Output.tap."""
        self.pid: int | None = None
        """The present run, None where nobody said."""
        self.assembly = Assembly()
        self.faults = 0
        """Errors raised by followers."""
        self.spoke_at: float | None = None
        """Wall time of the last read, None before the first."""
        self.followers: list[Callable[[bytes], object]] = []
        """Who listens, see `follow`."""
        self._reads: deque[tuple[int, int]] = deque(maxlen=READS_KEPT)
        self._mark = 0
        self._serial = 0
        self._is_open = False
        """The last line that a shape made does not end the program's line."""

    @property
    def sinks(self) -> list[Sink]:
        """All of them but syslog."""
        return self.files + self.shared + ([self.spare] if self.spare is not None else [])

    @property
    def is_congested(self) -> bool:
        """Whether one of its sinks asks for a pause."""
        for sink in self.shared:
            if sink.flow is CONGESTED:
                return True
        return any(sink.flow is CONGESTED for sink in self.files) or (
            self.spare is not None and self.spare.flow is CONGESTED
        )

    def begin(self) -> None:
        """A new run starts here."""
        self._mark = self.ring.total
        self.pid = None
        for sink in self.sinks:
            sink.begin()

    def take(self, chunk: bytes, serial: int) -> None:
        """A chunk was read; `serial` grows from read to read over all channels of the name."""
        if self.strip is not None:
            chunk = self.strip(chunk)
        self._serial = serial
        if self.mask is not None:
            for block in blocks(self.assembly.feed(chunk)):
                text = self.mask(block)
                self._give(text)
                self._share(text)
            return
        self._give(chunk)
        if self.shared or self.syslog is not None:
            self._share(self.assembly.feed(chunk))

    @property
    def is_plain(self) -> bool:
        """Whether what it takes goes out as it came, and only to sinks."""
        return not (self.followers or self.strip or self.mask or self.shape or self.on_log or self.tap or self.syslog)

    def relay(self, buffer: bytearray, size: int, serial: int) -> None:
        """As `take`, of the first `size` bytes of a buffer that will be used again; only for a plain channel.

        Nothing is copied but the end of it, into the ring, the unfinished line, and what a sink cannot take now.
        """
        end = buffer.rfind(b"\n", 0, size) + 1
        chunk = memoryview(buffer)[:size]
        if self.shared and (not end or size - end > self.assembly.limit):
            self.take(bytes(chunk), serial)
            return
        self.ring.write(chunk)
        self._reads.append((serial, self.ring.total))
        for sink in self.files:
            sink.relay((chunk,), self.origin)
        if self.shared:
            whole = (self.assembly.swap(bytes(chunk[end:])), chunk[:end])
            for sink in self.shared:
                sink.relay(whole, self.origin)

    @property
    def may_splice(self) -> bool:
        """Whether all goes to one stream, uncopied where the kernel can do that."""
        return len(self.shared) == 1 and not self.files and self.shared[0].may_splice

    def splice(self, source: int, count: int) -> int:
        """Move bytes of a pipe into the one sink; how many.  Right after it `relay` must bring what is behind them."""
        sink = self.shared[0]
        sink.write(self.assembly.swap(b""), self.origin)
        moved = sink.splice(source, count)
        self.ring.skip(moved)
        return moved

    def release(self, all: bool = False) -> None:
        """Let an unfinished line go out as it is; `all`: nothing comes any more, whatever it is unfinished in."""
        if self.mask is None and not self.assembly.held and not self._is_open:
            return
        text = self.assembly.take(all)
        if self.mask is not None:
            text = self.mask(text)
            self._give(text)
            if all:
                self.mask.forget()
        if all and self.shape is not None and (text[-1:] != b"\n" if text else self._is_open):
            self._share(text + b"\n", text)
        else:
            self._share(text)

    @property
    def is_mute(self) -> bool:
        """Whether the present run has said nothing at all."""
        return self.ring.total == self._mark

    def spoken(self) -> Spoken:
        """What the present run said, as far as it is still in the ring."""
        return Spoken(self.ring.since(self._mark), self.ring.total, list(self._reads))

    def follow(self, callback: Callable[[bytes], object]) -> Callable[[], None]:
        """Call `callback(chunk)` for each chunk; the result ends it."""
        self.followers.append(callback)

        def unfollow() -> None:
            if callback in self.followers:
                self.followers.remove(callback)

        return unfollow

    def _give(self, text: bytes) -> None:
        if not text:
            return
        self.ring.write(text)
        self._reads.append((self._serial, self.ring.total))
        for sink in self.files:
            sink.write(text, self.origin)
        for follower in tuple(self.followers):
            self.tell(follower, text)
        if self.on_log is not None:
            self.tell(self.on_log, text)

    def _share(self, text: bytes, said: bytes | None = None) -> None:
        """`said`: what the program wrote, where `text` is something else."""
        if not text:
            return
        sinks = self.shared
        if self.syslog is not None:
            if self.syslog.is_there():
                self.syslog.write(text if said is None else said, self.origin)
            elif self.spare is not None:
                sinks = [*sinks, self.spare]
        if not sinks:
            return
        for part in (text,) if self.shape is None else self._shaped(text, self.shape):
            for sink in sinks:
                sink.write(part, self.origin)

    def _shaped(self, text: bytes, shape: TextShape | JsonShape) -> Iterator[bytes]:
        self._is_open = text[-1:] != b"\n"
        for block in blocks(text):
            yield shape(block, self.spoke_at or 0.0, self.pid)

    def tell(self, follower: Callable[[bytes], object], chunk: bytes) -> None:
        """Call it; an error of its is counted."""
        try:
            follower(chunk)
        except Exception:
            self.faults += 1
