"""What the fuzzer feeds: every parser that a stranger or a person reaches, with seeds and with what it may raise."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))

import msgpack  # noqa: E402
from protocol_examples import EXAMPLES  # noqa: E402

from hub import config, words  # noqa: E402
from hub.alerts import rules  # noqa: E402
from tests.support.corehub import CoreHub  # noqa: E402
from wire import frames, limits, messages  # noqa: E402
from wire.codec import BY_TYPE, DecodeError, decode, encode  # noqa: E402
from wire.keys import JoinString, KeyFault, KeyPair, check_address, seal  # noqa: E402

Feed = Callable[[bytes], object]
JOIN = JoinString(("hub:7403", "[::1]:7403"), KeyPair.generate().public, "t1", b"s" * 32).format()


class Target(NamedTuple):
    """One parser: `feed` takes bytes and raises only what is a bug."""

    feed: Feed
    seeds: Sequence[bytes]


def codec(data: bytes) -> None:
    """What was decoded is encoded and decoded to the same bytes."""
    with suppress(DecodeError):
        first = encode(decode(data), limits.MESSAGE_BYTES * 4)
        assert encode(decode(first, limits.MESSAGE_BYTES * 4), limits.MESSAGE_BYTES * 4) == first


def careless(data: bytes) -> None:
    """The planted fault: a decoder that believes that the type is one it knows."""
    with suppress(DecodeError, ValueError, msgpack.UnpackException):
        plain = msgpack.unpackb(data)
        if isinstance(plain, dict) and "t" in plain:
            BY_TYPE[plain["t"]]


def joining(data: bytes) -> None:
    """A join string: as typed, and with a right check sum around anything."""
    for text in (data.decode("utf-8", "replace"), seal(data)):
        with suppress(KeyFault):
            found = JoinString.parse(text)
            assert JoinString.parse(found.format()) == found
    with suppress(KeyFault):
        check_address(data.decode("latin-1"))


def envelopes(data: bytes) -> None:
    """Frames as a ROUTER and a SUB get them."""
    parts = data.split(b"|")
    with suppress(frames.FrameError):
        frames.split(parts)
    with suppress(frames.FrameError):
        frames.publication(parts)


def configuration(data: bytes) -> None:
    """hubd.ini."""
    with suppress(config.ConfigError):
        config.parse("hubd.ini", data.decode("utf-8", "replace"), lambda path: True)


def alerts(data: bytes) -> None:
    """Rules of alerts."""
    with suppress(rules.RuleError):
        rules.parse(data.decode("utf-8", "replace"), "alerts.ini")


class Ports:
    """The hub's core behind its three ports and the samples' port, one agent being there; begun anew now and then."""

    EVERY = 2000

    def __init__(self) -> None:
        self.count = 0
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def __call__(self, data: bytes) -> None:
        if self.count % self.EVERY == 0:
            self.begin()
        self.count += 1
        try:
            message = decode(data)
        except DecodeError:
            return
        message = message._replace(boot="b1") if hasattr(message, "boot") else message
        for port, user in (("agents", self.agent), ("clients", "admin"), ("enrol", "A" * 40), ("agents", "r1")):
            self.hub.ask(port, user, message)
        self.hub.feed(words.Published(self.agent, message))

    def begin(self) -> None:
        if self.folder is not None:
            self.hub.store.close(self.hub.now.wall)
            self.folder.cleanup()
        self.folder = tempfile.TemporaryDirectory()
        self.hub = Tolerant(Path(self.folder.name) / "store")
        self.agent = self.hub.agent("shop", "web")


class Tolerant(CoreHub):
    """Its store may refuse what an agent says; the loop logs that."""

    def _store(self, effect: words.Store) -> None:
        with suppress(AssertionError):
            super()._store(effect)


MESSAGES = [encode(example) for example in EXAMPLES]
QUERIES = [
    encode(messages.Query("q", op, {"target": "shop/web", "limit": 3, "since": 1.0, "verb": "restart", "id": "x"}))
    for op in ("agents", "ps", "exits", "events", "history", "command", "why", "exit_groups", "audit", "key.list")
]
INI = (ROOT / "conf" / "hubd.ini").read_bytes()
RULES = b"[alert:busy]\nwhen = process.cpu > 0.9\nfor = 5m\nlabels = service=shop\n[sink:ops]\nurl = https://example.org/x\n"
TARGETS: dict[str, Target] = {
    "codec": Target(codec, [*MESSAGES, *QUERIES]),
    "join": Target(joining, [JOIN.encode(), JOIN.encode()[:-9], b"hub:7403", b"[::1]:7403"]),
    "frames": Target(envelopes, [b"id||payload", b"s|x", b"|" * 20]),
    "hubd.ini": Target(configuration, [INI, b"[hubd]\nperiod = 2\n[engine:a]\nurl = tcp://h:2376\n"]),
    "alerts.ini": Target(alerts, [RULES]),
    "ports": Target(Ports(), [*MESSAGES, *QUERIES]),
}
