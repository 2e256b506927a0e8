"""One conversation of a relay with one hub, over one connection: beats, reports, orders.

Theory.  A DEALER to 7401 with IMMEDIATE: what cannot be sent now stays in the outbox.  A beat goes out every period
and at once after connecting; reports follow the first answer, because only then the hub knows who speaks here.  The
conversation ends with one word: the hub refused our key (enrol again), another relay uses it too (make a new one), we
are to be elsewhere (wire.places decides), our key was changed, or the relay stops (say goodbye).  A hub that refuses a
key in the handshake says so by a monitor event and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

import zmq

from hub.engines.reports import EngineCommand
from hub.relay.guard import Guard
from hub.relay.outbox import Outbox
from wire._record import Record
from wire.codec import DecodeError, EncodeError, decode, encode
from wire.keys import KeyPair
from wire.messages import HubAddress, Message, Refused, Rekey, Rekeyed
from wire.relay import ContainerOrder, RelayBeat, Relayed, RelayResult
from wire.sockets import COMMAND_ROUTE, Context, Socket, dial

AGAIN_SECONDS = 0.05
"""Pause before what could not be sent is tried again."""
DRAIN = 100
"""Messages taken in a turn."""


class End(StrEnum):
    """Why a conversation ended."""

    REFUSED = "refused"
    DOUBLE = "double"
    MOVED = "moved"
    CHANGED = "changed"
    STOPPED = "stopped"


ENDS = {"unknown-key": End.REFUSED, "double": End.DOUBLE}
"""Refusals that end a conversation."""


class Ears(Record):
    """Who is told what."""

    greeted: Callable[[Relayed], object]
    order: Callable[[EngineCommand], object]
    say: Callable[[str], object]
    changed: Callable[[str], bool]
    """The hub has taken the key that was offered: whether it is to be used now."""
    away: Callable[[float], bool]
    """Asked with the period: whether to leave this hub now."""


class Talk:
    """With one hub, from `run` to its end."""

    def __init__(self, context: Context, outbox: Outbox, guard: Guard, beat: RelayBeat, ears: Ears) -> None:
        """`beat` is a template whose clocks and counters are filled in."""
        self._context, self._outbox, self._guard, self._ears = context, outbox, guard, ears
        self._who = beat
        self.offer = ""
        """Public half of the key to be offered; "" = none."""
        self.period = 2.0
        self._socket: Socket
        self._round_trip = self._asked_at = self._beat_at = 0.0
        self.met = False
        """Whether this hub has answered."""
        self.since = 0.0
        """When this conversation began, monotonic."""
        self._end: End | None = None

    def run(self, hub: HubAddress, pair: KeyPair, poll: Callable[[Socket, Socket, float], str]) -> End:
        """Talks until there is an end.  `poll` waits for the sockets, at most so long, takes in what the engine has
        posted, and returns why to stop, "" while there is no reason."""
        self._socket = dial(self._context, COMMAND_ROUTE, hub.command, pair, hub.key, self.period)
        monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        now = time.monotonic()
        self._beat_at, self.since, self.met, self._end = now, now, False, None
        try:
            while self._end is None:
                reason = poll(self._socket, monitor, self._patience())
                self._turn(monitor)
                if reason:
                    self._beat(reason)
                    self._end = self._end or End.STOPPED
            return self._end
        finally:
            self._socket.disable_monitor()
            monitor.close(0)
            self._socket.close(200 if self._end is End.STOPPED else 0)

    def _patience(self) -> float:
        """Seconds until something is due."""
        blocked = self.met and self._outbox.first() is not None
        return AGAIN_SECONDS if blocked else max(self._beat_at - time.monotonic(), 0.0)

    def _turn(self, monitor: Socket) -> None:
        if monitor.poll(0):
            self._end = End.REFUSED
            return
        for _ in range(DRAIN):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._take(frames[-1])
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + (self.period if self._beat() else AGAIN_SECONDS)
            if self.met and self.offer:
                self._send(Rekey(self.offer))
        if self._ears.away(self.period):
            self._end = self._end or End.MOVED
        if self.met:
            self._tell()

    # -- up --------------------------------------------------------------------------------------------------------

    def _beat(self, leaving: str = "") -> bool:
        beat = self._who._replace(
            wall=time.time(),
            round_trip=self._round_trip,
            epoch=self._guard.epoch,
            dropped=self._outbox.dropped,
            leaving=leaving,
        )
        self._outbox.remind()
        self._asked_at = time.monotonic()
        return self._send(beat)

    def _tell(self) -> None:
        while (message := self._outbox.first()) is not None and self._send(message):
            self._outbox.sent(message)

    def _send(self, message: Message) -> bool:
        """False where the hub does not read, or is not there; what nobody could read is dropped and said."""
        try:
            payload = encode(message)
        except EncodeError as error:
            self._ears.say(f"bug: {type(message).__name__} cannot be sent: {error}")
            return True
        try:
            self._socket.send_multipart([b"", payload], zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    # -- down ------------------------------------------------------------------------------------------------------

    def _take(self, payload: bytes) -> None:
        try:
            message = decode(payload)
        except DecodeError as error:
            self._ears.say(f"the hub sent {error}")
            return
        if isinstance(message, Relayed):
            self._answered(message)
        elif isinstance(message, ContainerOrder):
            self._obey(message)
        elif isinstance(message, Rekeyed):
            self._end = self._end or (End.CHANGED if self._ears.changed(message.public) else None)
        elif isinstance(message, Refused):
            self._ears.say(f"the hub refused: {message.message}{f' ({message.hint})' if message.hint else ''}")
            self.offer = "" if message.code == "bad-key" else self.offer
            self._end = ENDS.get(message.code, self._end)

    def _answered(self, answer: Relayed) -> None:
        now = time.monotonic()
        self._round_trip = max(now - self._asked_at, 0.0)
        self.period, self._beat_at = answer.period, min(self._beat_at, now + answer.period)
        self._outbox.named(answer.results)
        if answer.want or not self.met:
            self._outbox.repeat()
        self.met = True
        self._guard.learn(answer.epoch)
        self._ears.greeted(answer)

    def _obey(self, order: ContainerOrder) -> None:
        verdict = self._guard.judge(order, self._outbox.listed, time.time())
        if isinstance(verdict, RelayResult):
            self._outbox.put_result(verdict)
        elif verdict is not None:
            self._ears.order(verdict)
