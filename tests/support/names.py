"""initd under the names of other inits, and these inits themselves where they are installed."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import services
from tests.support.pid1 import INITD, ROOT
from tests.support.waiting import until

TERMINAL_SECONDS = 60.0
"""How long anything may take on a terminal."""


def called(name: str, folder: Path) -> str:
    """A path by which initd is called like this."""
    path = folder / "names" / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.symlink_to(INITD)
    return str(path)


def original(name: str) -> str:
    """The program itself; the test does not run where it is missing."""
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None or os.path.realpath(found) == INITD:
        services.absent(f"the real {name}", f"apt-get install {name}")
    return str(found)


FORKED = f"""
import json, os, sys
sys.path.append({str(ROOT)!r})
from initd.single.errand import carry_out
from initd.single.%s import read
for argv in json.load(sys.stdin):
    pid = os.fork()
    if pid == 0:
        os._exit(carry_out(lambda: read(argv, dict(os.environ))))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
"""Runs many command lines one after the other without starting an interpreter for each."""


def statuses(module: str, argvs: list[list[str]], environ: dict[str, str]) -> list[int]:
    """The exit statuses of many command lines of tini or dumb_init."""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", FORKED % module],
        input=json.dumps(argvs), capture_output=True, text=True, env={**os.environ, **environ}, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


SIGNALS = """
import os, signal, sys
for number in ignored: signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
for number in (signal.SIGPIPE, signal.SIGXFSZ): signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def inherited_signals(argv: list[str], ignored: list[int], blocked: list[int]) -> dict[str, set[int]]:
    """SigBlk and SigIgn of a `cat` started by `argv` below a caller that blocks and ignores these."""
    code = f"ignored, blocked = {[int(n) for n in ignored]}, {[int(n) for n in blocked]}\n{SIGNALS}"
    command = [sys.executable, "-c", code, *argv, "cat", "/proc/self/status"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    found = re.findall(r"^(SigBlk|SigIgn):\s+(\w+)$", text, re.MULTILINE)
    return {name: {bit + 1 for bit in range(64) if int(mask, 16) >> bit & 1} for name, mask in found}


class Terminal:
    """The far side of a pseudo terminal on which something runs as its session's leader."""

    def __init__(self, argv: list[str], environ: dict[str, str]) -> None:
        self.pid, self.fd = os.forkpty()
        if self.pid == 0:
            os.execve(argv[0], argv, {**os.environ, **environ})
        self.said = b""

    def wait_for(self, text: bytes, count: int = 1) -> None:
        """Read until it has been said, `count` times in all."""
        deadline = time.monotonic() + TERMINAL_SECONDS
        while self.said.count(text) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"not said in {TERMINAL_SECONDS:g} s: {text!r}, but {self.said!r}"
            if select.select([self.fd], [], [], left)[0]:
                self._hear(text)

    def _hear(self, text: bytes) -> None:
        try:
            self.said += os.read(self.fd, 4096)
        except OSError:
            raise AssertionError(f"the terminal hung up before {text!r}: {self.said!r}") from None

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def status(self) -> int:
        """Its exit status, once it has ended."""
        found = until(self._ended, TERMINAL_SECONDS, f"the end of what said {self.said!r}")
        self.pid = 0
        return os.waitstatus_to_exitcode(found[1])

    def _ended(self) -> tuple[int, int] | None:
        found = os.waitpid(self.pid, os.WNOHANG)
        return found if found[0] else None

    def hang_up(self) -> None:
        """A shell tells its jobs; whoever does not leave for that is killed."""
        os.close(self.fd)
        if not self.pid:
            return
        try:
            until(self._ended, 10)
        except AssertionError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@contextmanager
def terminal(argv: list[str], **environ: str) -> Iterator[Terminal]:
    """Run `argv` on a terminal of its own; hang up at the end."""
    one = Terminal(argv, environ)
    try:
        yield one
    finally:
        one.hang_up()
