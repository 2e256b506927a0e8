"""A real hubd in a process of its own on 127.0.0.1, with keys and store in a temporary directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.waiting import until
from wire.client import Client, WireError
from wire.keys import ClientKey, JoinString, KeyPair

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("command", "samples", "enrol", "client", "feed")


class LiveHub:
    """One hub; `start` and `kill` may follow each other, its state stays."""

    inside: tuple[str, ...] = ()
    """What its command is run by, e.g. nsenter."""

    def __init__(
        self, folder: Path, period: float = 0.5, more: str = "", sample_period: float = 1, place: str = "127.0.0.1"
    ) -> None:
        self.folder, self.place = folder, place
        self.ports = dict(zip(PORTS, free_ports(5), strict=True))
        lines = [f"port_{name} = {port}" for name, port in self.ports.items()]
        head = f"[hubd]\nstate_dir = {folder}/state\nbind = {place}\nadvertise = {place}\nperiod = {period}\n"
        self.ini = folder / "hubd.ini"
        self.ini.write_text(head + f"sample_period = {sample_period}\n" + "\n".join(lines) + "\n" + more)
        self.log = folder / "hubd.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.clients: list[Client] = []

    def start(self) -> LiveHub:
        """Starts it and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        self.client = until(self._answering, 60, f"hubd answers; log: {self.log}")
        return self

    def _command(self) -> list[str]:
        return [*self.inside, sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub", "-c", str(self.ini)]

    def _answering(self) -> Client | None:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        path = self.folder / "state" / "client" / "admin.json"
        if not path.exists():
            return None
        client = Client(ClientKey.load(path), timeout=1.0)
        try:
            client.about()
        except WireError:
            client.close()
            return None
        client.timeout = 10.0
        self.clients.append(client)
        return client

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Ends it by this signal; its exit status."""
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(30)

    def stop(self) -> None:
        """Ends everything."""
        for client in self.clients:
            client.close()
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)

    def join(self, kind: str = "service", **args: object) -> JoinString:
        """A join string for new agents."""
        return JoinString.parse(self.client.query("token.create", kind=kind, **args)["join"])

    def user(self, name: str, role: str, **scope: str) -> Client:
        """A client with a key of its own."""
        pair = KeyPair.generate()
        made = self.client.query("key.create", name=name, role=role, public=pair.public, scope=scope)
        ends = (made["command"], made["feed"], made["server_key"])
        client = Client(ClientKey(name, role, *ends, pair.public, pair.secret), timeout=10.0)
        self.clients.append(client)
        return client

    def said(self, text: str) -> bool:
        """Whether its log holds this text."""
        return text in self.log.read_text()
