"""The enrolment port, in a process of its own: any key may knock here, so nothing here may matter.

Theory.  It holds the fleet's secret key and nothing else: no token, no store, no other key.  It reads small messages,
drops what comes too fast, and hands the rest to the hub as packets [number, public key, address, payload]; the hub
decides and sends [number, payload] back.  The public key is the one CURVE proved.  Its memory is limited, and if a
stranger exhausts it or makes libzmq abort, the keeper starts the next one.
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
from wire.frames import FrameError, split
from wire.keys import KeyPair
from wire.sockets import ENROL, serve

MEMORY_BYTES = 1 << 30
"""Address space: libzmq's threads and buffers take 300 MiB of it; a flood of unfinished messages ends there."""
RATE = 100.0
"""Requests a second for all together: a deployment of 1,000 containers is through in 10 s."""
BURST = 200.0
WAITING = 4096
"""Requests whose answer is awaited; the oldest is forgotten first."""
PASS = 100


class Bucket(Record):
    """A token bucket: BURST at once, RATE a second."""

    left: float
    at: float

    def take(self, now: float) -> tuple[Bucket, bool]:
        """The bucket after one request, and whether it may pass."""
        left = min(BURST, self.left + (now - self.at) * RATE)
        return (Bucket(left - 1, now), True) if left >= 1 else (Bucket(left, now), False)


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
    bucket, number = Bucket(BURST, time.monotonic()), 0
    while True:
        poller.poll()
        for received in drain(router, PASS):
            bucket, allowed = bucket.take(time.monotonic())
            if allowed:
                number += 1
                _forward(received.frames, received.user, received.peer, number, end, waiting)
        if not _answers(router, end, waiting):
            return


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
