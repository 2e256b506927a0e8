"""Who has a good key and sends without end, or breaks off at the worst moment: the hub stays up, small, punctual."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import pytest
import zmq

from tests.hub.live.test_hostile import Make, memory, serves
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.pausedhub import PausedHub
from tests.support.rawpeer import MORE, ORDER, PING, RawPeer
from tests.support.waiting import until
from wire.codec import encode
from wire.keys import KeyPair
from wire.messages import Heartbeat
from wire.sockets import Dial, dial

MOST = 256 << 20
"""What a flood may cost the hub in memory: 40 to 90 MiB where it has the machine for itself; topics 10 KB each."""
TRIES = 30
BEAT = encode(Heartbeat("boot", 0, 1, 0.0, 0.0, 0, 0, 0.0))
TOLD = "that nobody could take so fast"

Flood = Callable[[LiveHub, KeyPair, threading.Event], None]


def peer(hub: LiveHub, port: str, pair: KeyPair, kind: bytes) -> RawPeer:
    return RawPeer(hub.ports[port], pair, hub.client.key.server_key, kind)


def break_off(hub: LiveHub, port: str, pair: KeyPair, kind: bytes) -> None:
    """Many short messages, a ping behind each, in one burst; then a reset, before the hub has read them all."""
    one = peer(hub, port, pair, kind)
    first = [b"s"] if kind == b"PUB" else []
    burst = [part for _ in range(150) for part in (*first, BEAT, None)]
    one.say(*(one.frame(PING, ORDER) if part is None else one.frame(part, MORE * (part == b"s")) for part in burst))
    time.sleep(random.random() * 0.003)
    one.reset()


@pytest.mark.parametrize(("port", "kind"), [("command", b"DEALER"), ("samples", b"PUB"), ("client", b"DEALER")])
def test_no_burst_with_pings_that_breaks_off_ends_the_hub(hub: LiveHub, agent: Make, port: str, kind: bytes) -> None:
    shop = agent("shop", "web")
    pair = KeyPair(hub.client.key.public, hub.client.key.secret) if port == "client" else shop.pair
    for _ in range(TRIES):
        break_off(hub, port, pair, kind)
    assert serves(hub, shop)


def test_the_same_ends_a_hub_that_waits_for_its_reader(tmp_path: Path) -> None:
    hub = PausedHub(tmp_path).start()
    shop = joined(hub.join(), "shop", "web")
    try:
        assert hub.process is not None
        for _ in range(TRIES):
            with suppress(OSError, AssertionError):
                break_off(hub, "command", shop.pair, b"DEALER")
        assert until(lambda: hub.process.poll(), what="the hub is dead") == -6 and hub.said("!_io_error")
    finally:
        shop.close()
        hub.stop()


# -- floods ----------------------------------------------------------------------------------------------------------


def messages(hub: LiveHub, pair: KeyPair, end: threading.Event, size: int = 1, door: str = "command") -> None:
    """As fast as libzmq sends them."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    role = Dial(zmq.XPUB if door == "samples" else zmq.DEALER, ((zmq.SNDHWM, 100_000),))
    socket = dial(context, role, f"127.0.0.1:{hub.ports[door]}", pair, hub.client.key.server_key)
    while not end.is_set():
        with suppress(zmq.Again):
            while socket.poll(100, zmq.POLLOUT):
                socket.send_multipart([b"s"] * (door == "samples") + [b"x" * size], zmq.NOBLOCK)
                if end.is_set():
                    break
    context.destroy(0)


def samples(hub: LiveHub, pair: KeyPair, end: threading.Event) -> None:
    messages(hub, pair, end, 1000, "samples")


def parts(hub: LiveHub, pair: KeyPair, end: threading.Event, door: str = "command", kind: bytes = b"DEALER") -> None:
    """One message that never ends, on one connection after the other."""
    while not end.is_set():
        with suppress(OSError, AssertionError), peer(hub, door, pair, kind) as one:
            while not end.is_set():
                one.say(one.frame(b"x" * 250_000, MORE))
        time.sleep(0.05)


def topics(hub: LiveHub, pair: KeyPair, end: threading.Event) -> None:
    """Subscriptions, each another one."""
    while not end.is_set():
        with suppress(OSError, AssertionError), peer(hub, "feed", pair, b"SUB") as one:
            while not end.is_set():
                one.say(*(one.frame(b"\1" + random.randbytes(200)) for _ in range(100)))
        time.sleep(0.05)


def reader(hub: LiveHub) -> KeyPair:
    """The key of a user who may read the feed: not the test's own, since who floods is not heard for a while."""
    key = hub.user("nosy", "viewer").key
    return KeyPair(key.public, key.secret)


@pytest.fixture
def evil(agent: Make) -> Iterator[LiveAgent]:
    yield agent("evil", "web")


@pytest.mark.parametrize(("flood", "most"), [(messages, MOST), (samples, MOST), (parts, MOST), (topics, 3 * MOST)])
def test_a_flood_is_ended_and_the_fleet_does_not_notice(
    hub: LiveHub, agent: Make, evil: LiveAgent, flood: Flood, most: int
) -> None:
    shop, end = agent("shop", "web"), threading.Event()
    pair = reader(hub) if flood is topics else evil.pair
    assert hub.process is not None
    sizes, waits = [memory(hub.process.pid)], list[float]()
    thread = threading.Thread(target=flood, args=(hub, pair, end), daemon=True)
    thread.start()

    def told() -> bool:
        sizes.append(memory(hub.process.pid))  # type: ignore[union-attr]
        begun = time.monotonic()
        assert serves(hub, shop)
        waits.append(time.monotonic() - begun)
        return hub.said(TOLD)

    until(told, 60, "the flood is ended")
    for _ in range(100):  # who goes on gains nothing
        told()
    end.set()
    thread.join(30)
    assert max(sizes) - sizes[0] < most
    assert median(waits) < 0.5


def test_a_flooders_key_is_refused_for_a_while_and_its_record_says_why(hub: LiveHub, evil: LiveAgent) -> None:
    end = threading.Event()
    thread = threading.Thread(target=messages, args=(hub, evil.pair, end, 1000), daemon=True)
    thread.start()
    until(lambda: hub.said(f"user {evil.id} sent"), 60, "the flood is ended")
    end.set()
    thread.join(30)
    with pytest.raises((OSError, AssertionError)):
        peer(hub, "command", evil.pair, b"DEALER")
    notes = until(lambda: [row for row in hub.client.events(limit=1000) if row.get("note") == "flood"])
    assert notes
