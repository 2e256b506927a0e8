"""Looks at real sockets and files, and real messages, in a real loop."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from initd.config.probe import Probe, probe
from initd.loop import Loop
from initd.probes.dial import Dial
from initd.probes.looks import missing
from initd.probes.message import Message
from initd.probes.notify import Mailbox, Newline


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(lambda text: pytest.fail(text))
    yield made
    made.close()


def dial(loop: Loop, what: Probe, seconds: float = 20.0) -> str:
    """The answer of one look; "silence" where none came."""
    answers: list[str] = []

    def tell(why: str) -> None:
        answers.append(why)
        loop.stop(0)

    look = Dial(loop, what, tell)
    if not answers:
        loop.at(loop.now() + seconds, lambda: loop.stop(1))
        loop.run()
    look.cancel()
    assert look.gone
    assert len(answers) <= 1
    return answers[0] if answers else "silence"


class Server:
    """Accepts one connection and sends what it is told, in pieces."""

    def __init__(self, *pieces: bytes, family: int = socket.AF_INET, where: Any = ("127.0.0.1", 0)) -> None:
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind(where)
        self._socket.listen()
        self.port = self._socket.getsockname()[1] if family != socket.AF_UNIX else 0
        self._pieces = pieces
        self.request = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._socket, self._socket.accept()[0] as client:
            if self._pieces:
                self.request = client.recv(4096)
            for piece in self._pieces:
                client.sendall(piece)
                time.sleep(0.01)


def http(*pieces: bytes) -> Probe:
    return probe(f"http://127.0.0.1:{Server(*pieces).port}/health")


def test_an_open_port(loop: Loop) -> None:
    assert dial(loop, probe(f"tcp:127.0.0.1:{Server().port}")) == ""


def test_a_closed_port(loop: Loop) -> None:
    assert dial(loop, probe("tcp:127.0.0.1:1")) == "Connection refused"


def test_a_port_of_ipv6(loop: Loop) -> None:
    try:
        server = Server(family=socket.AF_INET6, where=("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert dial(loop, probe(f"tcp:[::1]:{server.port}")) == ""


def test_a_unix_socket(loop: Loop, tmp_path: Path) -> None:
    short = os.path.relpath(tmp_path / "s")
    Server(family=socket.AF_UNIX, where=short)
    assert dial(loop, Probe("tcp", "", path=short)) == ""


def test_no_unix_socket(loop: Loop) -> None:
    assert dial(loop, probe("unix:/nowhere/s")) == "No such file or directory"


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ((b"HTTP/1.1 200 OK\r\n\r\n",), ""),
        ((b"HT", b"TP/1.1 3", b"02 Found\r\n"), ""),
        ((b"HTTP/1.1 503 Service Unavailable\r\n\r\n",), "HTTP status 503"),
        ((b"SSH-2.0-OpenSSH\r\n",), "the answer is no HTTP"),
        ((b"HTTP/1.1 200", b""), "the answer is no HTTP"),
        ((b"",), "the connection was closed without an answer"),
        ((b"HTTP/1.1 100 x\r\n" + b"a: b\r\n" * 2000,), "the answer is no HTTP"),
    ],
)
def test_http(loop: Loop, pieces: tuple[bytes, ...], answer: str) -> None:
    found = dial(loop, http(*pieces))
    assert found == answer or (not pieces[0] and found in (answer, "Connection reset by peer"))


def test_a_server_that_says_nothing(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert dial(loop, probe(f"http://127.0.0.1:{silent.getsockname()[1]}/"), 0.1) == "silence"


def test_looks_leave_no_descriptor(loop: Loop) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        Dial(loop, probe("tcp:127.0.0.1:1"), lambda why: None).cancel()
    assert set(os.listdir("/proc/self/fd")) == before


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    started = time.time()
    assert missing(probe(f"file:{path}"), started) == "No such file or directory"
    path.touch()
    assert missing(probe(f"file:{path}"), started) == ""
    assert missing(probe(f"file:{path}"), time.time() + 10) == "older than this start"
    assert missing(probe(f"exists:{path}"), time.time() + 10) == ""


def turn(loop: Loop, done: Callable[[], bool]) -> None:
    """Run the loop until it is done, or 20 s are over."""

    def look() -> None:
        if done():
            loop.stop(0)
        else:
            loop.at(loop.now() + 0.01, look)

    look()
    loop.at(loop.now() + 20, lambda: loop.stop(1))
    assert loop.run() == 0


def test_a_newline(loop: Loop) -> None:
    said: list[bool] = []
    newline = Newline(loop, lambda: said.append(True))
    theirs = os.dup(newline.theirs)
    newline.handed_over()
    os.write(theirs, b"not yet")
    os.write(theirs, b"\nmore")
    turn(loop, lambda: bool(said))
    with pytest.raises(BrokenPipeError):
        os.write(theirs, b"\n")
    os.close(theirs)
    assert said == [True]


class Post:
    """A mailbox and what came."""

    def __init__(self, loop: Loop) -> None:
        self.came: list[tuple[Message, int]] = []
        self.box = Mailbox(
            loop, f"pidone-test/{os.urandom(8).hex()}", lambda message, pid: self.came.append((message, pid))
        )
        self.sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sender.connect("\0" + self.box.address[1:])


@pytest.fixture
def post(loop: Loop) -> Iterator[Post]:
    made = Post(loop)
    yield made
    made.box.close()
    made.sender.close()


def test_a_message_comes_with_its_sender(loop: Loop, post: Post) -> None:
    post.sender.send(b"READY=1\nSTATUS=up")
    turn(loop, lambda: bool(post.came))
    assert post.came == [(Message(ready=True, status="up"), os.getpid())]


def test_descriptors_that_come_along_are_closed(loop: Loop, post: Post) -> None:
    before = len(os.listdir("/proc/self/fd"))
    spare = os.open("/dev/null", os.O_RDONLY)
    for count in (1, 100, 253):
        socket.send_fds(post.sender, [b"FDSTORE=1"], [spare] * count)
    os.close(spare)
    post.sender.send(b"READY=1")
    turn(loop, lambda: any(message.ready for message, _ in post.came))
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(post.came) == 4


def test_a_flood_starves_nobody(loop: Loop, post: Post) -> None:
    post.sender.setblocking(False)
    ticks: list[int] = []

    def flood() -> None:
        ticks.append(1)
        try:
            while True:
                post.sender.send(b"WATCHDOG=1")
        except BlockingIOError:
            loop.at(loop.now(), flood)

    flood()
    turn(loop, lambda: len(ticks) > 20)
    assert post.came


@pytest.mark.parametrize("size", [0, 1, 4096, 20000])
def test_messages_of_any_size(loop: Loop, post: Post, size: int) -> None:
    post.sender.send(b"x" * size)
    post.sender.send(b"READY=1")
    turn(loop, lambda: any(message.ready for message, _ in post.came))
