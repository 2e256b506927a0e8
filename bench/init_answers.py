"""How fast initd answers: its control API on an open connection, and `initd status` as a command.  initd only."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.init_measures import Figures, started
from bench.init_space import Space, until
from initd.ctl.client import Client

ASKED, COMMANDS = 20, 10
"""How often each is asked."""


def answers(space: Space, initd: str, programs: int) -> Figures:
    """Seconds; medians.  `initd` is the command under test, with `programs` programs running in the space."""
    with Client(str(space.socket)) as client:
        status = [_took(lambda: client.ask("status")) for _ in range(ASKED)]
        names = [f"p{number % programs}" for number in range(ASKED)]
        restarts = [_restarted(space, client, name) for name in names]
    command = [_took(lambda: _run([initd, "status"], space.socket)) for _ in range(COMMANDS)]
    return {"api_status": median(status), "api_restart": median(restarts), "command_status": median(command)}


def bare_interpreter() -> float:
    """Seconds of `python3 -IS -c pass`, as often asked as the command."""
    return median(_took(lambda: _run(["/usr/bin/python3", "-IS", "-c", "pass"], None)) for _ in range(COMMANDS))


def _restarted(space: Space, client: Client, name: str) -> float:
    """From the request to the first instruction of the replacement."""
    asked = time.monotonic()
    client.ask("restart", names=[name])
    until(lambda: started(space, name) > asked, f"{name} is not replaced")
    return started(space, name) - asked


def _took(act: object) -> float:
    began = time.monotonic()
    act()  # type: ignore[operator]
    return time.monotonic() - began


def _run(argv: list[str], socket: Path | None) -> None:
    environ = {"PATH": "/usr/bin:/bin", **({"PIDONE_SOCKET": str(socket)} if socket else {})}
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=sys.stderr, env=environ, check=True)
