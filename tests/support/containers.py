"""Real containers for the tests: run, look into, and take down; every one belongs to a fixture that removes it.

Speaks through the docker client, as people do.  Names carry a random prefix, so that tests may run side by side.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support import services

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
"""Seconds to wait for a condition: far more than it takes, because machines are slow and shared."""

T = TypeVar("T")

LIST_PROCESSES = """
import os
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except OSError:
        continue
    name, rest = text[text.index("(") + 1:].rsplit(")", 1)
    print(pid, rest.split()[0], name)
"""


def docker(*argv: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the docker client.  Raises AssertionError with what it said, where `check`."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, timeout=timeout)
    assert not check or done.returncode == 0, f"docker {' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def until(condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """The first true answer of `condition`.  Raises AssertionError naming `what` and the last answer."""
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}; last seen: {answer!r}"
        time.sleep(0.1)
    return answer


class Container:
    """One running container."""

    def __init__(self, name: str) -> None:
        self.name = name

    def exec(self, *argv: str, user: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """`docker exec`; returns its output."""
        options = ["--user", user] if user else []
        return docker("exec", *options, self.name, *argv, check=check)

    def inspect(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(docker("inspect", self.name).stdout)
        return found[0]

    def address(self) -> str:
        """Its first IP address on a Docker network."""
        networks = self.inspect()["NetworkSettings"]["Networks"].values()
        return next(str(network["IPAddress"]) for network in networks if network["IPAddress"])

    def logs(self) -> str:
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def states(self) -> dict[str, str]:
        """Program to state, as `initd status --json` in the container says; {} while nobody answers."""
        done = self.exec("/opt/initd/initd", "status", "--json", check=False)
        rows = json.loads(done.stdout) if done.returncode == 0 else []
        return {row["full_name"]: row["state"] for row in rows}

    def processes(self) -> dict[int, tuple[str, str]]:
        """pid (in the container) to (state letter, command name), read from its /proc by our own interpreter."""
        out = self.exec(*interpreter(), "-c", LIST_PROCESSES, user="0").stdout
        rows = (line.split(" ", 2) for line in out.splitlines())
        return {int(pid): (state, name) for pid, state, name in rows}

    def stop(self) -> float:
        """`docker stop`; returns the seconds it took."""
        begun = time.monotonic()
        docker("stop", self.name)
        return time.monotonic() - begun

    def exit_code(self) -> int:
        return int(self.inspect()["State"]["ExitCode"])


def interpreter(place: str = "/opt/initd") -> list[str]:
    """argv of the bundle's Python, which serves where the image has none."""
    return [f"{place}/lib/ld.so", "--library-path", f"{place}/lib/deps", f"{place}/bin/python3", "-I"]


class Yard:
    """Where a test's containers, images and networks stand; `clear` removes them all."""

    def __init__(self) -> None:
        self.prefix = f"t{secrets.token_hex(4)}"
        self.containers: list[str] = []
        self.networks: list[str] = []
        self.images: list[str] = []

    def run(self, image: str, *command: str, options: Sequence[str] = (), name: str = "box") -> Container:
        """`docker run -d`, detached; the container's name gets the yard's prefix."""
        full = f"{self.prefix}-{name}"
        self.containers.append(full)
        docker("run", "--detach", "--name", full, *options, image, *command)
        return Container(full)

    def network(self, name: str = "net") -> str:
        full = f"{self.prefix}-{name}"
        docker("network", "create", full)
        self.networks.append(full)
        return full

    def imported(self, tree: Path, name: str) -> str:
        """An image made of a directory, removed at the end."""
        tag = f"{self.prefix}-{name}:test"
        archive = subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", tag], stdin=archive.stdout, stdout=subprocess.DEVNULL, check=True)
        assert archive.wait() == 0
        self.images.append(tag)
        return tag

    def clear(self) -> None:
        if self.containers:
            docker("rm", "--force", "--volumes", *self.containers, check=False)
        for network in self.networks:
            docker("network", "rm", network, check=False)
        if self.images:
            docker("rmi", "--force", *self.images, check=False)


def need_engine() -> None:
    """End the test, loudly, where no Docker engine answers."""
    try:
        answers = docker("version", check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        answers = False
    if not answers:
        services.absent("a Docker engine", "script/engine start")


@pytest.fixture
def yard() -> Iterator[Yard]:
    """Containers of one test.  Mark the test `engine`."""
    need_engine()
    place = Yard()
    yield place
    place.clear()


@pytest.fixture(scope="module")
def shared_yard() -> Iterator[Yard]:
    """Containers that the tests of one module share."""
    need_engine()
    place = Yard()
    yield place
    place.clear()
