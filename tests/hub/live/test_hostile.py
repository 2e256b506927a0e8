"""Hostile peers on every port: the hub stays up and serves the others."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from tests.support.liveagent import LiveAgent
from tests.support.livehub import PORTS, LiveHub
from tests.support.procfs import children
from tests.support.waiting import until
from wire import limits
from wire.codec import decode, encode
from wire.keys import KeyPair
from wire.messages import Enrol, Heartbeat, Refused
from wire.sockets import Socket

Make = Callable[..., LiveAgent]


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    context: zmq.Context[Socket] = zmq.Context()
    yield context
    context.destroy(0)


def serves(hub: LiveHub, shop: LiveAgent) -> bool:
    """An agent and a client are answered as ever, and a new agent may still enrol."""
    assert hub.process is not None and hub.process.poll() is None
    return shop.beat().register is False and len(hub.client.agents()) >= 1


def dial(
    context: zmq.Context[Socket], hub: LiveHub, port: str, kind: int = zmq.DEALER, pair: KeyPair | None = None
) -> Socket:
    """A peer with the right server key and any key of its own."""
    server = hub.join().fleet_key if port == "enrol" else hub.client.key.server_key
    pair, client = pair or KeyPair.generate(), context.socket(kind)
    client.linger, client.curve_serverkey = 0, server.encode()
    client.curve_publickey, client.curve_secretkey = pair.public.encode(), pair.secret.encode()
    client.connect(f"tcp://127.0.0.1:{hub.ports[port]}")
    return client


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("port", PORTS)
def test_garbage_from_plain_tcp(hub: LiveHub, agent: Make, port: str) -> None:
    shop = agent("shop", "web")
    for garbage in (os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n", b"\xff" + b"\0" * 8 + b"\x7f" + os.urandom(100), b""):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", hub.ports[port])) as peer:
                peer.sendall(garbage)
    assert serves(hub, shop)


@pytest.mark.parametrize("port", PORTS)
def test_an_unknown_key_gets_nowhere(hub: LiveHub, agent: Make, context: zmq.Context[Socket], port: str) -> None:
    shop = agent("shop", "web")
    peer = dial(context, hub, port, zmq.SUB if port == "feed" else zmq.PUB if port == "samples" else zmq.DEALER)
    if port == "feed":
        peer.subscribe(b"")
    else:
        peer.send(encode(Heartbeat(shop.boot, 0, 1, 0.0, 0.0, 0, 0, 0.0)))
    if port not in ("samples", "enrol"):
        shop.leave()
        assert not peer.poll(700)
        shop.register()
    assert serves(hub, shop)


@pytest.mark.parametrize("port", ["command", "client", "enrol"])
def test_undecodable_messages_are_refused_in_words(
    hub: LiveHub, agent: Make, context: zmq.Context[Socket], port: str
) -> None:
    shop = agent("shop", "web")
    pairs = {"command": shop.pair, "client": KeyPair(hub.client.key.public, hub.client.key.secret)}
    peer = dial(context, hub, port, pair=pairs.get(port))
    for payload in (b"", b"\xc1", b"\x81" * 4000, os.urandom(1000), b"\xdd\xff\xff\xff\xff", b"\xa1v"):
        peer.send(payload)
        assert peer.poll(10_000)
        answer = decode(peer.recv_multipart()[-1])
        assert isinstance(answer, Refused) and answer.code == "garbled"
    assert serves(hub, shop)


@pytest.mark.parametrize(
    ("port", "most"),
    [("command", limits.MESSAGE_BYTES), ("client", limits.MESSAGE_BYTES), ("enrol", limits.ENROL_BYTES)],
)
def test_a_huge_frame_ends_its_connection_only(
    hub: LiveHub, agent: Make, context: zmq.Context[Socket], port: str, most: int
) -> None:
    shop = agent("shop", "web")
    pairs = {"command": shop.pair, "client": KeyPair(hub.client.key.public, hub.client.key.secret)}
    peer = dial(context, hub, port, pair=pairs.get(port))
    assert hub.process is not None
    before = memory(hub.process.pid)
    for _ in range(20):
        peer.send(b"x" * (most + 4096))
    assert not peer.poll(700)
    assert serves(hub, shop) and memory(hub.process.pid) - before < 64 << 20


@pytest.mark.parametrize("port", ["command", "client", "enrol"])
def test_an_unfinished_message_blocks_nobody(
    hub: LiveHub, agent: Make, context: zmq.Context[Socket], port: str
) -> None:
    shop = agent("shop", "web")
    pairs = {"command": shop.pair, "client": KeyPair(hub.client.key.public, hub.client.key.secret)}
    peer = dial(context, hub, port, pair=pairs.get(port))
    for _ in range(1000):
        peer.send(b"x" * 1000, zmq.SNDMORE)
    assert serves(hub, shop)
    peer.send(b"end")
    assert not peer.poll(300) and serves(hub, shop)


def test_a_replayed_request_changes_nothing(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    hub.client.command("shop/web", "restart", id="once")
    for _ in range(20):
        shop.register()
        shop.show("web")
    assert len([row for row in hub.client.query("commands") if row["id"] == "once"]) == 1
    assert serves(hub, shop) and len(hub.client.agents()) == 1


def test_one_agent_cannot_speak_for_another(hub: LiveHub, agent: Make) -> None:
    shop, evil = agent("shop", "web"), agent("evil", "web")
    evil.boot, right = shop.boot, evil.boot
    assert evil.beat().register is True
    evil.boot = right
    evil.route.setsockopt(zmq.IDENTITY, b"x")
    hub.client.command("shop/web", "restart", id="mine")
    assert shop.command().id == "mine" and not evil.route.poll(300)


def test_a_flood_of_enrolments_is_slowed_and_the_fleet_does_not_notice(
    hub: LiveHub, agent: Make, context: zmq.Context[Socket]
) -> None:
    shop = agent("shop", "web")
    peer = dial(context, hub, "enrol")
    peer.sndhwm = peer.rcvhwm = 0
    message = encode(Enrol("nope", b"x" * 32, "", "host", "0"))
    for _ in range(900):
        peer.send(message)
    codes, deadline = [], time.monotonic() + 2.0
    while time.monotonic() < deadline:
        assert serves(hub, shop)
        while peer.poll(0):
            codes.append(decode(peer.recv_multipart()[-1]))
    assert 0 < sum(answer.code == "bad-token" for answer in codes) < 900
    busy = [answer for answer in codes if answer.code == "busy"]
    assert busy and all(1.0 <= answer.after <= 60.0 for answer in busy)


def test_the_enrolment_process_may_die_and_comes_again(hub: LiveHub, agent: Make) -> None:
    shop = agent("shop", "web")
    assert hub.process is not None
    [keeper] = children(hub.process.pid)
    [worker] = until(lambda: children(keeper), what="the worker of the enrolment port")
    os.kill(worker, 9)
    assert serves(hub, shop)
    assert until(lambda: agent("late", "web"), what="the next process enrols").id


def test_slow_readers_of_the_feed_hold_nothing_up(hub: LiveHub, agent: Make, context: zmq.Context[Socket]) -> None:
    shop = agent("shop", "web")
    pair = KeyPair(hub.client.key.public, hub.client.key.secret)
    readers = [dial(context, hub, "feed", zmq.SUB, pair) for _ in range(5)]
    for reader in readers:
        reader.rcvhwm = 1
        reader.subscribe(b"")
    for _ in range(200):
        shop.publish([0.5])
    assert serves(hub, shop)
