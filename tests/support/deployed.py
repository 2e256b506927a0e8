"""The deployment files of images/, brought up as their own heads say, and what their hub then shows.

A `Deployment` knows how its hub is asked; Compose and Swarm differ in how they come up and go.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import deploy_tools, hosts

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "images"
SOCKET = Path("/var/run/docker.sock")


class Failed(Exception):
    """A command of a deployment failed; the text is its own."""


def run(command: Sequence[str], folder: Path = ROOT, given: str | None = None, **settings: str) -> str:
    """Its output; raises Failed."""
    environment = {**os.environ, **settings}
    done = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def group(socket: Path) -> str:
    """The group of an engine's socket."""
    return str(socket.stat().st_gid)


class Deployment:
    """A hub and what joined it."""

    def hubctl(self, *words: str) -> str:
        """Runs hubctl in the hub's container; raises Failed."""
        raise NotImplementedError

    def live(self) -> list[dict[str, Any]]:
        """Agents that are there, with all their programs running and confirmed by the engine."""
        rows = json.loads(self.hubctl("agents", "--json"))
        return [r for r in rows if r["presence"] == "live" and r["verified"] and self._whole(r)]

    @staticmethod
    def _whole(row: dict[str, Any]) -> bool:
        running, programs = row.get("running"), row.get("programs")
        return bool(programs) and running == programs


class Compose(Deployment):
    """images/compose.yaml on the machine's engine, as a project of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(IMAGES / "compose.yaml", folder)

    def compose(self, *words: str) -> str:
        """`docker compose WORDS`; raises Failed."""
        name = f"pidone-test-{os.getpid()}"
        return run(deploy_tools.compose("-p", name, *words), self.folder, DOCKER_GID=group(SOCKET))

    def hubctl(self, *words: str) -> str:
        return self.compose("exec", "-T", "hub", "hubctl", *words)

    def start_hub(self) -> None:
        """Returns when its health check is content."""
        self.compose("up", "-d", "--wait", "hub")

    def start_apps(self, join: str, count: int) -> None:
        """Writes the join string where the file looks for it, and starts so many."""
        (self.folder / "join").write_text(join)
        self.compose("up", "-d", "--scale", f"shop={count}")

    def down(self) -> None:
        """Everything away, the volume too."""
        (self.folder / "join").touch()
        self.compose("down", "-v", "-t", "10")


class Swarm(Deployment):
    """images/swarm on an engine of our own, in its own network namespace; never on the machine's."""

    def __init__(self, images: Sequence[str]) -> None:
        hosts.up(1)
        self.socket = hosts.BASE / "h1" / "docker.sock"
        run(["sh", "-c", f"docker save {' '.join(images)} | docker -H unix://{self.socket} load"])
        self.docker("swarm", "init", "--advertise-addr", hosts.address(1))

    def docker(self, *words: str, given: str | None = None) -> str:
        """The docker client at that engine; raises Failed."""
        assert self.socket != SOCKET
        settings = {"DOCKER_SOCKET": str(self.socket), "DOCKER_GID": group(self.socket)}
        return run(["docker", "-H", f"unix://{self.socket}", *words], given=given, **settings)

    def _deploy(self, file: str, stack: str) -> None:
        # Our images are in no registry, so there is no digest to be looked up.
        self.docker("stack", "deploy", "--resolve-image", "never", "-c", str(IMAGES / "swarm" / file), stack)

    def start_hub(self) -> None:
        """Begins; ask `hub` for its container."""
        self._deploy("hub.yaml", "fleet")

    def hub(self) -> str:
        """Its container, once it is healthy; else empty."""
        chosen = ("-f", "label=com.docker.swarm.service.name=fleet_hub", "-f", "health=healthy")
        return self.docker("ps", "-q", *chosen).strip()

    def hubctl(self, *words: str) -> str:
        return self.docker("exec", self.hub(), "hubctl", *words)

    def start_apps(self, join: str, count: int) -> None:
        """Makes the secret and deploys the stack; scaled if it is to be another number."""
        self.docker("secret", "create", "pidone_join", "-", given=join)
        self._deploy("app.yaml", "shop")
        self.docker("service", "scale", "-d", f"shop_web={count}")

    def down(self) -> None:
        """The engine with all that is on it."""
        hosts.down()
