"""Podman's Docker-compatible API for tests: a service of our own with its own storage, beside whatever the machine has.

    python -m tests.lab.podman up | down

Needs root and the packages podman and runc.  Its socket is SOCKET.  Containers are made with `--network none`, so that
it writes no firewall rules; ulimits stay below what the machine allows, since podman else asks for more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab import engine_process as lab

BASE = Path("/var/tmp/pidone-test-podman")
SOCKET = BASE / "podman.sock"
URL = f"unix://{SOCKET}"
CONFIGURATION = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
"""
_WORDS = ("podman", "--root", f"{BASE}/root", "--runroot", f"{BASE}/run", "--cgroup-manager", "cgroupfs",
          "--events-backend", "file", "--storage-driver", "vfs")  # fmt: skip


def answers() -> bool:
    """Whether the service answers on its socket."""
    return "OK" in lab.run("curl", "-fsS", "--max-time", "5", "--unix-socket", SOCKET, "http://d/_ping", check=False)


def up() -> None:
    """Start it; returns when it answers."""
    if lab.noted(BASE / "pid", str(BASE)) is not None:
        return
    BASE.mkdir(parents=True, exist_ok=True)
    (BASE / "containers.conf").write_text(CONFIGURATION)
    environ = {**os.environ, "CONTAINERS_CONF": f"{BASE}/containers.conf", "TMPDIR": str(BASE)}
    with open(BASE / "log", "ab") as log:
        words = [*_WORDS, "system", "service", "-t", "0", URL]
        child = subprocess.Popen(
            words, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (BASE / "pid").write_text(str(child.pid))
    lab.wait_for(answers, 60, f"podman's service (see {BASE}/log)")


def down() -> None:
    """End it and what it started, and remove its traces."""
    lab.end(BASE / "pid", str(BASE))
    lab.kill_all(lab.naming(BASE))
    lab.remove_tree(BASE)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
