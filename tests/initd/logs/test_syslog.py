from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from initd.logs.sink import Origin
from initd.logs.syslog import SyslogSink, stamp
from wire.limits import SINK_RETRY_SECONDS, SYSLOG_LINE_BYTES


class Daemon:
    """A syslog daemon of sorts, and a sink that speaks to it."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "log")
        self.now = 0.0
        self.said: list[str] = []
        self.origin = Origin("web stdout")
        self.sink = SyslogSink("web", lambda: self.now, lambda: 0.0, self.said.append, self.path)
        self.open()

    def open(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)

    def close(self) -> None:
        self.socket.close()
        os.unlink(self.path)

    def write(self, text: bytes) -> None:
        if self.sink.is_there():
            self.sink.write(text, self.origin)

    def heard(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(1 << 20))
            except BlockingIOError:
                return found


@pytest.fixture
def daemon(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Daemon(tmp_path)
    monkeypatch.undo()
    time.tzset()


def test_each_line_is_a_message_as_the_originals(daemon):
    daemon.write(b"one\n\ntwo\n")
    head = b"<14>Jan  1 00:00:00 supervisord: web "
    assert daemon.heard() == [head + b"one", head, head + b"two"]


def test_the_months_are_english_whatever_the_locale():
    assert stamp(1_700_000_000.0).startswith(b"Nov 1")


def test_nul_does_not_end_a_message_and_long_lines_go_in_pieces(daemon):
    daemon.write(b"a\0b\n" + "é".encode() * SYSLOG_LINE_BYTES + b"\n")
    first, *rest = [message.partition(b"web ")[2] for message in daemon.heard()]
    assert first == b"a\\x00b" and b"".join(rest) == "é".encode() * SYSLOG_LINE_BYTES and len(rest) == 2


def test_a_daemon_that_does_not_read_makes_nobody_wait(daemon):
    daemon.write(b"line\n" * 5000)
    assert daemon.origin.dropped > 0 and daemon.said == []
    daemon.heard()
    daemon.write(b"again\n")
    assert len(daemon.said) == 1 and "did not reach syslog" in daemon.said[0]


def test_a_daemon_that_is_not_there_is_looked_for_once_in_a_while(daemon):
    daemon.close()
    assert not daemon.sink.is_there()
    daemon.open()
    assert not daemon.sink.is_there()
    daemon.now += SINK_RETRY_SECONDS
    assert daemon.sink.is_there()


def test_a_daemon_that_was_restarted_is_found_again(daemon):
    daemon.write(b"one\n")
    daemon.close()
    daemon.write(b"lost\n")
    assert daemon.origin.dropped > 0 and not daemon.sink.is_there()
    daemon.open()
    daemon.now += SINK_RETRY_SECONDS
    daemon.write(b"two\n")
    assert [message[-3:] for message in daemon.heard()] == [b"two"]
