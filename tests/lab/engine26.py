"""An Engine 26 beside the machine's own: Debian 13's, from a root made once, in a network namespace of its own.

    python -m tests.lab.engine26 root       make the root (about 30 s, once; cached under /var/cache/pidone-tests)
    python -m tests.lab.engine26 up|down|status

Needs root and the packages mmdebstrap, iproute2, util-linux.  Its socket is SOCKET.  Same kernel and cgroups as here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from pathlib import Path

from tests.lab import engine_process as lab

CACHE = Path("/var/cache/pidone-tests")
BASE = Path("/var/tmp/pidone-test-engine26")
SOCKET = BASE / "run/docker.sock"
URL = f"unix://{SOCKET}"
NAMESPACE = f"{lab.PREFIX}e26"
PACKAGES = ("docker.io", "iptables", "iproute2", "ca-certificates")
_KEY = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
ROOT = CACHE / f"engine26-{_KEY}"

# The mounts are private to the engine, so that nothing is left of them when it has ended.
_ENTER = f"""
set -e
mount --bind {ROOT} {ROOT}
mount -t proc proc {ROOT}/proc
mount --rbind /sys {ROOT}/sys
mount --rbind /dev {ROOT}/dev
mount -t tmpfs tmpfs {ROOT}/run
mount --bind {BASE}/data {ROOT}/var/lib/docker
mount --bind {BASE}/run {ROOT}/srv
exec chroot {ROOT} dockerd --host unix:///srv/docker.sock --cgroup-parent /{NAMESPACE} --pidfile /srv/dockerd.pid
"""
SIGN = "unix:///srv/docker.sock"


def make_root() -> Path:
    """The Debian 13 root; made under a lock and moved into place whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "engine26.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ROOT.exists():
            fresh = CACHE / f"{ROOT.name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            lab.run("mmdebstrap", "--variant=apt", f"--include={','.join(PACKAGES)}", "trixie", fresh)
            (fresh / "var/lib/docker").mkdir(parents=True, exist_ok=True)
            fresh.rename(ROOT)
    return ROOT


def answers() -> bool:
    """Whether the engine answers on its socket."""
    return "OK" in lab.run("curl", "-fsS", "--max-time", "2", "--unix-socket", SOCKET, "http://d/_ping", check=False)


def up() -> None:
    """Start it; returns when it answers."""
    make_root()
    if lab.noted(BASE / "pid", SIGN) is None:
        down()
        for part in ("data", "run"):
            (BASE / part).mkdir(parents=True)
        lab.make_namespace(NAMESPACE)
        lab.spawn(
            NAMESPACE,
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER],
            BASE / "pid",
            BASE / "log",
        )
    lab.wait_for(answers, 60, f"Engine 26 (see {BASE}/log)")


def down() -> None:
    """End it with all its containers and remove its traces; the cached root stays."""
    lab.kill_all(lab.in_cgroup(NAMESPACE))
    lab.end(BASE / "pid", SIGN)
    lab.kill_all(lab.rooted_in(ROOT))
    lab.remove_namespace(NAMESPACE)
    lab.remove_tree(BASE)
    lab.remove_cgroups(NAMESPACE)


def main(argv: list[str]) -> int:
    """The command line; 0 done, 1 not running, 2 usage."""
    verbs = {"root": make_root, "up": up, "down": down, "status": lambda: URL if answers() else None}
    if len(argv) != 1 or argv[0] not in verbs:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("tests.lab.engine26: needs root", file=sys.stderr)
        return 1
    said = verbs[argv[0]]()
    print(said or ("not running" if argv[0] == "status" else "done"))
    return 0 if said or argv[0] != "status" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
