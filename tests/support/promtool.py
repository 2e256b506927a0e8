"""promtool and Prometheus of Debian's package `prometheus`."""

from __future__ import annotations

import shutil
import subprocess

from tests.support.services import absent


def program(name: str) -> str:
    """Path of `promtool` or `prometheus`; a loud skip where it is not there."""
    return shutil.which(name) or absent(name, "script/prepare tests, or apt-get install prometheus")


def lint(text: str) -> str:
    """What promtool finds wrong with an exposition in the plain dialect; "" for nothing."""
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""
