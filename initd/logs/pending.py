"""Unfinished lines that wait for their end: none longer than PARTIAL_LINE_SECONDS, with one timer for all of them."""

from __future__ import annotations

from wire.limits import PARTIAL_LINE_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.logs.channel import Channel
    from initd.logs.stream import Watching


class Pending:
    """Channels with an unfinished line."""

    def __init__(self, loop: Watching) -> None:
        self._loop = loop
        self._held: dict[Channel, tuple[int, float]] = {}
        """Which line it is (Assembly.released), and since when it is held."""
        self._timer: object | None = None

    def look(self, channel: Channel) -> None:
        """Something was read: see to it that an unfinished line does not wait long for its end."""
        if not channel.assembly.held:
            self._held.pop(channel, None)
            return
        known = self._held.get(channel)
        if known is None or known[0] != channel.assembly.released:
            self._held[channel] = (channel.assembly.released, self._loop.now())
        if self._timer is None:
            self._timer = self._loop.at(self._loop.now() + PARTIAL_LINE_SECONDS, self._release_due)

    def release_all(self) -> None:
        """Nothing comes any more."""
        for channel in tuple(self._held):
            channel.release(all=True)

    def _release_due(self) -> None:
        self._timer = None
        now = self._loop.now()
        for channel, (_, since) in tuple(self._held.items()):
            if since + PARTIAL_LINE_SECONDS <= now:
                del self._held[channel]
                channel.release()
        if self._held:
            oldest = min(since for _, since in self._held.values())
            self._timer = self._loop.at(oldest + PARTIAL_LINE_SECONDS, self._release_due)
