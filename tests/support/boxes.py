"""Hosts on a bad network, each with a real initd and its link, and with a serf agent beside it; who notices what."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab import air
from tests.support.listening import Listener
from tests.support.liveinitd import INITD, LiveInitd
from tests.support.procfs import descendants
from wire.keys import ClientKey
from wire.messages import Feed

PROGRAM = "[program:web]\ncommand=sleep 100000\n"
SERF_PORT, RPC_PORT = 7946, 7373

Seen = tuple[float, str, str]
"""(monotonic time, name of a host, or id of its agent, what was noticed)."""


def family(pid: int) -> list[int]:
    """A process and everything below it, the parent first."""
    return [pid, *descendants(pid)]


class InitdBox(LiveInitd):
    """An initd in the namespace of a host; `name` is how the hub calls it."""

    def __init__(self, folder: Path, host: int, join: str) -> None:
        self.host = host
        self.launcher = ("nsenter", f"--net=/run/netns/{air.name(host)}", INITD)
        super().__init__(folder, PROGRAM, PIDONE_JOIN=join)

    @property
    def name(self) -> str:
        return self.folder.name

    def signal(self, number: int) -> None:
        """To all of it at once, as far as that can be: nobody starts anybody again."""
        assert self.process is not None
        for pid in family(self.process.pid):
            os.kill(pid, number)

    def vanish(self) -> None:
        """As if its machine had lost its power."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        for pid in reversed(family(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def destroy(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.vanish()


class Ear:
    """Hears of every presence at one hub, with the time at which it was heard, until `close`."""

    def __init__(self, key: ClientKey) -> None:
        self.seen: list[Seen] = []
        self.close = Listener(key, "notice/", self._heard).close

    def _heard(self, item: Feed, at: float) -> None:
        body = item.body if isinstance(item.body, dict) else {}
        if body.get("note") == "presence":
            self.seen += [(at, str(body[by]), str(body["presence"])) for by in ("name", "agent")]

    def first(self, name: str, what: str, after: float) -> float | None:
        """When this was noticed first."""
        return next(
            (at for at, host, presence in list(self.seen) if at > after and (host, presence) == (name, what)), None
        )

    def count(self, what: str, after: float) -> int:
        """How often this was noticed of anybody."""
        return sum(at > after and presence == what for at, _, presence in list(self.seen))


class Serf:
    """One serf agent with its default profile (LAN), in a host's namespace, or (host None) on this machine."""

    def __init__(self, host: int | None, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.seen: list[Seen] = []
        self.start()

    def start(self) -> None:
        """Start it, joined to the one on this machine."""
        place = air.HERE if self.host is None else air.address(self.host)
        inside = [] if self.host is None else ["nsenter", f"--net=/run/netns/{air.name(self.host)}"]
        options = [f"-node=box-{self.host}", f"-bind={place}:{SERF_PORT}", f"-rpc-addr={self._rpc}"]
        joins = [] if self.host is None else [f"-retry-join={air.HERE}", "-retry-interval=1s"]
        self.process = subprocess.Popen(
            [*inside, "serf", "agent", *options, *joins], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=self.folder,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    @property
    def _rpc(self) -> str:
        return f"{air.HERE if self.host is None else '127.0.0.1'}:{RPC_PORT}"

    def _listen(self, process: subprocess.Popen[str]) -> None:
        words = {"EventMemberFailed:": "lost", "EventMemberLeave:": "gone", "EventMemberJoin:": "live"}
        for line in process.stdout or ():
            _, found, rest = line.partition("serf: ")
            parts = rest.split()
            if found and parts and parts[0] in words:
                self.seen.append((time.monotonic(), parts[1], words[parts[0]]))

    first, count = Ear.first, Ear.count

    def end(self, number: int = signal.SIGKILL) -> None:
        """By this signal; SIGINT is a goodbye."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(20)


def has_serf() -> bool:
    """Whether it is installed (script/prepare peers)."""
    return shutil.which("serf") is not None


def within(true: Callable[[], bool], seconds: float) -> bool:
    """Whether that comes true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
