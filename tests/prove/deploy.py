"""What images/ shows how to deploy comes up from its own files, joins, and obeys: Compose, Swarm, pods, quadlets.

Compose v2 on the machine's engine: hub, token, three scaled containers; each must be in the fleet, confirmed by the
engine, with all its programs, within 40 s, and a command to all of them must be done.  Kubernetes' manifests must
pass the published schemas, strictly, and each pod's security context, user, command, configuration and join secret are
rehearsed with the engine: read-only, that uid, no capability, no new privileges, no socket; there container verbs must
be refused and process verbs work.  Podman's generator must take each quadlet.  In full (root): the Swarm stacks with a
real secret on an engine of our own, too.  Where the kernel has no IPVS neither a virtual IP nor the routing mesh works,
so neither is asked for.

With the fault switched on, the token of Compose's containers is revoked before they start.
"""

from __future__ import annotations

import fcntl
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from images import build
from tests.lab import deploy_tools
from tests.support.deployed import IMAGES, Compose, Deployment, Failed, Swarm
from tests.support.podlike import Pods

LIMIT = 40.0
"""Seconds within which everybody must have joined."""
FUTILE = 12.0
"""Seconds after which it is seen that nobody will, where the fault is switched on: twice what joining takes."""
COUNT = 3
IMAGE = build.TAGS["hub"]


def wait(condition: Callable[[], Any], seconds: float) -> float | None:
    """Seconds until it was true; None where it never was."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            if condition():
                return round(time.monotonic() - begun, 1)
        except Failed:
            pass
        time.sleep(0.3)
    return None


def token(fleet: Deployment, mutate: bool, *options: str) -> str:
    """A join string; with the fault, of a token that is good for nothing."""
    made: dict[str, str] = json.loads(fleet.hubctl("token", "create", "--service", *options, "--json"))
    if mutate:
        fleet.hubctl("token", "revoke", made["id"])
    return made["join"]


def obeyed(fleet: Deployment, selector: str) -> int:
    """How many programs did as told."""
    done = json.loads(fleet.hubctl("restart", selector, "--json"))
    rows = done if isinstance(done, list) else done.get("commands", [done])
    return sum(row["state"] == "done" for row in rows)


def join_and_obey(fleet: Deployment, count: int, mutate: bool) -> dict[str, Any]:
    """The figures of one deployment whose hub is up."""
    fleet.start_apps(token(fleet, mutate), count)  # type: ignore[attr-defined]
    joined = wait(lambda: len(fleet.live()) == count, FUTILE if mutate else LIMIT)
    return {"joined_seconds": joined, "obeyed": obeyed(fleet, "program=nginx") if joined is not None else 0}


@contextmanager
def brought_down(fleet: Any) -> Iterator[Any]:
    """Takes it down, whatever happens."""
    try:
        yield fleet
    finally:
        fleet.down()


def compose(mutate: bool) -> dict[str, Any]:
    """images/compose.yaml."""
    with tempfile.TemporaryDirectory() as folder, brought_down(Compose(Path(folder))) as fleet:
        fleet.start_hub()
        return join_and_obey(fleet, COUNT, mutate)


def swarm() -> dict[str, Any]:
    """images/swarm, under the lock of the tests that have hosts of their own."""
    with open("/tmp/pidone-test-engines.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with brought_down(Swarm([IMAGE, f"pidone/shop:{build.VERSION}"])) as fleet:
            fleet.start_hub()
            if wait(fleet.hub, LIMIT) is None:
                return {"joined_seconds": None, "obeyed": 0}
            return join_and_obey(fleet, COUNT, False)


def pods() -> dict[str, Any]:
    """images/kubernetes, its pods rehearsed."""
    with brought_down(Pods()) as fleet:
        fleet.start_hub()
        if wait(lambda: fleet.hubctl("about"), LIMIT) is None:
            return {"joined_seconds": None, "obeyed": 0}
        fleet.start_apps(token(fleet, False, "--label", "service=web"), 1)
        joined = wait(fleet.unconfirmed, LIMIT)
        done = obeyed(fleet, "service=web,program=web") if joined is not None else 0
        refused = joined is not None and fleet.container_verbs_are_refused()
        return {"joined_seconds": joined, "obeyed": done, "container_verbs_refused": refused}


def manifests() -> list[str]:
    """What Kubernetes' schemas do not take."""
    held = [deploy_tools.validate(path) for path in sorted((IMAGES / "kubernetes").glob("*.yaml"))]
    return [done.stdout + done.stderr for done in held if done.returncode]


def quadlets() -> int:
    """How many units Podman's generator makes of images/podman."""
    made = deploy_tools.quadlet(IMAGES / "podman")
    return sum(line.startswith("ExecStart=/usr/bin/podman ") for line in made.splitlines())


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Seconds and counts of each, and whether all joined, obeyed and were taken."""
    build.product("hub")
    build.example("shop")
    shown = {"compose": compose(mutate)}
    if not mutate:
        shown["pods"] = pods()
    if not quick:
        shown["swarm"] = swarm()
    refused, units = manifests(), quadlets()
    wanted = {"compose": COUNT, "swarm": COUNT, "pods": 1}
    holds = all(one["joined_seconds"] is not None and one["obeyed"] == wanted[name] for name, one in shown.items())
    figures = {f"{name}_{key}": value for name, one in shown.items() for key, value in one.items()}
    figures |= {"manifests_refused": len(refused), "first_refused": (refused or [None])[0], "quadlet_units": units}
    unavailable = mutate or bool(shown["pods"].get("container_verbs_refused"))
    return figures, holds and not refused and units == len(list((IMAGES / "podman").iterdir())) and unavailable
