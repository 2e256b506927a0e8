"""Logs that the rpc server sends while they grow: the original's `tail -f`, plain HTTP, and followers that leave."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.support.rpclab import THEIRS, Daemon
from tests.support.waiting import until

pytestmark = pytest.mark.proc

WEB = '[program:web]\ncommand=/bin/sh -c "echo ready; exec cat"\nstdout_logfile={folder}/web.log\n'


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    daemon = Daemon("initd", WEB)
    try:
        daemon.start().wait_state("web", "RUNNING")
        yield daemon
    finally:
        daemon.destroy()


def test_logtail_shows_the_end_and_what_comes(daemon: Daemon) -> None:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(f"{daemon.folder}/s.sock")
    connection.request("GET", "/logtail/web/stdout")
    answer = connection.getresponse()
    assert (answer.status, answer.read(6)) == (200, b"ready\n")
    daemon.rpc.sendProcessStdin("web", "hällo\n")
    assert answer.read(7) == "hällo\n".encode()
    answer.close()
    connection.close()


@pytest.mark.parametrize("words", [("tail", "-f", "web"), ("maintail", "-f")])
def test_the_original_client_follows(daemon: Daemon, words: tuple[str, ...]) -> None:
    command = [*THEIRS, "-c", str(daemon.ini), *words]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=daemon.folder, env=environ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"==> Press Ctrl-C to exit <==\n"
        assert len(client.stdout.readline()) > 3
        mark = f"mark {time.monotonic()}\n"
        daemon.rpc.sendProcessStdin("web", mark)
        if words[0] == "tail":
            while client.stdout.readline() != mark.encode():
                pass
        client.send_signal(signal.SIGINT)
        client.wait(30)


def test_followers_that_leave_are_forgotten(daemon: Daemon) -> None:
    """More of them than PID 1 serves at a time, one after the other."""
    for _ in range(70):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(30)
            sock.connect(f"{daemon.folder}/s.sock")
            sock.sendall(b"GET /logtail/web HTTP/1.1\r\n\r\n")
            assert sock.recv(1 << 10).startswith(b"HTTP/1.1 200")
    pid = daemon.server_pid()
    until(lambda: _threads(pid) < 20, what="followers have left")
    until(lambda: _follows(daemon), what="one more can follow")


def _follows(daemon: Daemon) -> bool:
    """Whether a follower gets more than the head of an answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        sock.connect(f"{daemon.folder}/s.sock")
        sock.sendall(b"GET /logtail/web HTTP/1.0\r\n\r\n")
        answer = b""
        try:
            while chunk := sock.recv(1 << 10):
                answer += chunk
                if answer.partition(b"\r\n\r\n")[2]:
                    return answer.split(b"\r\n")[0].endswith(b"200 OK")
        except TimeoutError:
            pass
    return False


def _threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))
