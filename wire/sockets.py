"""Every ZeroMQ socket of pidone is made here, so that no option is forgotten anywhere.

Theory.  libzmq's defaults suit a laboratory: messages without a size limit, a thousand queued ones a peer, half-open
connections for ever, a close that hangs.  Each role below states what differs; what all share stands in `_common`.
* Servers enforce the ZAP domain: without a handler that answers, everybody is refused (libzmq else lets everybody in).
  So bind the handler first (inproc://zeromq.zap.01), then call `serve`.
* Dialling sockets reconnect at random intervals up to a heartbeat period, and are told at once (EAGAIN) when there is
  no connection, instead of queueing requests that are stale when it returns.
* Nobody sends ZMTP's PING: the kernel looks for peers that are gone (KEEPALIVE), heartbeats of our own for those that
  hang.  libzmq 4.3.5 aborts the process (`!_io_error`, its issues 4364 and 4841) where a connection breaks whose
  reader had reached its RCVHWM, and a PING is then to be sent or answered: a hub that was stopped for 20 s died so.
  Its timers cost, too: it walks through all of them to cancel one.
* A peer may send PINGs all the same, so a hub's sockets never wait for their reader (UNPAUSED): without an RCVHWM the
  state that aborts does not exist.
* Identities stay automatic; trust is bound to the CURVE key (ZAP's User-Id), never to a routing id.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import zmq

from wire import limits
from wire.keys import KeyPair

__all__ = [
    "CLIENT", "COMMANDS", "COMMAND_ROUTE", "ENROL", "FEED", "FOLLOW", "PUBLISH", "QUERIES", "REQUESTS", "SAMPLES",
    "Dial", "Serve", "bound_port", "dial", "serve", "serve_scripts",
]  # fmt: skip

Options = tuple[tuple[int, int], ...]
Context = zmq.Context[zmq.Socket[bytes]]
Socket = zmq.Socket[bytes]

CURVE_BYTES = 64
"""What CURVE adds to a frame on the wire, rounded up: libzmq applies MAXMSGSIZE to the encrypted frame."""

HANDSHAKE_MS = 30_000
"""How long a handshake may take.  Of a fleet that comes at once all handshakes end late together: where a busy hub
needs longer for all of them than each may take, none ever ends.  With 5 s a hub that got a fifteenth of a core stayed
at a third of 300 agents for good; with 15 s a third of 10,000 on two cores dialled twice, and those that they had left
behind filled the kernel's queue.  A stranger's half handshake holds its descriptor no longer than a silent peer."""

KEEPALIVE: Options = (
    (zmq.TCP_KEEPALIVE, 1), (zmq.TCP_KEEPALIVE_IDLE, 15), (zmq.TCP_KEEPALIVE_INTVL, 5), (zmq.TCP_KEEPALIVE_CNT, 3),
    (zmq.TCP_MAXRT, 30_000),
)  # fmt: skip
"""A peer whose host is gone gives its descriptor back after 30 s, also where something waits to be sent to it."""

MANDATORY: Options = ((zmq.ROUTER_MANDATORY, 1), (zmq.SNDHWM, 100))
"""A ROUTER says when a peer is gone (EHOSTUNREACH) or does not read (EAGAIN) instead of dropping in silence."""

UNPAUSED: Options = ((zmq.RCVHWM, 0),)
"""No connection ever waits for its reader, since one that breaks meanwhile may end the process; who has peers that may
be hostile bounds what they send by other means (hub.bouncer)."""

FEW: Options = ((zmq.SNDHWM, 20), (zmq.RCVHWM, 20))
"""Samples: a stalled side may hold 20 of them a connection, later ones are newer and better."""

REQUEST: Options = ((zmq.REQ_RELAXED, 1), (zmq.REQ_CORRELATE, 1), (zmq.IMMEDIATE, 1))
"""A REQ that may ask again after a lost answer, and never mistakes a late answer for the present one."""


class Serve(NamedTuple):
    """A bound role: socket type, ZAP domain, largest frame, further options."""

    kind: int
    domain: str
    frame_bytes: int
    options: Options


COMMANDS = Serve(zmq.ROUTER, "agents", limits.MESSAGE_BYTES, (*MANDATORY, *UNPAUSED))
SAMPLES = Serve(zmq.SUB, "agents", limits.MESSAGE_BYTES, UNPAUSED)
ENROL = Serve(zmq.ROUTER, "enrol", limits.ENROL_BYTES, (*MANDATORY, (zmq.RCVHWM, 100)))
CLIENT = Serve(zmq.ROUTER, "clients", limits.MESSAGE_BYTES, (*MANDATORY, *UNPAUSED))
FEED = Serve(zmq.XPUB, "clients", limits.ENVELOPE_BYTES, ((zmq.SNDHWM, 1000), *UNPAUSED))
"""The feed reads nothing but subscriptions."""


class Dial(NamedTuple):
    """A dialling role: socket type and further options."""

    kind: int
    options: Options
    frame_bytes: int = limits.MESSAGE_BYTES


REQUESTS = Dial(zmq.REQ, REQUEST)
COMMAND_ROUTE = Dial(zmq.DEALER, ((zmq.IMMEDIATE, 1), (zmq.SNDHWM, 100), (zmq.RCVHWM, 100)))
PUBLISH = Dial(zmq.XPUB, FEW)
QUERIES = Dial(zmq.DEALER, ((zmq.IMMEDIATE, 1),), limits.ANSWER_BYTES)
FOLLOW = Dial(zmq.SUB, ((zmq.RCVHWM, 1000),))


def serve(context: Context, role: Serve, endpoint: str, pair: KeyPair) -> Socket:
    """A bound CURVE server socket; raises zmq.ZMQError (EADDRINUSE ...) and leaves nothing open then."""
    socket = context.socket(role.kind)
    _common(socket, role.frame_bytes, endpoint)
    _set(socket, KEEPALIVE)
    socket.setsockopt(zmq.BACKLOG, 4096)
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode("ascii"))
    socket.setsockopt(zmq.ZAP_DOMAIN, role.domain.encode("ascii"))
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    _set(socket, role.options)
    try:
        socket.bind(endpoint)
    except BaseException:
        socket.close(0)
        raise
    return socket


def dial(
    context: Context, role: Dial, address: str, pair: KeyPair, server_key: str, period: float = 2.0, first: float = 0.2
) -> Socket:
    """A CURVE client socket that connects to `address` (host:port) and keeps trying.

    `period` is the longest pause between tries, seconds; `first` the shortest, which the caller draws at random so that
    a fleet does not return in step.
    """
    socket = context.socket(role.kind)
    _common(socket, role.frame_bytes, address)
    _set(socket, KEEPALIVE)
    socket.setsockopt(zmq.CURVE_SERVERKEY, server_key.encode("ascii"))
    socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public.encode("ascii"))
    socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode("ascii"))
    socket.setsockopt(zmq.RECONNECT_IVL, int(first * 1000))
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, max(int(period * 1000), int(first * 1000)))
    socket.setsockopt(zmq.CONNECT_TIMEOUT, 5000)
    _set(socket, role.options)
    try:
        socket.connect(f"tcp://{address}")
    except BaseException:
        socket.close(0)
        raise
    return socket


def serve_scripts(context: Context, endpoint: str) -> Socket:
    """The REP socket inside a container: guarded by the directory's mode, so without CURVE; raises zmq.ZMQError."""
    socket = context.socket(zmq.REP)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, limits.MESSAGE_BYTES)
    _set(socket, ((zmq.SNDHWM, 20), (zmq.RCVHWM, 20)))
    try:
        socket.bind(endpoint)
    except BaseException:
        socket.close(0)
        raise
    return socket


def bound_port(socket: Socket) -> int:
    """The TCP port a socket is bound to, for an endpoint that ended in `:*`."""
    return int(socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])


def _common(socket: Socket, frame_bytes: int, endpoint: str) -> None:
    _set(socket, (
        (zmq.LINGER, 0), (zmq.MAXMSGSIZE, frame_bytes + CURVE_BYTES), (zmq.HANDSHAKE_IVL, HANDSHAKE_MS),
        (zmq.IPV6, int("[" in endpoint)),
    ))  # fmt: skip


def _set(socket: Any, options: Options) -> None:
    for option, value in options:
        socket.setsockopt(option, value)
