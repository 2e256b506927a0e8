"""`python3 -m initd.compat.rpc`, started by PID 1 (initd.rpc.servers) with one end of a socketpair as descriptor 3.

It asks what to serve, listens, gives up root where it has it, and serves until PID 1 closes its end.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from initd.compat.rpc_server import begin, say
from initd.compat.rpc_wire import Wire

FD = 3
NOBODY = 65534
"""uid and gid of nobody on every Linux; no entry in any file is needed."""


def main() -> int:
    """Serve; returns the exit status when PID 1 is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wire = Wire(socket.socket(fileno=FD), lambda: os._exit(0))
    threading.Thread(target=wire.serve, daemon=True).start()
    begin(wire.actor("").ask("rpc.servers"), wire, give_up_root)
    threading.Event().wait()
    return 0


def give_up_root() -> None:
    """Become nobody, for good."""
    if os.geteuid() != 0:
        return
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError as error:  # no CAP_SETUID here: then root is not much either
        say(f"stays as it is: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
