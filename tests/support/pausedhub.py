"""A hub whose connections wait for their reader from so many messages on (RCVHWM), as all once did: it can be ended."""

from __future__ import annotations

import sys

import zmq

from tests.support.livehub import LiveHub
from wire import sockets

WERE = {"COMMANDS": 100, "SAMPLES": 20, "CLIENT": 100, "FEED": 1000}
"""Messages from which on the reader was waited for, by role."""


class PausedHub(LiveHub):
    """As LiveHub."""

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "tests.support.pausedhub", "-c", str(self.ini)]


def main(argv: list[str]) -> int:
    """Runs hubd."""
    for name, most in WERE.items():
        role = getattr(sockets, name)
        setattr(sockets, name, role._replace(options=(*role.options, (zmq.RCVHWM, most))))
    from hub import daemon

    return daemon.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
