"""Reads what only a process's own user may read (/proc/PID/io, its descriptors), in a short-lived child of that user.

Theory.  Under an engine's default capabilities even root may not read these files of other users' processes: that takes
CAP_SYS_PTRACE, or being that user.  So for each user a child is forked that becomes it, reads, answers and ends.  It is
never forked from link itself, whose libzmq has threads: a small helper process is, before libzmq is loaded, and it does
the forking.  Requests and answers are JSON lines over a socket pair.  Answers are used by the next sample, so nobody
waits for them.  Without CAP_SETUID the helper answers nothing and the columns stay NaN.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from initd.link.processes import Private, read_private

SECONDS = 2.0
"""Longest time for one round; a child that hangs in /proc is killed."""

LINE_BYTES = 1 << 20
Users = Mapping[tuple[int, int], list[int]]
"""Process ids by user and group."""


class Reader:
    """Link's side: `ask` sends, `take` gives what has arrived since."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            with suppress(BaseException):
                serve(theirs, parent)
            os._exit(0)
        theirs.close()
        ours.setblocking(False)
        self._socket, self._buffer, self._waiting = ours, b"", False

    def ask(self, users: Users) -> None:
        """Have these processes read; ignored while an answer is awaited."""
        if self._waiting or not users:
            return
        line = json.dumps([[uid, gid, pids] for (uid, gid), pids in users.items()]).encode() + b"\n"
        with suppress(OSError):
            self._waiting = self._socket.send(line) == len(line)

    def take(self) -> dict[int, Private]:
        """Figures by pid that have come in."""
        with suppress(OSError):
            while chunk := self._socket.recv(65536):
                self._buffer += chunk
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return {}
        self._buffer, self._waiting = rest, False
        return {int(pid): Private(*map(_float, numbers)) for pid, numbers in json.loads(line).items()}

    def close(self) -> None:
        """End the helper."""
        self._socket.close()
        with suppress(OSError):
            os.waitpid(self.pid, 0)


def _float(number: float | None) -> float:
    return float("nan") if number is None else float(number)


def serve(link: socket.socket, parent: int) -> None:
    """The helper: one line, one round, one answer, until link is gone."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(signum, signal.SIG_DFL)
    with link.makefile("rb") as lines:
        while (line := lines.readline(LINE_BYTES)) and os.getppid() == parent:
            found: dict[str, list[float | None]] = {}
            for uid, gid, pids in json.loads(line):
                found |= read_as(uid, gid, pids)
            link.sendall(json.dumps(found).encode() + b"\n")


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
        file.write(json.dumps(told).encode())


def _plain(number: float) -> float | None:
    return None if number != number else number


def _collect(fd: int) -> dict[str, list[float | None]]:
    deadline, text = time.monotonic() + SECONDS, b""
    while (left := deadline - time.monotonic()) > 0 and select.select([fd], [], [], left)[0]:
        chunk = os.read(fd, 65536)
        if not chunk:
            return dict(json.loads(text or b"{}"))
        text += chunk
    return {}
