"""A real relay in a process of its own, beside any engine's socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.livehub import ROOT, LiveHub
from tests.support.waiting import until


class LiveRelay:
    """One relay of a hub; `start` and `kill` may follow each other, its state stays."""

    def __init__(self, hub: LiveHub, folder: Path, engine: str, name: str = "vm", more: str = "") -> None:
        """`engine`: unix:///path; `more`: further lines of [relay]."""
        folder.mkdir(exist_ok=True)
        self.hub, self.name, self.log = hub, name, folder / "relay.log"
        self.join = folder / "join"
        self.join.write_text(hub.join("relay").format() + "\n")
        self.ini = folder / "relay.ini"
        head = f"[relay]\nengine = {engine}\nname = {name}\njoin_file = {self.join}\nstate_dir = {folder}/state\n"
        self.ini.write_text(head + more)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> LiveRelay:
        """Starts it and waits until the hub shows its engine."""
        self.launch()
        until(lambda: self.row() and self.row()["up"], 60, f"its engine is shown; log: {self.log}")
        return self

    def launch(self) -> LiveRelay:
        """Starts it."""
        argv = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub", "--relay", "-c", str(self.ini)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        return self

    def row(self) -> dict[str, object]:
        """Its engine as the hub shows it; empty while it shows none."""
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        return self.engine()

    def engine(self) -> dict[str, object]:
        """The same, whether the relay runs or not."""
        return next((row for row in self.hub.client.query("hosts") if row["engine"] == self.name), {})

    def containers(self) -> dict[str, dict[str, object]]:
        """The containers of its engine by id."""
        return {row["id"]: row for row in self.hub.client.query("containers") if row["engine"] == self.name}

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Ends it by this signal; its exit status."""
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(30)

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)
