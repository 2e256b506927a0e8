"""A Docker engine of our own in a network namespace of its own: it can be killed, stopped and started again.

Its containers survive it (--live-restore), as those of an engine that is upgraded.  Everything of it lies in one
directory and one cgroup, and goes with `close`.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.lab import engine_process as lab
from tests.support.cables import Host
from tests.support.engines import RealEngine, need

START_SECONDS = 90.0


class OwnEngine:
    """One engine with so many containers."""

    name = "engine"

    def __init__(self, host: Host, containers: int) -> None:
        need("a Docker engine of our own", "dockerd", "nsenter", "ip", "curl")
        self.host, self.sign = host, f"pidone-test-soak-{os.getpid()}"
        self.home = Path(f"/var/tmp/{self.sign}")
        self.home.mkdir(mode=0o700)
        self.url = f"unix://{self.home}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self.launch()
        lab.wait_for(self.answers, START_SECONDS, f"the engine of the soak (see {self.home}/log)")
        self.real = RealEngine(self.url)
        for _ in range(containers):
            self.real.run("exec sleep 100000", network_mode="none")

    def launch(self) -> None:
        """Starts it, and waits for nothing."""
        for stale in [self.home / "dockerd.pid", *self.home.glob("exec/containerd/*.pid")]:
            stale.unlink(missing_ok=True)
        for pid in lab.naming(self.home):
            if "containerd-shim" not in lab.command_line(pid):
                lab.kill_all([pid])
        argv = [
            "dockerd", f"--host={self.url}", f"--data-root={self.home}/data", f"--exec-root={self.home}/exec",
            f"--pidfile={self.home}/dockerd.pid", "--bridge=none", "--iptables=false", "--live-restore",
            f"--cgroup-parent=/{self.sign}",
        ]  # fmt: skip
        with (self.home / "log").open("ab") as log:
            self.process = self.host.popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self) -> bool:
        """Whether it answers."""
        words = ("-fsS", "--max-time", "2", "--unix-socket", self.home / "docker.sock", "http://d/_ping")
        return "OK" in lab.run("curl", *words, check=False)

    def kill(self) -> None:
        """SIGKILL; its containers run on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Again."""
        self.launch()

    def states(self) -> dict[str, str]:
        """Container -> state, as it says itself."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers() and time.monotonic() < deadline:
            time.sleep(0.2)
        return {row["Id"]: row["State"] for row in self.real.api.containers(all=True)}

    def close(self) -> None:
        """Ends it with its containers, and removes its traces."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        lab.kill_all(lab.in_cgroup(self.sign))
        lab.kill_all(lab.naming(self.home))
        time.sleep(0.5)
        lab.remove_tree(self.home)
        lab.remove_tree(self.home)
        lab.remove_cgroups(self.sign)
