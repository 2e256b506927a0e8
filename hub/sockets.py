"""Receiving and sending on the hub's sockets without ever blocking; wire.sockets makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import zmq

from wire import limits
from wire._record import Record

Socket = zmq.Socket[bytes]


class Received(Record):
    """One message with what libzmq proves about its sender."""

    frames: tuple[bytes, ...]
    user: str
    """User-Id that the gate gave."""
    peer: str
    """Address it came from."""


def drain(socket: Socket, most: int) -> Iterator[Received]:
    """At most `most` waiting messages; one of too many frames is read to its end and dropped."""
    for _ in range(most):
        try:
            first = socket.recv(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return
        received = _rest(socket, first)
        if received is not None:
            yield received


def _rest(socket: Socket, frame: zmq.Frame) -> Received | None:
    frames, count = [frame.bytes], 1
    while frame.more:
        frame = socket.recv(copy=False)
        count += 1
        if count <= limits.FRAMES:
            frames.append(frame.bytes)
    if count > limits.FRAMES:
        return None
    return Received(tuple(frames), _property(frame, "User-Id"), _property(frame, "Peer-Address"))


def _property(frame: zmq.Frame, name: str) -> str:
    with suppress(zmq.ZMQError):
        return str(frame.get(name))
    return ""


def send(socket: Socket, frames: Sequence[bytes]) -> bool:
    """Sends at once; False where the peer is gone (EHOSTUNREACH) or does not read (EAGAIN)."""
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.ZMQError as error:
        if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
            return False
        raise
    return True
