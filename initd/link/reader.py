"""Reads what only a process's own user may read (/proc/PID/io, its descriptors), in a short-lived child of that user.

Theory.  Under an engine's default capabilities even root may not read these files of other users' processes: that takes
CAP_SYS_PTRACE, or being that user.  So for each user a child is forked that becomes it, reads, answers and ends.  It is
never forked from link itself, whose libzmq has threads: a helper process is spawned when the first such figure is
wanted, and it does the forking.  Requests and answers are JSON lines over a socket pair.  Answers are used by the next
sample, so nobody waits for them.  Where we are not root there is no helper; the columns stay NaN, with that reason.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from initd.jsontext import dumps, loads
from initd.link.processes import Private, read_private
from initd.native import signal
from initd.sockets import socket

CHANNEL = 3
"""The helper's descriptor of the socket pair."""

SECONDS = 2.0
"""Longest time for one round; a child that hangs in /proc is killed."""

LINE_BYTES = 1 << 20
Users = Mapping[tuple[int, int], list[int]]
"""Process ids by user and group."""


class Reader:
    """Link's side: `ask` sends, `take` gives what has arrived since.  `argv` starts the helper (`serve` on fd 3)."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = tuple(argv)
        self._socket: socket.socket | None = None
        self._buffer, self._waiting, self._failed = b"", False, os.geteuid() != 0
        self.pid = 0
        """Of the helper, 0 while there is none."""

    def ask(self, users: Users) -> None:
        """Have these processes read; ignored while an answer is awaited, and where there can be no helper."""
        if self._waiting or self._failed or not users:
            return
        line = dumps([[uid, gid, pids] for (uid, gid), pids in users.items()]).encode() + b"\n"
        try:
            if self._socket is None:
                self._socket = self._spawn()
            self._waiting = self._socket.send(line) == len(line)
        except OSError:
            self._failed = True

    def take(self) -> dict[int, Private]:
        """Figures by pid that have come in."""
        with suppress(OSError):
            while self._socket is not None and (chunk := self._socket.recv(65536)):
                self._buffer += chunk
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return {}
        self._buffer, self._waiting = rest, False
        found: Any = loads(line)
        return {int(pid): Private(*map(_float, numbers)) for pid, numbers in found.items()}

    def close(self) -> None:
        """End the helper."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            with suppress(OSError):
                os.waitpid(self.pid, 0)

    def _spawn(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            plumbing = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL)]
            self.pid = os.posix_spawn(self._argv[0], self._argv, {}, file_actions=plumbing)
        ours.setblocking(False)
        return ours


def _float(number: float | None) -> float:
    return float("nan") if number is None else float(number)


def serve(link: socket.socket) -> None:
    """The helper: one line, one round, one answer, until link is gone."""
    with open(link.fileno(), "rb", closefd=False) as lines:
        while line := lines.readline(LINE_BYTES):
            found: dict[str, list[float | None]] = {}
            wanted: Any = loads(line)
            for uid, gid, pids in wanted:
                found |= read_as(uid, gid, pids)
            link.sendall(dumps(found).encode() + b"\n")


def read_as(uid: int, gid: int, pids: list[int]) -> dict[str, list[float | None]]:
    """Read as that user, in a child that ends with its answer; empty where that is not allowed or takes too long."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _read_and_tell(theirs, uid, gid, pids)
        os._exit(0)
    os.close(theirs)
    try:
        return _collect(ours)
    finally:
        os.close(ours)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _read_and_tell(out: int, uid: int, gid: int, pids: list[int]) -> None:
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    read = {pid: read_private("/proc", pid) for pid in pids}
    told = {pid: [_plain(number) for number in one] for pid, one in read.items() if one is not None}
    with open(out, "wb") as file:
        file.write(dumps(told).encode())


def _plain(number: float) -> float | None:
    return None if number != number else number


def _collect(fd: int) -> dict[str, list[float | None]]:
    deadline, text = time.monotonic() + SECONDS, b""
    ready = select.poll()  # select(2) knows no descriptor from 1024 on
    ready.register(fd, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0 and ready.poll(left * 1000):
        chunk = os.read(fd, 65536)
        if not chunk:
            found: Any = loads(text or b"{}")
            return dict(found)
        text += chunk
    return {}
