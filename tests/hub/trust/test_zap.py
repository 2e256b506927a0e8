"""The gate over real CURVE sockets: who comes in, who does not, and that it always answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
import zmq

from hub.trust.turnstile import Turnstile
from hub.trust.zap import ADDRESS, Admissions, Gate
from wire.keys import KeyPair
from wire.sockets import CLIENT, COMMANDS, Serve, Socket, bound_port, serve

SERVER, KNOWN, STRANGER, OTHER = (KeyPair.generate() for _ in range(4))
IN, OUT = 10_000, 700
"""Milliseconds: generous for what must come, short for what must not."""


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    context: zmq.Context[Socket] = zmq.Context()
    yield context
    context.destroy(0)


@pytest.fixture
def admissions(context: zmq.Context[Socket]) -> Iterator[Admissions]:
    admissions = Admissions()
    admissions.table = {("agents", KNOWN.public): "agent-7"}
    gate = Gate(context, admissions)
    gate.open()
    yield admissions
    gate.close()


def bound(context: zmq.Context[Socket], role: Serve = COMMANDS) -> Socket:
    return serve(context, role, "tcp://127.0.0.1:*", SERVER)


def say_hello(client: Socket) -> None:
    """Never blocks: libzmq gives a refused connection up, perhaps before there was time to say anything."""
    with suppress(zmq.Again):
        client.send(b"hello", zmq.NOBLOCK)


def knock(
    context: zmq.Context[Socket], server: Socket, pair: KeyPair | None, server_key: str = SERVER.public
) -> str | None:
    """Sends one message under this key; the User-Id the server sees, None where nothing arrives."""
    client = context.socket(zmq.DEALER)
    client.linger = 0
    if pair is not None:
        client.curve_serverkey = server_key.encode()
        client.curve_publickey, client.curve_secretkey = pair.public.encode(), pair.secret.encode()
    client.connect(f"tcp://127.0.0.1:{bound_port(server)}")
    say_hello(client)
    try:
        good = pair is KNOWN and server_key == SERVER.public
        if not server.poll(IN if good else OUT):
            return None
        frame = server.recv_multipart(copy=False)[-1]
        return str(frame.get("User-Id"))
    finally:
        client.close(0)


def test_the_right_key_is_in_under_its_subject(context: zmq.Context[Socket], admissions: Admissions) -> None:
    assert knock(context, bound(context), KNOWN) == "agent-7"


@pytest.mark.parametrize("pair", [STRANGER, None], ids=["unknown key", "NULL client"])
def test_others_are_out(context: zmq.Context[Socket], admissions: Admissions, pair: KeyPair | None) -> None:
    assert knock(context, bound(context), pair) is None


def test_a_client_that_pins_another_server_is_out(context: zmq.Context[Socket], admissions: Admissions) -> None:
    assert knock(context, bound(context), KNOWN, OTHER.public) is None


def test_an_agents_key_opens_no_other_domain(context: zmq.Context[Socket], admissions: Admissions) -> None:
    admissions.table = {("clients", STRANGER.public): "eve", **admissions.table}
    assert knock(context, bound(context), STRANGER) is None
    server = bound(context, CLIENT)
    client = context.socket(zmq.DEALER)
    client.curve_serverkey, client.linger = SERVER.public.encode(), 0
    client.curve_publickey, client.curve_secretkey = KNOWN.public.encode(), KNOWN.secret.encode()
    client.connect(f"tcp://127.0.0.1:{bound_port(server)}")
    say_hello(client)
    assert not server.poll(OUT)
    client.close(0)


def test_a_swapped_table_counts_from_the_next_handshake(context: zmq.Context[Socket], admissions: Admissions) -> None:
    server = bound(context)
    assert knock(context, server, KNOWN) == "agent-7"
    admissions.table = {}
    client = context.socket(zmq.DEALER)
    client.curve_serverkey, client.linger = SERVER.public.encode(), 0
    client.curve_publickey, client.curve_secretkey = KNOWN.public.encode(), KNOWN.secret.encode()
    client.connect(f"tcp://127.0.0.1:{bound_port(server)}")
    say_hello(client)
    assert not server.poll(OUT)
    client.close(0)


def test_a_closed_domain_takes_nobody_new(context: zmq.Context[Socket], admissions: Admissions) -> None:
    admissions.closed = frozenset({"agents"})
    assert admissions("agents", KNOWN.public) is None
    admissions.closed = frozenset()
    assert admissions("agents", KNOWN.public) == "agent-7"


def test_without_a_gate_even_the_right_key_is_out(context: zmq.Context[Socket]) -> None:
    server = bound(context)
    client = context.socket(zmq.DEALER)
    client.curve_serverkey, client.linger = SERVER.public.encode(), 0
    client.curve_publickey, client.curve_secretkey = KNOWN.public.encode(), KNOWN.secret.encode()
    client.connect(f"tcp://127.0.0.1:{bound_port(server)}")
    say_hello(client)
    assert not server.poll(OUT)
    client.close(0)


@pytest.mark.parametrize(
    "request_frames",
    [[], [b""], [b"1.0", b"7"], [b"1.0", b"7", b"\xff", b"", b"", b"CURVE", b"x" * 32], [b"9.9", *([b""] * 6)]],
    ids=["empty", "one frame", "short", "odd domain", "version"],
)
def test_every_question_is_answered_whatever_it_is(
    context: zmq.Context[Socket], admissions: Admissions, request_frames: list[bytes]
) -> None:
    asker = context.socket(zmq.REQ)
    asker.linger = 0
    asker.connect(ADDRESS)
    asker.send_multipart(request_frames or [b""])
    assert asker.poll(IN) and asker.recv_multipart()[2] in (b"400", b"500")
    asker.close(0)


def test_a_decision_that_fails_is_answered_and_the_gate_goes_on(context: zmq.Context[Socket]) -> None:
    answers = iter([ZeroDivisionError()])

    def decide(domain: str, public: str) -> str | None:
        for error in answers:
            raise error
        return "later"

    gate = Gate(context, decide)
    gate.open()
    server = bound(context)
    assert knock(context, server, STRANGER) is None
    assert knock(context, server, KNOWN) == "later" and gate.alive
    gate.close()
    assert not gate.alive


class Barred(Turnstile):
    """Opened by the test."""

    open = False

    def turn(self, now: float) -> bool:
        return self.open


def test_an_agent_waits_for_its_turn_and_nobody_else_does(context: zmq.Context[Socket]) -> None:
    barred = Barred()
    table = {("agents", KNOWN.public): "agent-7", ("clients", KNOWN.public): "ann"}
    gate = Gate(context, lambda domain, public: table.get((domain, public)), barred)
    gate.open()
    agents, clients = bound(context), bound(context, CLIENT)
    waiting = context.socket(zmq.DEALER)
    waiting.curve_serverkey, waiting.linger = SERVER.public.encode(), 0
    waiting.curve_publickey, waiting.curve_secretkey = KNOWN.public.encode(), KNOWN.secret.encode()
    waiting.connect(f"tcp://127.0.0.1:{bound_port(agents)}")
    waiting.send(b"hello")
    assert not agents.poll(OUT)
    assert knock(context, clients, KNOWN) == "ann"
    assert knock(context, agents, STRANGER) is None and gate.refused
    barred.open = True
    assert agents.poll(IN) and agents.recv_multipart(copy=False)[-1].get("User-Id") == "agent-7"
    gate.close()
    waiting.close(0)
