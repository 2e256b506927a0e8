"""Real sockets on the loopback: who gets in, what is too large, what is not queued."""

from __future__ import annotations

from typing import Any

import pytest
import zmq

from tests.support.waiting import until
from tests.support.zap import Doorkeeper
from wire import limits, sockets
from wire.keys import KeyPair
from wire.sockets import COMMAND_ROUTE, COMMANDS, QUERIES, REQUESTS, Dial, bound_port, dial, serve, serve_scripts

HUB, AGENT = KeyPair.generate(), KeyPair.generate()
SOON, NEVER = 10_000, 400


@pytest.fixture
def router(context: Any, doorkeeper: Doorkeeper) -> Any:
    doorkeeper.admit("agents", AGENT.public, "agent-1")
    return serve(context, COMMANDS, "tcp://127.0.0.1:*", HUB)


def knock(context: Any, router: Any, role: Dial = QUERIES, pair: KeyPair = AGENT, key: str = HUB.public) -> Any:
    return dial(context, role, f"127.0.0.1:{bound_port(router)}", pair, key)


def test_a_known_key_gets_in_and_carries_its_user_id(context: Any, router: Any) -> None:
    agent = knock(context, router, COMMAND_ROUTE)
    assert agent.poll(SOON, zmq.POLLOUT)
    agent.send(b"hello")
    frames = router.recv_multipart(copy=False)
    assert frames[-1].bytes == b"hello" and frames[-1].get("User-Id") == "agent-1"


def test_an_unknown_key_stays_out(context: Any, router: Any, doorkeeper: Doorkeeper) -> None:
    stranger = KeyPair.generate()
    assert not knock(context, router, pair=stranger).poll(NEVER, zmq.POLLOUT)
    assert stranger.public in doorkeeper.turned_away


def test_a_wrong_server_key_stays_out(context: Any, router: Any) -> None:
    assert not knock(context, router, key=KeyPair.generate().public).poll(NEVER, zmq.POLLOUT)


def test_without_a_doorkeeper_nobody_gets_in(context: Any) -> None:
    router = serve(context, COMMANDS, "tcp://127.0.0.1:*", HUB)
    assert not knock(context, router).poll(NEVER, zmq.POLLOUT)


def test_a_peer_without_curve_stays_out(context: Any, router: Any) -> None:
    plain = context.socket(zmq.DEALER)
    plain.linger = 0
    plain.connect(f"tcp://127.0.0.1:{bound_port(router)}")
    plain.send(b"hello")
    assert not router.poll(NEVER)


def test_the_largest_message_passes_and_a_larger_one_does_not(context: Any, router: Any) -> None:
    agent = knock(context, router, COMMAND_ROUTE)
    assert agent.poll(SOON, zmq.POLLOUT)
    agent.send(bytes(limits.MESSAGE_BYTES))
    assert router.poll(SOON) and len(router.recv_multipart()[-1]) == limits.MESSAGE_BYTES
    agent.send(bytes(limits.MESSAGE_BYTES + sockets.CURVE_BYTES))
    assert not router.poll(NEVER)


ROLES = [role for role in vars(sockets).values() if isinstance(role, Dial)]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.kind))
def test_nobody_pings(context: Any, router: Any, role: Dial) -> None:
    for socket in (router, knock(context, router, role)):
        assert socket.getsockopt(zmq.HEARTBEAT_IVL) <= 0 < socket.getsockopt(zmq.TCP_KEEPALIVE)


def test_a_request_is_not_queued_while_there_is_no_hub(context: Any, router: Any) -> None:
    agent = knock(context, router, REQUESTS)
    address = router.getsockopt_string(zmq.LAST_ENDPOINT)
    assert agent.poll(SOON, zmq.POLLOUT)
    router.unbind(address)
    router.close(0)
    until(lambda: not agent.getsockopt(zmq.EVENTS) & zmq.POLLOUT)
    with pytest.raises(zmq.Again):
        agent.send(b"stale", zmq.NOBLOCK)


def test_a_request_may_be_asked_again_and_gets_the_later_answer(context: Any, router: Any) -> None:
    agent = knock(context, router, REQUESTS)
    agent.send(b"first")
    first = router.recv_multipart()
    agent.send(b"second")
    second = router.recv_multipart()
    router.send_multipart([*first[:-1], b"to first"])
    router.send_multipart([*second[:-1], b"to second"])
    assert agent.poll(SOON) and agent.recv() == b"to second"
    assert len(first) == 4 and first[2] == b""


def test_a_router_says_that_a_peer_is_unknown(router: Any) -> None:
    with pytest.raises(zmq.ZMQError) as fault:
        router.send_multipart([b"nobody", b"x"], zmq.NOBLOCK)
    assert fault.value.errno == zmq.EHOSTUNREACH


def test_a_taken_port_is_an_error_and_leaves_nothing_open(context: Any, router: Any) -> None:
    with pytest.raises(zmq.ZMQError, match="Address already in use"):
        serve(context, COMMANDS, f"tcp://127.0.0.1:{bound_port(router)}", HUB)


def test_scripts_talk_to_the_socket_file(context: Any, tmp_path: Any) -> None:
    endpoint = f"ipc://{tmp_path}/command"
    rep, req = serve_scripts(context, endpoint), context.socket(zmq.REQ)
    req.connect(endpoint)
    req.send(b"ping")
    assert rep.poll(SOON) and rep.recv() == b"ping"
