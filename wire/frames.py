"""What each ZeroMQ frame is, on each port: envelopes, topics, and who may send which message where.

Theory.  The last frame of a message is the payload (wire.codec); what stands before it is the *envelope*, which a
server never interprets and gives back as it came.  A ROUTER thus sees
    REQ     [routing id, request id (4 bytes), "", payload]      sent with REQ_RELAXED and REQ_CORRELATE
    DEALER  [routing id, payload], or [routing id, "", payload] where a client imitates REQ
and answers [*envelope, payload].  Publications are [topic, payload].  The version stands in the payload ("v"), so that
every topic keeps one spelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from wire import limits, messages
from wire import relay as R

__all__ = ["EVENT", "PORTS", "SAMPLE", "FrameError", "Port", "Topic", "answer", "publication", "split", "topic"]

SAMPLE = b"s"
"""Topic of an agent's samples on 7402."""

EVENT = b"e"
"""Topic of an agent's live events on 7402."""


class FrameError(ValueError):
    """Frames that are no message of ours."""


class Topic(StrEnum):
    """The families of topics on the feed (7405); all but NOTICE are followed by `/` and an id."""

    NOTICE = "notice"
    FACT = "fact"
    SAMPLE = "sample"
    CONTAINER = "container"
    COMMAND = "command"


def topic(family: Topic, key: str = "") -> bytes:
    """The topic frame of a feed item, or, as a prefix, what to subscribe to: `fact/7c21...`, `notice/`."""
    return f"{family.value}/{key}".encode()


def split(frames: Sequence[bytes]) -> tuple[tuple[bytes, ...], bytes]:
    """Envelope and payload of what a ROUTER, REP or REQ received; raises FrameError where no envelope may be so."""
    if not 1 <= len(frames) <= limits.FRAMES:
        raise FrameError(f"{len(frames)} frames")
    *envelope, payload = frames
    if any(len(frame) > limits.ENVELOPE_BYTES for frame in envelope):
        raise FrameError("a frame of the envelope is too long")
    return tuple(envelope), payload


def answer(envelope: Sequence[bytes], payload: bytes) -> list[bytes]:
    """The frames that carry `payload` back to where `envelope` came from."""
    return [*envelope, payload]


def publication(frames: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Topic and payload of what a SUB received; raises FrameError."""
    if len(frames) != 2 or len(frames[0]) > limits.ENVELOPE_BYTES:
        raise FrameError("a publication has two frames, topic and payload")
    return frames[0], frames[1]


class Port(NamedTuple):
    """One port of a hub, or the socket inside a container."""

    name: str
    number: int | None
    """TCP port by default; None for the socket file."""
    server: str
    peers: str
    requests: tuple[tuple[Any, tuple[Any, ...]], ...]
    """What the peer sends, each with what it may be answered with; an empty tuple: no answer."""
    pushed: tuple[Any, ...]
    """What the server sends unasked."""


M = messages
PORTS: tuple[Port, ...] = (
    Port("command", 7401, "ROUTER", "REQ (RELAXED, CORRELATE) and DEALER of an agent", (
        (M.Register, (M.Registered, M.Beat, M.Refused)), (M.Heartbeat, (M.Beat, M.Refused)),
        (M.Roster, (M.Ack, M.Refused)), (M.Facts, (M.Ack, M.Refused)), (M.Goodbye, (M.Ack, M.Refused)),
        (M.Rekey, (M.Rekeyed, M.Refused)), (M.Hello, ()), (M.Progress, ()),
    ), (M.Command,)),
    Port("command", 7401, "ROUTER", "DEALER of a relay", (
        (R.RelayBeat, (R.Relayed, M.Refused)), (R.RelayState, ()), (R.RelayList, ()), (R.RelayEvent, ()),
        (R.RelaySamples, ()), (R.RelayResult, ()),
    ), (R.ContainerOrder,)),
    Port("samples", 7402, "SUB", "XPUB of an agent", ((M.Sample, ()), (M.Event, ())), ()),
    Port("enrol", 7403, "ROUTER", "REQ of a new agent", ((M.Enrol, (M.Enrolled, M.Refused)),), ()),
    Port("client", 7404, "ROUTER", "REQ or DEALER of a client", ((M.Query, (M.Answer, M.Refused)),), (M.Feed,)),
    Port("feed", 7405, "XPUB", "SUB of a client", (), (M.Feed,)),
    Port("script", None, "REP", "REQ of a script inside the container, at ipc:///run/initd/command", (
        (M.Query, (M.Answer, M.Refused)),
    ), ()),
)  # fmt: skip
