"""What the deployment files of images/ are tried with, where this machine's Debian has no such program.

    python -m tests.lab.deploy_tools       fetch all of them and say where they are

Compose v2 (a plugin of the docker client) and Podman's quadlet come out of Debian 13's packages, unpacked and not
installed; both need nothing but a C library that Debian 12 has.  Kubernetes' schemas, as its API server publishes them,
come with the Python package kubernetes-validate.  Needs root and mmdebstrap; cached under /var/cache/pidone-tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.lab import engine_process as lab

CACHE = Path("/var/cache/pidone-tests")
PACKAGES = ("docker-compose", "podman")
COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"
QUADLET = "usr/libexec/podman/quadlet"
VALIDATOR = "kubernetes-validate==1.37.0"
SCHEMAS = "1.37"


def _cached(what: str, make: Callable[[Path], None]) -> Path:
    """The directory CACHE/`what`; made under a lock and moved into place whole."""
    place, fresh = CACHE / what, CACHE / f"{what}.new"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "deploy-tools.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            make(fresh)
            fresh.rename(place)
    return place


def _unpack(place: Path) -> None:
    root = place / "root"
    lab.run("mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}", "trixie", root)
    (place / "cli-plugins").mkdir()
    shutil.move(root / COMPOSE, place / "cli-plugins" / "docker-compose")
    shutil.move(root / QUADLET, place / "quadlet")
    shutil.rmtree(root)


def debian13() -> Path:
    """The directory with `cli-plugins/docker-compose` (it is a configuration of the docker client) and `quadlet`."""
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    return _cached(f"deploy-tools-{key}", _unpack)


def compose(*words: str) -> list[str]:
    """The command line `docker compose WORDS`: the installed plugin, else Debian 13's."""
    own = ["docker", "compose", *words]
    if not subprocess.run([*own[:2], "version"], capture_output=True).returncode:
        return own
    return ["docker", "--config", str(debian13()), *own[1:]]


def quadlet(units: Path) -> str:
    """What Podman's generator makes of a directory of units; RuntimeError with its own words where it refuses one."""
    environment = {**os.environ, "QUADLET_UNIT_DIRS": str(units)}
    command = [debian13() / "quadlet", "-dryrun"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def _install(place: Path) -> None:
    lab.run(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", place, VALIDATOR)
    schemas = place / "kubernetes_validate" / "kubernetes-json-schema"
    for version in schemas.iterdir():  # each is 4 MB, and there are many
        if not version.name.startswith(f"v{SCHEMAS}"):
            shutil.rmtree(version)


def validate(manifest: Path) -> subprocess.CompletedProcess[str]:
    """Hold a manifest against Kubernetes' schemas; strictly, so that an unknown field is refused, too."""
    place = _cached(f"kubernetes-{SCHEMAS}", _install)
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", SCHEMAS, str(manifest)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(place)})


if __name__ == "__main__":
    print(debian13(), " ".join(compose("version")), _cached(f"kubernetes-{SCHEMAS}", _install), sep="\n")
