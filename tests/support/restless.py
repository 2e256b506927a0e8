"""initd with a fault: it looks around ten times a second, as supervisors do that poll.  Run as a file, like initd."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TICK = 0.1
"""Seconds between two looks."""


def launcher(directory: Path) -> Path:
    """A command that is this initd."""
    made = directory / "restless"
    made.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {__file__} "$@"\n')
    made.chmod(0o755)
    return made


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))
    from initd.loop import Loop
    from initd.main import main

    patient = Loop._patience

    def restless(loop: Loop) -> float:
        """No longer than a tick."""
        seconds = patient(loop)
        return TICK if seconds < 0 else min(seconds, TICK)

    Loop._patience = restless  # type: ignore[method-assign]
    os._exit(main(sys.argv[1:]))
