"""An event listener that writes down what it is told, and how two such records are compared."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.waiting import until

SUPERVISORD = str(Path(sys.executable).with_name("supervisord"))

LISTENER = """
import json, sys
out = open(sys.argv[1], "a")
while True:
    sys.stdout.write("READY\\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        break
    data = sys.stdin.read(int(dict(word.split(":") for word in line.split())["len"]))
    out.write(json.dumps([line, data]) + "\\n")
    out.flush()
    sys.stdout.write("RESULT 2\\nOK")
    sys.stdout.flush()
"""


class Record:
    """What a recording listener was told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.path = folder / "record"
        self.script = folder / "listener.py"
        self.script.write_text(LISTENER)

    def section(self, events: str, more: str = "") -> str:
        """The listener's section."""
        command = f"{sys.executable} -u {self.script} {self.path}"
        return f"[eventlistener:rec]\ncommand={command}\nevents={events}\nbuffer_size=200\nstartsecs=0\n{more}\n"

    def entries(self) -> list[tuple[dict[str, str], str]]:
        """Header and payload of each event."""
        if not self.path.exists():
            return []
        lines = [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("]")]
        return [(dict(word.split(":") for word in line.split()), data) for line, data in lines]

    def told(self) -> list[str]:
        """Name and payload of each event, pids and times made equal."""
        return [f"{header['eventname']} {plain(data)}" for header, data in self.entries()]

    def wait(self, pattern: str, seconds: float = 60.0) -> None:
        """Until an event that matches was told."""
        until(lambda: any(re.search(pattern, one, re.S) for one in self.told()), seconds, what=pattern)


def plain(payload: str) -> str:
    """Without what differs from run to run."""
    return re.sub(r"when:\d+", "when:T", re.sub(r"pid:[1-9]\d*", "pid:N", payload))


def about(told: list[str], process: str) -> list[str]:
    """Those about one process, in order."""
    return [one for one in told if f"processname:{process} " in one]


class Supervisord:
    """The original, running a file."""

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / "supervisord.conf"
        head = f"[supervisord]\nnodaemon=true\nlogfile={folder}/log\npidfile={folder}/pid\nchildlogdir={folder}\n"
        path.write_text(head + config)
        self.process = subprocess.Popen(
            (SUPERVISORD, "-c", str(path)), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Supervisord:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
