"""The hub's ZeroMQ sockets: bound with every option that keeps a hostile or stalled peer cheap.

Each option stands in one table with its reason; nothing else in the hub sets options.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import zmq

from hub.errors import StartError
from wire import limits
from wire._record import Record
from wire.keys import KeyPair

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]

COMMON: tuple[tuple[int, int], ...] = (
    (zmq.LINGER, 0),  # a message to a dead peer must not hold up the end of the hub
    (zmq.BACKLOG, 4096),  # 5,000 agents come back at once after a restart; 100 (the default) drops their SYNs
    (zmq.HANDSHAKE_IVL, 5000),  # an idle connection holds a descriptor no longer than this
    (zmq.HEARTBEAT_IVL, 5000),  # sees a dead peer that TCP does not
    (zmq.HEARTBEAT_TIMEOUT, 15000),
    (zmq.ZAP_ENFORCE_DOMAIN, 1),  # without a gate nobody comes in, instead of everybody
    (zmq.TCP_KEEPALIVE, 1),
    (zmq.IPV6, 1),
)
HIGH_WATER: dict[int, int] = {zmq.ROUTER: 1000, zmq.SUB: 50, zmq.XPUB: 200}
"""Messages queued a connection: few for samples, which may be lost; the feed forgives a browser tab a second."""
MAX_SOCKETS = 1023


class Door(Record):
    """One listening port."""

    kind: int
    endpoint: str
    domain: str
    """ZAP domain: which keys may come in."""
    key: KeyPair
    frame_bytes: int = limits.MESSAGE_BYTES


class Received(Record):
    """One message with what libzmq proves about its sender."""

    frames: tuple[bytes, ...]
    user: str
    """User-Id that the gate gave; empty never passes the gate."""
    peer: str


def bind(context: Context, door: Door) -> Socket:
    """A bound socket; raises StartError naming the endpoint and what to do."""
    socket = context.socket(door.kind)
    for option, value in COMMON:
        socket.setsockopt(option, value)
    socket.setsockopt(zmq.MAXMSGSIZE, door.frame_bytes)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER[door.kind])
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER[door.kind])
    if door.kind == zmq.ROUTER:
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt_string(zmq.ZAP_DOMAIN, door.domain)
    socket.curve_server = True
    socket.curve_secretkey = door.key.secret.encode("ascii")
    try:
        socket.bind(door.endpoint)
    except zmq.ZMQError as error:
        socket.close(0)
        raise StartError(
            f"cannot listen on {door.endpoint}: {error.strerror}; another hub, or a wrong bind=?"
        ) from None
    return socket


def drain(socket: Socket, most: int) -> Iterator[Received]:
    """At most `most` waiting messages, without blocking; one of too many frames is dropped whole."""
    for _ in range(most):
        try:
            first = socket.recv(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return
        received = _rest(socket, first)
        if received is not None:
            yield received


def _rest(socket: Socket, frame: zmq.Frame) -> Received | None:
    frames = [frame.bytes]
    count = 1
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


def send(socket: Socket, frames: list[bytes]) -> bool:
    """Sends without blocking; False where the peer is gone (EHOSTUNREACH) or does not read (EAGAIN)."""
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.ZMQError as error:
        if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
            return False
        raise
    return True
