"""Questions from hub to hub: each is answered once, or given up at its deadline.  Pure.

Theory.  A hub dials every other member's client port under a key of its own, of role hub, whose public half stands in
its lease; so whoever is admitted is a member at that moment, and who leaves is admitted no more.  Of one pair of hubs
each dials the other, so nobody waits for a connection that only the other could make.

A question carries `born`, the epoch at which the asking hub took its lease: a hub that was replaced by a later life of
itself is refused.  Questions are not repeated here: what must not be lost (a command) goes the slow way through the
store where no answer came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.cluster.rows import LeaseRow
from hub.words import Ask, Dial, Effects
from wire._record import Record
from wire.messages import Answer, Message, Query, Refused

SILENT_SECONDS = 5.0
"""A hub that did not answer is asked nothing for so long: whoever asks would only wait."""
MOST = 4096
"""Questions that may wait for an answer, of all hubs together."""

Heard = Callable[[Any, str, Instant], Effects]
"""(result, why there is none or "", now) -> effects."""


class Open(Record):
    """One question that waits."""

    hub: str
    until: float
    """Monotonic."""
    then: Heard


class Links:
    """The questions of one hub to the others."""

    def __init__(self, name: str, born: Callable[[], int]) -> None:
        """`born` says at which epoch this hub took its lease."""
        self.name, self.born = name, born
        self.open: dict[str, Open] = {}
        self.peers: dict[str, tuple[str, str]] = {}
        self.silent: dict[str, float] = {}
        """Hub -> monotonic time at which a question to it was given up last."""
        self._number = 0

    def follow(self, rows: tuple[LeaseRow, ...], now: Instant) -> Effects:
        """The members as they are now; what a hub that left was asked is given up."""
        peers = {
            row.hub: (row.peer, row.addresses[0][3])
            for row in rows
            if row.hub != self.name and row.peer and row.addresses
        }
        if peers == self.peers:
            return []
        gone = {hub for hub, place in self.peers.items() if peers.get(hub) != place}
        self.silent = {hub: at for hub, at in self.silent.items() if hub not in gone}
        self.peers = peers
        lost = [number for number, one in self.open.items() if one.hub in gone]
        return [Dial(dict(peers)), *(effect for one in lost for effect in self._end(one, None, "it left", now))]

    def ask(self, hub: str, op: str, args: Mapping[str, Any], seconds: float, then: Heard, now: Instant) -> Effects:
        """Ask one hub; `then` hears of it once, at the latest after so many seconds."""
        if hub not in self.peers:
            return then(None, "there is no link to it", now)
        if now.mono < self.silent.get(hub, float("-inf")) + SILENT_SECONDS:
            return then(None, "it does not answer", now)
        if len(self.open) >= MOST:
            return then(None, "too many questions are open", now)
        self._number += 1
        number = f"l{self._number}"
        self.open[number] = Open(hub, now.mono + seconds, then)
        return [Ask(hub, Query(number, op, {**args, "born": self.born()}))]

    def replied(self, hub: str, message: Message, now: Instant) -> Effects:
        """An answer; one that nobody waits for, or of another hub than was asked, changes nothing."""
        if not isinstance(message, (Answer, Refused)):
            return []
        waiting = self.open.get(message.id)
        if waiting is None or waiting.hub != hub:
            return []
        self.silent.pop(hub, None)
        if isinstance(message, Refused):
            return self._end(message.id, None, f"{message.code}: {message.message}", now)
        return self._end(message.id, message.result, "", now)

    def tick(self, now: Instant) -> Effects:
        """Gives up what waited too long."""
        over = [number for number, one in self.open.items() if now.mono >= one.until]
        for number in over:
            self.silent[self.open[number].hub] = now.mono
        return [effect for number in over for effect in self._end(number, None, "it does not answer", now)]

    def _end(self, number: str, result: Any, error: str, now: Instant) -> Effects:
        one = self.open.pop(number, None)
        return one.then(result, error, now) if one else []
