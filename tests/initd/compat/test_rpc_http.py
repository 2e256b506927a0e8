"""Requests, passwords and the wire to PID 1, over socket pairs."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.compat import rpc_http
from initd.compat.rpc_auth import allows, credentials
from initd.compat.rpc_http import BadRequest, Connection, parse_head, unquote
from initd.compat.rpc_wire import Wire
from initd.ctl.client import Refused

SHA_OF_SECRET = "{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.fixture
def client() -> Iterator[tuple[socket.socket, Connection]]:
    theirs, ours = socket.socketpair()
    yield theirs, Connection(ours, "test")
    theirs.close()
    ours.close()


Client = tuple[socket.socket, Connection]


def test_requests_follow_each_other_on_one_connection(client: Client) -> None:
    theirs, ours = client
    theirs.sendall(b"\r\nPOST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.0\r\nX: y\r\n\r\n")
    theirs.shutdown(socket.SHUT_WR)
    first, second = ours.next(), ours.next()
    assert first is not None and second is not None
    assert (first.method, first.path, first.body, first.keeps) == ("POST", "/a", b"abc", True)
    assert (second.path, second.headers, second.keeps) == ("/b", {"x": "y"}, False)
    assert ours.next() is None


@pytest.mark.parametrize(
    "beginning", [b"P", b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_a_request_that_dribbles_is_cut_off(client: Client, beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_http, "RPC_SECONDS", 0.3)
    theirs, ours = client
    theirs.sendall(beginning)
    with pytest.raises(BadRequest) as refused:
        ours.next()
    assert refused.value.status == 408


def test_a_byte_now_and_then_does_not_prolong_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_http, "RPC_SECONDS", 0.5)
    theirs, ours = client
    over = threading.Event()

    def dribble() -> None:
        while not over.wait(0.05):
            theirs.sendall(b"x")

    thread = threading.Thread(target=dribble)
    theirs.sendall(b"GET / HTTP/1.1\r\nA: ")
    thread.start()
    began = time.monotonic()
    with pytest.raises(BadRequest):
        ours.next()
    over.set()
    thread.join()
    assert time.monotonic() - began < 20


def test_a_client_that_does_not_read_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_http, "RPC_SECONDS", 0.2)
    with pytest.raises(OSError, match="timed out"):
        client[1].send(b"x" * (1 << 24))


@given(st.binary(max_size=400))
def test_any_head_is_a_request_or_refused(head: bytes) -> None:
    try:
        request = parse_head(head)
    except BadRequest as refused:
        assert refused.status in (400, 411)
    else:
        assert request.version.isprintable()


@given(st.text(max_size=50))
def test_paths_are_unquoted_as_everywhere(text: str) -> None:
    assert unquote(urllib.parse.quote(text)) == text
    assert unquote("/%zz%4%") == "/%zz%4%"


# Passwords


@pytest.mark.parametrize("stored", ["secret", SHA_OF_SECRET])
def test_only_the_right_name_with_the_right_password_passes(stored: str) -> None:
    assert allows("me", stored, basic("me:secret"))
    for wrong in ("me:secrets", "me:secre", "me:", "you:secret", ":secret", "me", f"me:{stored}x", "ME:secret"):
        assert not allows("me", stored, basic(wrong))
    for header in ("", "Basic", "Basic !!!", "Digest x", "Basic /w=="):
        assert not allows("me", stored, {"authorization": header})
    assert not allows("me", stored, {})


def test_the_hash_itself_is_no_password() -> None:
    assert not allows("me", SHA_OF_SECRET, basic(f"me:{SHA_OF_SECRET}"))


def test_without_a_name_everybody_passes() -> None:
    assert allows(None, None, {}) and allows("", None, basic("x:y"))


def test_passwords_may_hold_colons_and_any_letters() -> None:
    assert credentials(basic("me:a:ü")["authorization"]) == ("me", "a:ü")
    assert allows("mé", "a:ü", basic("mé:a:ü"))


@given(st.text(max_size=60))
def test_any_header_is_credentials_or_none(header: str) -> None:
    assert credentials(header) is None or len(credentials(header) or ()) == 2


# The wire to PID 1


class Pid1:
    """The other end: answers by hand."""

    def __init__(self) -> None:
        self.sock, theirs = socket.socketpair()
        self.closed = threading.Event()
        self.wire = Wire(theirs, self.closed.set)
        threading.Thread(target=self.wire.serve, daemon=True).start()
        self.lines = self.sock.makefile("rb")

    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines.readline())
        return found

    def answer(self, id: int, **more: object) -> None:
        self.sock.sendall(json.dumps({"id": id, **more}).encode() + b"\n")


@pytest.fixture
def pid1() -> Iterator[Pid1]:
    pid1 = Pid1()
    yield pid1
    pid1.sock.shutdown(socket.SHUT_RDWR)
    assert pid1.closed.wait(20)


def test_answers_find_who_asked_in_any_order(pid1: Pid1) -> None:
    results: dict[str, Any] = {}

    def ask(verb: str) -> None:
        results[verb] = pid1.wire.actor("me").ask(verb)

    threads = [threading.Thread(target=ask, args=(verb,)) for verb in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    asked = [pid1.request() for _ in threads]
    assert {one["actor"] for one in asked} == {"me"}
    for one in reversed(asked):
        pid1.answer(one["id"], ok=True, result=one["verb"] * 2)
    for thread in threads:
        thread.join(20)
    assert results == {"a": "aa", "b": "bb", "c": "cc"}


def test_a_refusal_is_raised(pid1: Pid1) -> None:
    def refuse() -> None:
        pid1.answer(pid1.request()["id"], ok=False, error={"code": "busy", "message": "m", "hint": "h"})

    thread = threading.Thread(target=refuse)
    thread.start()
    with pytest.raises(Refused, match="m") as refused:
        pid1.wire.actor("").ask("x")
    thread.join()
    assert refused.value.code == "busy"


def test_a_stream_that_is_left_is_ended(pid1: Pid1) -> None:
    items = pid1.wire.actor("").stream("log.follow")
    threading.Thread(target=lambda: pid1.answer(pid1.request()["id"], item="one"), daemon=True).start()
    assert next(items)["item"] == "one"
    ended: list[dict[str, Any]] = []

    def end() -> None:
        ended.append(pid1.request())
        pid1.answer(ended[0]["id"], ok=True, result={"ended": 1})

    thread = threading.Thread(target=end)
    thread.start()
    items.close()  # type: ignore[attr-defined]
    thread.join(20)
    assert (ended[0]["verb"], ended[0]["args"]) == ("end", {"id": 1})
