"""Receiving and sending on the hub's sockets without ever blocking; wire.sockets makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import zmq

from hub.shares import Ledger
from wire import limits
from wire._record import Record

Socket = zmq.Socket[bytes]

AT_ONCE, MORE, READABLE = int(zmq.NOBLOCK), int(zmq.NOBLOCK) | int(zmq.SNDMORE), int(zmq.POLLIN)
"""Plain numbers: pyzmq's flags are enumerations, and joining two takes longer than a send."""

SRCFD = int(zmq.SRCFD)
SHORT, LONG = 35, 42
"""What ZMTP and CURVE add to a frame: head (2 or 9 bytes), name (8), nonce (8), authenticator (16), flags (1)."""


class Received(Record):
    """One message with what libzmq proves about its sender."""

    frames: tuple[bytes, ...]
    last: zmq.Frame

    @property
    def user(self) -> str:
        """User-Id that the gate gave."""
        return _property(self.last, "User-Id")

    @property
    def peer(self) -> str:
        """Address it came from."""
        return _property(self.last, "Peer-Address")


def drain(socket: Socket, most: int) -> Iterator[Received]:
    """At most `most` waiting messages; one of too many frames is read to its end and dropped."""
    if not int(socket.getsockopt(zmq.EVENTS)) & READABLE:  # a fifth of what it costs to try in vain
        return
    recv = socket.recv
    for _ in range(most):
        try:
            frame = recv(AT_ONCE, copy=False)
        except zmq.Again:
            return
        frames, count = [frame.bytes], 1
        while frame.more:
            frame = recv(copy=False)
            count += 1
            if count <= limits.FRAMES:
                frames.append(frame.bytes)
        if count <= limits.FRAMES:
            yield Received(tuple(frames), frame)


def wired(length: int) -> int:
    """Bytes of a frame of so many on the wire: CURVE's box, and ZMTP's short or long head."""
    return length + SHORT if length <= 255 - SHORT + 2 else length + LONG


def descriptor(frame: zmq.Frame) -> int:
    """Of the connection a frame came by; a number only, it may be closed already.  -1 where it has none."""
    try:
        return int(frame.get(SRCFD))
    except zmq.ZMQError:
        return -1


def publications(socket: Socket, most: int, ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """User and payload of at most `most` waiting publications; what has not two frames, or is not heard, is dropped.

    As `drain`, without what nobody asks about a publication: its topic says no more than its payload.
    """
    receive, more = socket.recv, zmq.RCVMORE
    for _ in range(most):
        try:
            topic = receive(AT_ONCE)
        except zmq.Again:
            return
        if not socket.get(more):
            continue
        frame = receive(copy=False)
        if not frame.more and len(topic) <= limits.ENVELOPE_BYTES:
            user, payload = _property(frame, "User-Id"), frame.bytes
            if ledger.take(descriptor(frame), user, wired(len(topic)) + wired(len(payload))):
                yield user, payload
        while frame.more:
            frame = receive(copy=False)


def subscriptions(socket: Socket, most: int, ledger: Ledger) -> Iterator[bytes]:
    """At most `most` waiting subscriptions: 1 or 0, then the topic.

    An XPUB takes in all that has come before it says whether there is any.  Receiving gives the interpreter up
    meanwhile, asking (zmq.EVENTS) does not: who subscribes without end would hold up every thread.
    """
    for _ in range(most):
        try:
            frame = socket.recv(AT_ONCE, copy=False)
        except zmq.Again:
            return
        payload = frame.bytes
        if ledger.take(descriptor(frame), _property(frame, "User-Id"), wired(len(payload))):
            yield payload


def _property(frame: zmq.Frame, name: str) -> str:
    try:  # asked for each message: entering suppress() takes as long as the question
        return str(frame.get(name))
    except zmq.ZMQError:
        return ""


def send(socket: Socket, frames: Sequence[bytes]) -> bool:
    """Sends at once; False where the peer is gone (EHOSTUNREACH) or does not read (EAGAIN)."""
    try:
        *envelope, payload = frames
        for frame in envelope:
            socket.send(frame, MORE)
        socket.send(payload, AT_ONCE)
    except zmq.ZMQError as error:
        if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
            return False
        raise
    return True
