"""What came on a port where agents or clients are served, as events for the core.

Theory.  Nearly all that agents say are heartbeats, and nearly all heartbeats are alike; so those that come one after
the other are one event, which the core answers in one go (hub.discovery.pulse).  The order of what came stays as it is.
"""

from __future__ import annotations

from hub import words
from hub.shares import Ledger
from hub.sockets import Received, Socket, descriptor, drain, wired
from wire.codec import DecodeError, decode
from wire.frames import FrameError, split
from wire.messages import Heartbeat


def requests(port: str, socket: Socket, most: int, ledger: Ledger) -> tuple[int, list[words.Event]]:
    """At most `most` waiting messages: how many there were, and what those say whose users are heard."""
    count, found, beats = 0, list[words.Event](), list[tuple[words.Route, str, Heartbeat]]()
    for received in drain(socket, most):
        count += 1
        user, size = received.user, 0
        for frame in received.frames[1:]:  # the first is libzmq's own
            size += wired(len(frame))
        if not ledger.take(descriptor(received.last), user, size):
            continue
        event = _event(port, received, user)
        if type(event) is words.Asked and type(event.message) is Heartbeat:
            beats.append((event.route, event.user, event.message))
        elif event is not None:
            found += [words.Beaten(tuple(beats)), event] if beats else [event]
            beats.clear()
    if beats:
        found.append(words.Beaten(tuple(beats)))
    return count, found


def _event(port: str, received: Received, user: str) -> words.Asked | words.Garbled | None:
    try:
        envelope, payload = split(received.frames)
    except FrameError:
        return None
    route = words.Route(port, envelope)
    try:
        message = decode(payload)
    except DecodeError as error:
        return words.Garbled(route, user, str(error))
    peer = "" if type(message) is Heartbeat else received.peer  # of all else it is asked for, or kept
    return words.Asked(route, user, peer, message)
