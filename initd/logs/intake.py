"""The reading half of initd.output: from the pipes of programs into their channels.

Theory.  Reading is fair: in a turn of the loop a pipe is read once, and a loud one TURN_READS times only while no other
pipe has anything.  A pipe whose sink is congested is not read until the sink says that it is so no longer (`resume`),
so its program waits as it would without us.  What a loud program writes is read in a way of its own, initd.logs.relay.
"""

from __future__ import annotations

import errno
import os
import select

from wire.limits import DRAIN_BYTES, LOUD_BYTES, PARTIAL_LINE_SECONDS, READ_BYTES, TURN_READS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.logs.channel import Channel
    from initd.logs.desk import Desk, Pipe
    from initd.logs.pending import Pending
    from initd.logs.relay import Relay
    from initd.logs.stream import Watching

    Heard = Callable[[str, str, bytes], object]


class Intake:
    """See the module's docstring.  `tell(text)` tells a person one line."""

    def __init__(
        self, loop: Watching, now_wall: Callable[[], float], pending: Pending, tell: Callable[[str], None]
    ) -> None:
        self.on_capture: list[Heard] = []
        """Who is told of messages between the tokens of capture mode."""
        self._loop = loop
        self._now_wall = now_wall
        self._pending = pending
        self._tell = tell
        self._paused: list[tuple[Desk, Pipe]] = []
        """Pipes that are not read while their sink is congested."""
        self._latest: Pipe | None = None
        """Which was read last."""
        self._relay: Relay | None = None
        """None while no program was loud; most never are."""

    def reader(self, desk: Desk, pipe: Pipe) -> Callable[[int], object]:
        """What the loop shall call when the pipe can be read."""
        return lambda _mask: self._on_ready(desk, pipe)

    def resume(self) -> None:
        """A sink is congested no longer: read on what can go on."""
        paused, self._paused = self._paused, []
        for desk, pipe in paused:
            if pipe.channel.is_congested:
                self._paused.append((desk, pipe))
            elif pipe in desk.present or pipe in desk.lingering:
                self.read_on(desk, pipe)

    def empty(self, desk: Desk, pipe: Pipe) -> None:
        """Take what is in the pipe now, at most DRAIN_BYTES.

        The loop closes it as any other when it meets its end: at the end of PID 1 nobody need.
        """
        left = DRAIN_BYTES
        while left > 0:
            done = self._read(desk, pipe)
            if done is None and pipe.capture is not None:
                self.close(desk, pipe)  # what its capture held back belongs to the last lines
            if not done:
                return
            left -= done

    def close(self, desk: Desk, pipe: Pipe) -> None:
        """Read it no more."""
        for pipes in (desk.present, desk.lingering):
            if pipe in pipes:
                pipes.remove(pipe)
                self._loop.forget(pipe.fd)
                if self._relay is not None:
                    self._relay.forget(pipe)
                os.close(pipe.fd)
                rest = pipe.capture.end() if pipe.capture is not None else b""
                if rest:
                    self._take(desk, pipe.channel, rest)

    def teller(self, listeners: list[Heard], name: str, stream: str) -> Callable[[bytes], None]:
        """Calls all listeners; what one raises is said and disturbs nobody."""

        def tell(text: bytes) -> None:
            for listener in tuple(listeners):
                try:
                    listener(name, stream, text)
                except Exception as error:
                    self._tell(f"{name}: an event of its {stream} is lost: {type(error).__name__}: {error}")

        return tell

    def _on_ready(self, desk: Desk, pipe: Pipe) -> None:
        left = TURN_READS if self._latest is pipe else 1
        self._latest = pipe
        while left > 0 and not pipe.channel.is_congested:
            left -= 1
            done = self._read(desk, pipe)
            if done is None:
                self.close(desk, pipe)
            if done is None or done < LOUD_BYTES:
                return
        if pipe.channel.is_congested:
            self._loop.forget(pipe.fd)
            self._paused.append((desk, pipe))

    def read_on(self, desk: Desk, pipe: Pipe) -> None:
        """Read it from now on."""
        try:
            self._loop.watch(pipe.fd, select.EPOLLIN, self.reader(desk, pipe))
        except OSError:  # out of kernel memory: a pipe may not stay unread for ever
            self._paused.append((desk, pipe))
            self._loop.at(self._loop.now() + PARTIAL_LINE_SECONDS, self.resume)

    def _read(self, desk: Desk, pipe: Pipe) -> int | None:
        """Read once; returns the number of bytes, 0 where there was nothing, None at its end."""
        relay, moved = self._relay, 0
        chunk: bytes | int | None = None
        try:
            if relay is not None and relay.suits(pipe):
                moved = relay.move(pipe)
                chunk = relay.read(pipe, moved)
            if chunk is None:
                chunk = os.read(pipe.fd, READ_BYTES)
        except (BlockingIOError, InterruptedError, MemoryError):
            return 0
        except OSError as error:
            self._tell(f"{pipe.channel.origin.label}: cannot read: {os.strerror(error.errno or errno.EIO)}")
            self.close(desk, pipe)
            return None
        if not chunk:
            pipe.is_over = True
            return None
        size = moved + (chunk if isinstance(chunk, int) else len(chunk))
        if isinstance(chunk, int):
            self._take(desk, pipe.channel, chunk)
        else:
            self._hand(desk, pipe, chunk)
        if pipe.is_loud or size >= LOUD_BYTES:
            self._heed(pipe, size)
        return size

    def _heed(self, pipe: Pipe, size: int) -> None:
        if self._relay is None:
            from initd.logs.relay import Relay

            self._relay = Relay()
        self._relay.heed(pipe, size)

    def _hand(self, desk: Desk, pipe: Pipe, chunk: bytes) -> None:
        if pipe.channel.tap is not None and pipe in desk.present:
            pipe.channel.tell(pipe.channel.tap, chunk)
        if pipe.capture is None:
            self._take(desk, pipe.channel, chunk)
        else:
            self._sort(desk, pipe.channel, pipe.capture.feed(chunk))

    def _sort(self, desk: Desk, channel: Channel, found: list[tuple[str, bytes]]) -> None:
        """Text for the log goes there; messages to who listens.  Events of the log include both, as supervisord's."""
        name, _, stream = channel.origin.label.rpartition(" ")
        for kind, text in found:
            if kind == "log":
                self._take(desk, channel, text)
            elif kind == "message":
                self.teller(self.on_capture, name, stream)(text)
            elif channel.on_log is not None:
                channel.on_log(text)

    def _take(self, desk: Desk, channel: Channel, chunk: bytes | int) -> None:
        """A number: as many bytes, which are in the relay's buffer."""
        desk.serial += 1
        channel.spoke_at = self._now_wall()
        try:
            if not isinstance(chunk, int):
                channel.take(chunk, desk.serial)
            elif self._relay is not None:
                channel.relay(self._relay.buffer, chunk, desk.serial)
        except MemoryError:  # the text is lost, the reading goes on
            channel.origin.dropped += chunk if isinstance(chunk, int) else len(chunk)
        self._pending.look(channel)
