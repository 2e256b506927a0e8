"""What the kernel says of connections, and that one can be ended from outside of who holds it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from hub.bouncer import Kernel
from hub.shares import Seen
from tests.support.waiting import until


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket, int]]:
    """Client, server and the server's port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as server:
            yield client, server, port


def server_of(kernel: Kernel, server: socket.socket, port: int) -> Seen:
    return next(one for one in kernel.seen({port: "command"}) if one.fd == server.fileno())


def test_bytes_are_counted_that_nobody_read(kernel: Kernel, pair: tuple[socket.socket, socket.socket, int]) -> None:
    client, server, port = pair
    client.sendall(b"x" * 777)
    until(lambda: server_of(kernel, server, port).received == 777)
    server.recv(777)
    assert server_of(kernel, server, port).received == 777


def test_a_listener_and_other_ports_are_no_peers(
    kernel: Kernel, pair: tuple[socket.socket, socket.socket, int]
) -> None:
    port = pair[-1]
    assert not [one for one in kernel.seen({port: "command"}) if one.received]
    assert not kernel.seen({port + 1: "command"})


def test_a_connection_is_ended_for_both_sides(kernel: Kernel, pair: tuple[socket.socket, socket.socket, int]) -> None:
    client, server, port = pair
    kernel.shut(server_of(kernel, server, port))
    assert client.recv(1) == b"" and server.recv(1) == b""


def test_another_connection_by_the_same_number_is_left_alone(
    kernel: Kernel, pair: tuple[socket.socket, socket.socket, int]
) -> None:
    client, server, port = pair
    kernel.shut(server_of(kernel, server, port)._replace(cookie=1 << 60))
    client.sendall(b"x")
    assert server.recv(1) == b"x"


def test_what_is_no_connection_is_passed_over(kernel: Kernel) -> None:
    ends = (*os.pipe(), *(one.detach() for one in socket.socketpair()))
    try:
        assert kernel.seen({0: "command"}) == [] and kernel.resident() > 1 << 20
    finally:
        for end in ends:
            os.close(end)
