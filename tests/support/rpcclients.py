"""Programs of other people that talk to supervisord, in a virtual environment of their own that is kept."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.services import absent

PACKAGES = ("supervisor==4.3.0", "superlance==2.0.0", "multivisor[rpc,web]==7.1.0")


def clients() -> Path:
    """The directory of their commands; installed once for each machine.  Ends the test where they cannot be had."""
    name = hashlib.sha256(" ".join((sys.version, *PACKAGES)).encode()).hexdigest()[:12]
    place = Path(tempfile.gettempdir()) / f"pidone-clients-{name}"
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            _install(place)
    return place / "bin"


def _install(place: Path) -> None:
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [str(place / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            absent(" ".join(PACKAGES), f"pip says: {done.stderr[-500:]}")
    (place / "complete").touch()
