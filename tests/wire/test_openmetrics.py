"""The text of metrics in both dialects, and the small server: what it bounds and whom it lets in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from wire.openmetrics import OPEN, PLAIN, escaped, family, number
from wire.scrape import Scraped, Unavailable

SAMPLES = [({"cause": 'a"b\\c\nd'}, 2.0), ({}, 0.5)]


def test_a_counter_in_both_dialects() -> None:
    assert list(family("x_cpu_seconds", "counter", "CPU.", SAMPLES)) == [
        "# TYPE x_cpu_seconds counter",
        "# UNIT x_cpu_seconds seconds",
        "# HELP x_cpu_seconds CPU.",
        'x_cpu_seconds_total{cause="a\\"b\\\\c\\nd"} 2',
        "x_cpu_seconds_total 0.5",
    ]
    assert list(family("x_cpu_seconds", "counter", "CPU.", [], PLAIN)) == [
        "# TYPE x_cpu_seconds_total counter",
        "# HELP x_cpu_seconds_total CPU.",
    ]
    assert next(iter(family("x", "info", "X.", [], PLAIN))) == "# TYPE x_info gauge"


def test_values_and_labels() -> None:
    assert [number(value) for value in (1, True, 1e15, 0.25)] == ["1", "1", "1000000000000000", "0.25"]
    assert escaped("plain1") == "plain1" and escaped("ü\n") == "ü\\n"


@pytest.fixture
def server() -> Iterator[Scraped]:
    server = Scraped(("127.0.0.1", 0), lambda dialect: [f"it is {dialect}\n"])
    server.seconds = 1.0
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def asked(server: Scraped, request: str) -> str:
    with socket.create_connection(server.server_address[:2], timeout=20) as client:
        client.sendall(request.encode())
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer.decode()


def test_the_dialect_is_the_scrapers(server: Scraped) -> None:
    assert asked(server, "GET /metrics HTTP/1.1\r\n\r\n").endswith(f"it is {OPEN}\n")
    server.plain_too = True
    assert asked(server, "GET / HTTP/1.1\r\n\r\n").endswith(f"it is {PLAIN}\n")
    told = asked(server, "GET / HTTP/1.1\r\naccept: application/openmetrics-text;version=1.0.0\r\n\r\n")
    assert told.endswith(f"it is {OPEN}\n") and "openmetrics-text" in told


def test_who_asks_wrongly_is_told_so(server: Scraped) -> None:
    assert " 404 " in asked(server, "GET /x HTTP/1.1\r\n\r\n") and " 501 " in asked(server, "PUT / HTTP/1.1\r\n\r\n")
    server.allows = lambda header: header == b"Bearer s"
    assert " 401 " in asked(server, "GET / HTTP/1.1\r\n\r\n")
    assert " 200 " in asked(server, "GET / HTTP/1.1\r\nAuthorization: Bearer s\r\n\r\n")

    def nothing(dialect: str) -> list[str]:
        raise Unavailable("not now")

    server.parts = nothing
    assert " 503 " in asked(server, "GET / HTTP/1.1\r\nAuthorization: Bearer s\r\n\r\n")


def test_who_drips_or_is_silent_is_cut_off(server: Scraped) -> None:
    with socket.create_connection(server.server_address[:2], timeout=20) as client:
        client.sendall(b"GET / HT")
        assert b" 200 " not in client.recv(100)
    clients = [socket.create_connection(server.server_address[:2], timeout=20) for _ in range(8)]
    late = socket.create_connection(server.server_address[:2], timeout=20)
    assert late.recv(1) == b"", "the ninth at a time is turned away"
    for client in (*clients, late):
        client.close()
