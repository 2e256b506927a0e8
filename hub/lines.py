"""The sockets of hub.cluster.links: a DEALER to each other hub, under the key of role hub, in the loop's one thread.

libzmq gives a connection up for good where its key is refused, and a hub that is just joining is refused until the
others have read its lease.  So a line that does not stand after a while is dialled anew.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any

import zmq

from hub.clock import Instant
from hub.cluster.links import Links
from hub.loop import Loop
from hub.sockets import Socket, drain, send
from hub.words import Ask, Dial, Event, Replied
from wire import limits
from wire.codec import DecodeError, decode, encode
from wire.keys import KeyPair
from wire.messages import Refused
from wire.sockets import QUERIES, dial

ANEW_SECONDS = 2.0
"""After so long a line that does not stand is dialled anew."""
RETRY_SECONDS = 1.0
"""Longest pause between two tries to reach a hub."""
MOST = 200
"""Answers of one hub in one pass."""


class Lines:
    """Carries out Dial and Ask; what comes back is handed to the core in the loop's turn."""

    def __init__(self, loop: Loop, context: Any, pair: KeyPair, links: Links) -> None:
        self._loop, self._context, self._pair, self._links = loop, context, pair, links
        self._lines: dict[str, Socket] = {}
        self._places: dict[str, tuple[str, str]] = {}
        self._look_at = 0.0
        self._unsaid: deque[Replied] = deque()

    def stand(self) -> None:
        """Before the loop runs; who is a member already is dialled now."""
        self._loop.effects[Dial] = self._dial
        self._loop.effects[Ask] = self._ask
        self._loop.turns.append(self._turn)
        self._dial(Dial(dict(self._links.peers)))

    def _dial(self, effect: Dial) -> None:
        for hub in [one for one, place in self._places.items() if effect.peers.get(one) != place]:
            self._lines.pop(hub).close(0)
            del self._places[hub]
        for hub, (address, key) in effect.peers.items():
            if hub not in self._places:
                self._open(hub, address, key)
        self._watch()

    def _open(self, hub: str, address: str, key: str) -> None:
        with suppress(zmq.ZMQError):  # an address that is none: its questions go unanswered
            self._lines[hub] = dial(self._context, QUERIES, address, self._pair, key, RETRY_SECONDS)
            self._places[hub] = (address, key)

    def _again(self, now: float) -> None:
        """Dials anew what does not stand."""
        if now < self._look_at:
            return
        self._look_at = now + ANEW_SECONDS
        for hub, line in list(self._lines.items()):
            if not int(line.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
                line.close(0)
                del self._lines[hub]
                self._open(hub, *self._places[hub])
        self._watch()

    def _watch(self) -> None:
        self._loop.more = tuple(self._lines.values())

    def _ask(self, effect: Ask) -> None:
        line = self._lines.get(effect.hub)
        if line is None or not send(line, [b"", encode(effect.query)]):
            why = Refused(effect.query.id, "unreachable", f"there is no connection to hub {effect.hub}"[:200])
            self._unsaid.append(Replied(effect.hub, why))

    def _turn(self, now: Instant) -> list[Event]:
        self._again(now.mono)
        events: list[Event] = [self._unsaid.popleft() for _ in range(len(self._unsaid))]
        for hub, line in self._lines.items():
            for received in drain(line, MOST):
                with suppress(DecodeError):
                    events.append(Replied(hub, decode(received.frames[-1], limits.ANSWER_BYTES)))
        return events
