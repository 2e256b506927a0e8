"""The enrolment port, in a process of its own: any key may knock here, so nothing here may matter.

Theory.  It holds the fleet's secret key and nothing else: no token, no store, no other key.  It reads small messages
and hands them to the hub as packets [number, public key, address, payload]; the hub decides and sends [number, payload]
back.  What comes too fast is answered here, unread: busy, ask again in N s, where N grows with how many were told so
already, so that a fleet which comes at once comes back in a row.  Beyond BUSY_RATE of these answers nothing is said.
The public key is the one CURVE proved.  Its memory is limited, and if a stranger exhausts it or makes libzmq abort, the
keeper starts the next one.
"""

from __future__ import annotations

import resource
import socket as sockets
import time
from collections import OrderedDict
from contextlib import suppress

import msgpack
import zmq

from hub.sockets import Socket, drain, send
from hub.trust.zap import Gate
from wire import limits
from wire._record import Record
from wire.codec import encode
from wire.frames import FrameError, split
from wire.keys import KeyPair
from wire.messages import Refused
from wire.sockets import ENROL, serve

MEMORY_BYTES = 1 << 30
"""Address space: libzmq's threads and buffers take 300 MiB of it; a flood of unfinished messages ends there."""
RATE = 100.0
"""Requests a second for all together: a deployment of 1,000 containers is through in 10 s."""
BURST = 200.0
BUSY_RATE = 2000.0
"""Answers `busy` a second: a tenth of a core."""
BUSY_SECONDS = 60.0
"""Longest time after which somebody is asked to come again."""
WAITING = 4096
"""Requests whose answer is awaited; the oldest is forgotten first."""
PASS = 100


class Bucket(Record):
    """A token bucket: `burst` at once, `rate` a second."""

    left: float
    at: float
    rate: float = RATE
    burst: float = BURST

    def take(self, now: float) -> tuple[Bucket, bool]:
        """The bucket after one request, and whether it may pass."""
        left = min(self.burst, self.left + (now - self.at) * self.rate)
        return (self._replace(left=left - 1, at=now), True) if left >= 1 else (self._replace(left=left, at=now), False)


class Queue(Record):
    """How many were sent away and will come again, by estimate: it drains at RATE."""

    length: float
    at: float

    def join(self, now: float) -> tuple[Queue, float]:
        """The queue with one more, and after how many seconds that one is asked to come again."""
        length = max(0.0, self.length - (now - self.at) * RATE) + 1
        return Queue(min(length, BUSY_SECONDS * RATE), now), min(1.0 + length // RATE, BUSY_SECONDS)


class Pace:
    """Decides what becomes of each request: it passes, is answered `busy`, or is dropped."""

    def __init__(self, now: float) -> None:
        self.requests = Bucket(BURST, now)
        self.answers = Bucket(BUSY_RATE, now, BUSY_RATE, BUSY_RATE)
        self.queue = Queue(0.0, now)

    def take(self, now: float) -> float | None:
        """0 = it passes; above 0 = busy, come again after so many seconds; None = say nothing."""
        self.requests, allowed = self.requests.take(now)
        if allowed:
            return 0.0
        self.answers, allowed = self.answers.take(now)
        if not allowed:
            return None
        self.queue, seconds = self.queue.join(now)
        return seconds


def serve_forever(end: sockets.socket, endpoint: str, fleet: KeyPair) -> None:
    """Serves until the hub closes its end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    end.setblocking(False)
    context: zmq.Context[Socket] = zmq.Context()
    Gate(context, lambda domain, public: public).open()
    _serve(serve(context, ENROL, endpoint, fleet), end)


def _serve(router: Socket, end: sockets.socket) -> None:
    poller = zmq.Poller()
    poller.register(router, zmq.POLLIN)
    poller.register(end, zmq.POLLIN)
    waiting: OrderedDict[int, tuple[bytes, ...]] = OrderedDict()
    pace, number = Pace(time.monotonic()), 0
    while True:
        poller.poll()
        for received in drain(router, PASS):
            seconds = pace.take(time.monotonic())
            if seconds:
                _turn_away(router, received.frames, seconds)
            elif seconds == 0:
                number += 1
                _forward(received.frames, received.user, received.peer, number, end, waiting)
        if not _answers(router, end, waiting):
            return


def _turn_away(router: Socket, frames: tuple[bytes, ...], seconds: float) -> None:
    with suppress(FrameError):
        envelope, _ = split(frames)
        words = f"too many ask to join at once; again in {seconds:.0f} s"
        send(router, [*envelope, encode(Refused("", "busy", words, after=seconds))])


def _forward(
    frames: tuple[bytes, ...],
    user: str,
    peer: str,
    number: int,
    end: sockets.socket,
    waiting: OrderedDict[int, tuple[bytes, ...]],
) -> None:
    try:
        envelope, payload = split(frames)
    except FrameError:
        return
    if len(payload) > limits.ENROL_BYTES:
        return
    waiting[number] = envelope
    if len(waiting) > WAITING:
        waiting.popitem(last=False)
    with suppress(OSError):  # a hub that does not read: the asker will ask again
        end.send(msgpack.packb([number, user, peer, payload]))


def _answers(router: Socket, end: sockets.socket, waiting: OrderedDict[int, tuple[bytes, ...]]) -> bool:
    """Passes on what the hub answers; False once the hub has gone."""
    while True:
        try:
            packet = end.recv(limits.MESSAGE_BYTES)
        except BlockingIOError:
            return True
        if not packet:
            return False
        number, payload = msgpack.unpackb(packet)
        envelope = waiting.pop(number, None)
        if envelope is not None:
            send(router, [*envelope, payload])
