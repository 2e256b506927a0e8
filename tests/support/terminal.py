"""A `hubctl` that does not end by itself, as a process whose lines are read as they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

from tests.support.livehub import ROOT, LiveHub

HUBCTL = (sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub.ctl")


class Follower:
    """`out` and `said`: what it printed to standard output and to standard error."""

    def __init__(self, hub: LiveHub, *words: str) -> None:
        environ = {**os.environ, "PIDONE_CLIENT_KEY": str(hub.folder / "state" / "client" / "admin.json")}
        pipe = subprocess.PIPE
        argv = [*HUBCTL, *words]
        self.process = subprocess.Popen(argv, env=environ, stdout=pipe, stderr=pipe, text=True)
        self.out: list[str] = []
        self.said: list[str] = []
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.said)):
            threading.Thread(target=_read, args=(stream, lines), daemon=True).start()

    def rows(self) -> list[dict[str, Any]]:
        """What it printed with --json."""
        return [json.loads(line) for line in list(self.out)]

    def exits(self) -> list[int]:
        """Numbers of the exits that `events` told, in their order."""
        return [row["seq"] for row in self.rows() if row["kind"] == "exit"]

    def end(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait(10)


def _read(stream: Any, lines: list[str]) -> None:
    for line in stream:
        lines.append(line.rstrip())
