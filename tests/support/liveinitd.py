"""A real initd as an ordinary process (a subreaper), with a configuration and a control socket of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.procfs import children, command_line
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
INSTALLED = Path(sys.executable).with_name("initd")
INITD = INSTALLED if INSTALLED.exists() else ROOT / "bin" / "initd"
"""The command of the Python that runs the tests."""


class LiveInitd:
    """One initd; `start` again after `stop` or `kill` is a restart of the same container."""

    launcher: tuple[str | Path, ...] = (INITD,)
    """What starts it; its other verbs, too."""

    def __init__(self, folder: Path, programs: str, settings: str = "", **environ: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.socket = folder / "run" / "control.sock"
        self.log = folder / "initd.log"
        self.ini = folder / "app.ini"
        self.ini.write_text(f"[initd]\nsocket={self.socket}\nname={folder.name}\n{settings}\n{programs}")
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("PIDONE")} | environ
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> LiveInitd:
        """Start it and wait until it serves."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.launcher, "-c", self.ini, "-e", "debug"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environ, cwd=self.folder,
            )  # fmt: skip
        until(lambda: self.verb("status").returncode == 0, what=f"initd serves; {self.log}")
        return self

    def verb(self, *words: str) -> Any:
        """Run `initd WORD...` against it."""
        environ = self.environ | {"PIDONE_SOCKET": str(self.socket)}
        return subprocess.run([*self.launcher, *words], env=environ, capture_output=True, text=True, timeout=60)

    def status(self) -> dict[str, dict[str, Any]]:
        """Rows of `status` by name."""
        return {row["full_name"]: row for row in json.loads(self.verb("status", "--json").stdout)}

    def pid_of(self, name: str) -> int:
        """Process id of a program."""
        return int(self.status()[name]["pid"])

    def link_pid(self) -> int:
        """Process id of its link, 0 where there is none."""
        assert self.process is not None
        return next((pid for pid in children(self.process.pid) if "initd.link" in command_line(pid)), 0)

    def kill_link(self, number: int = signal.SIGKILL) -> int:
        """End the link by a signal; its process id."""
        pid = until(self.link_pid)
        os.kill(pid, number)
        return pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(30)

    def destroy(self) -> None:
        """End it and everything below it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            if link := self.link_pid():
                os.kill(link, signal.SIGCONT)
            self.process.send_signal(signal.SIGCONT)
            self.stop()

    def said(self, text: str) -> bool:
        """Whether its log holds this text."""
        return text in self.log.read_text()
