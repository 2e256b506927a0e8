"""Redis 8 and Valkey 8 beside the machine's own Redis 7: Debian 13's packages, unpacked and not installed.

    python -m tests.lab.newer_redis        fetch them and say how they are started

They run by the C library that came with them.  Needs root and mmdebstrap; cached under /var/cache/pidone-tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

from tests.lab import engine_process as lab

CACHE = Path("/var/cache/pidone-tests")
PACKAGES = ("redis-server", "valkey-server")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
KINDS = {"redis8": "redis-server", "valkey": "valkey-server"}


def root() -> Path:
    """The unpacked packages; made under a lock and moved into place whole."""
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    place, fresh = CACHE / f"newer-redis-{key}", CACHE / f"newer-redis-{key}.new"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "newer-redis.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(fresh, ignore_errors=True)
            whole = fresh / "whole"
            fresh.mkdir()
            lab.run("mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}", "trixie", whole)
            shutil.move(whole / LIBRARIES, fresh / "lib")
            for program in KINDS.values():
                shutil.copy(whole / "usr/bin" / program, fresh / program)
            shutil.rmtree(whole)
            fresh.rename(place)
    return place


def command(kind: str) -> tuple[str, ...]:
    """How the server of this kind is started."""
    place = root()
    return (str(place / "lib" / "ld-linux-x86-64.so.2"), "--library-path", str(place / "lib"), str(place / KINDS[kind]))


if __name__ == "__main__":
    for kind in KINDS:
        print(kind, lab.run(*command(kind), "--version"), sep=": ")
