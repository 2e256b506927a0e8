"""The fleet of the soak: hubs, containers and Redis nodes, each of which can be killed, stopped and cut off.

Every hub and every container has a network namespace of its own (tests.support.cables).  A container is a real initd
with its link, a program that ends every few seconds and writes down that it did, and one that counts the signals that
it gets: so it is known from outside what really happened.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.support.cables import HERE, Host, Wires
from tests.support.livehub import ROOT, LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.ownengine import OwnEngine
from tests.support.procfs import children
from tests.support.redis import PLAIN, Cluster, Server
from tests.support.waiting import until
from wire.client import Client
from wire.keys import ClientKey, KeyPair

Row = dict[str, Any]
ENDING = "sleep $(( $$ %% {spread} + 2 )); echo $$ $(date +%%s) >> {folder}/ended; exit $(( $$ %% 5 ))"
COUNTING = "trap 'echo x >> {folder}/signals' USR1; while :; do sleep 1000 & wait; kill $!; done"
PROGRAMS = """
[program:ending]
command=sh -c "{ending}"
autorestart=true
startsecs=0
[program:counting]
command=sh -c "{counting}"
"""


class WiredHub(LiveHub):
    """A hub at the end of a cable."""

    def __init__(self, folder: Path, host: Host, period: float, more: str) -> None:
        super().__init__(folder, period, more, sample_period=5)
        self.host = host
        text = self.ini.read_text().replace("bind = 127.0.0.1", f"bind = {host.address}")
        self.ini.write_text(text.replace("advertise = 127.0.0.1", f"advertise = {host.address}"))

    def launch(self) -> None:
        """Starts it, and waits for nothing."""
        argv = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub", "-c", str(self.ini)]
        self.process = self.host.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=_note, args=(self.process, self.log), daemon=True).start()

    def start(self) -> WiredHub:
        """Starts it and waits until it answers."""
        self.launch()
        self.client = until(self._answering, 60, f"hubd answers; log: {self.log}")
        return self

    def asking(self, timeout: float = 1.5) -> Client:
        """A client for one thread."""
        path = self.folder / "state" / "client" / "admin.json"
        return Client(ClientKey.load(path), timeout=timeout)


class Box(LiveInitd):
    """A container at the end of a cable; its state survives its end, as a volume would."""

    def __init__(self, folder: Path, host: Host, join: str, number: int, spread: int) -> None:
        """Its program ends after 2 to `spread` + 2 seconds."""
        folder.mkdir()
        programs = PROGRAMS.format(
            ending=ENDING.format(folder=folder, spread=spread), counting=COUNTING.format(folder=folder)
        )  # fmt: skip
        ident = f"{number + 1:064x}"
        super().__init__(
            folder, programs, f"state_dir={folder}/state", PIDONE_JOIN=join, PIDONE_CONTAINER_ID=ident
        )  # fmt: skip
        self.host, self.name = host, folder.name
        self.shunned: Host | None = None

    def start(self) -> Box:
        """Starts it, and waits for nothing."""
        self.socket.unlink(missing_ok=True)
        self.process = self.host.popen(
            [ROOT / "bin" / "initd", "-c", self.ini], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environ, cwd=self.folder,
        )  # fmt: skip
        threading.Thread(target=_note, args=(self.process, self.log), daemon=True).start()
        return self

    def kill(self) -> None:
        """The whole container dies at once, as where its host fails."""
        assert self.process is not None
        self._end(self.tree())
        self.process.wait()

    def tree(self) -> list[int]:
        """Every process of it, PID 1 first."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:
            found += children(pid)
        return found

    def _end(self, pids: list[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def forget(self) -> None:
        """The fault: its volume is emptied."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    def ended(self) -> list[tuple[int, float]]:
        """What happened in it: (pid, wall seconds) of each end that its program wrote down."""
        return [(int(pid), float(at)) for pid, at in map(str.split, _lines(self.folder / "ended"))]

    def signals(self) -> int:
        """How many signals its program got."""
        return len(_lines(self.folder / "signals"))

    def destroy(self) -> None:
        """Ends it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


class Fleet:
    """Three hubs on Redis, containers, perhaps an engine; `start` makes them, `stop` ends all that there is."""

    def __init__(self, folder: Path, period: float) -> None:
        self.folder, self.period = folder, period
        self.wires = Wires()
        self.nodes: list[Server] = []
        self.hubs: list[WiredHub] = []
        self.boxes: list[Box] = []
        self.engine: OwnEngine | None = None

    def start(self, boxes: int, cluster: bool, engine: bool) -> None:
        """`cluster`: three Redis nodes in place of one; `engine`: one of our own, that all hubs know."""
        store = self._store(cluster)
        if engine:
            self.engine = OwnEngine(self.wires.host(), 5)
        more = f"[store]\nstore = {store}\n" + (f"[engine:own]\nurl = {self.engine.url}\n" if self.engine else "")
        fleet = KeyPair.generate()
        self.hubs = [self._hub(self.folder / f"hub{number}", fleet, more) for number in range(3)]
        for hub in self.hubs:
            hub.launch()
        for hub in self.hubs:
            hub.client = until(hub._answering, 60.0, f"hubd answers; log: {hub.log}")
        join = until(self._join, 30.0, "a join string that names all hubs")
        spread = 20 if cluster else 3
        self.boxes = [Box(self.folder / f"box{n}", self.wires.host(), join, n, spread).start() for n in range(boxes)]

    def _store(self, cluster: bool) -> str:
        if not cluster:
            self.nodes = [Server(self.folder / "redis", [f"bind 127.0.0.1 {HERE}", PLAIN])]
            return f"redis://{HERE}:{self.nodes[0].port}"
        self.nodes = Cluster(self.folder / "redis", HERE).nodes
        return "redis+cluster://" + ",".join(f"{HERE}:{node.port}" for node in self.nodes)

    def _hub(self, folder: Path, fleet: KeyPair, more: str) -> WiredHub:
        (folder / "state" / "keys").mkdir(mode=0o700, parents=True)
        fleet.save(folder / "state" / "keys" / "fleet.json")
        (folder / "state" / "keys" / "hub.id").write_text(f"{folder.name}\n")
        return WiredHub(folder, self.wires.host(), self.period, more)

    def _join(self) -> str:
        made = self.hubs[0].join()
        return made.format() if len(made.hubs) == len(self.hubs) else ""

    def processes(self) -> dict[int, str]:
        """Pid -> name of every hub, initd and link that runs."""
        found = {hub.process.pid: hub.folder.name for hub in self.hubs if hub.process and hub.process.poll() is None}
        for box in self.boxes:
            if box.process and box.process.poll() is None:
                found[box.process.pid] = f"{box.name} initd"
                link = box.link_pid()
                found |= {link: f"{box.name} link"} if link else {}
        return found

    def stop(self) -> None:
        """Ends everything."""
        ends = [threading.Thread(target=box.destroy) for box in self.boxes]
        for end in ends:
            end.start()
        for end in ends:
            end.join()
        for hub in self.hubs:
            for client in hub.clients:
                client.close()
            if hub.process is not None and hub.process.poll() is None:
                hub.kill()
        for node in self.nodes:
            node.kill()
        if self.engine is not None:
            self.engine.close()
        self.wires.close()


BEGUN = time.monotonic()


def _note(process: subprocess.Popen[bytes], path: Path) -> None:
    """Writes down what a process says, with the seconds since the begin before each line."""
    assert process.stdout is not None
    with process.stdout as said, path.open("ab", buffering=0) as log:
        for line in said:
            log.write(b"%7.1f  " % (time.monotonic() - BEGUN) + line)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text().splitlines() if line]
    except OSError:
        return []


def rss(pid: int) -> int:
    """Resident bytes of a process, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0
