"""`python3 -m initd.compat.rpc ADDRESS [FD]`, started by PID 1 (initd.rpc.servers); descriptor 3 is a socketpair's end.

FD listens at ADDRESS already; without it the name there is looked up and bound here.  The child asks PID 1 who may
pass, gives up root where it has it, and serves until PID 1 closes its end.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from initd.compat.rpc_server import Door, say
from initd.compat.rpc_wire import Wire
from initd.rpc.sockets import listen

FD = 3
NOBODY = 65534
"""uid and gid of nobody on every Linux; no entry in any file is needed."""


def main(address: str, *given: str) -> int:
    """Serve; returns the exit status where that cannot be, else PID 1's end is its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wire = Wire(socket.socket(fileno=FD), lambda: os._exit(0))
    threading.Thread(target=wire.serve, daemon=True).start()
    servers = {server["address"]: server for server in wire.actor("").ask("rpc.servers")}
    if address not in servers:  # the configuration has changed meanwhile: PID 1 is about to end this process
        return 0
    try:
        sock = socket.socket(fileno=int(given[0])) if given else listen(address)
    except OSError as error:
        say(f"cannot listen on {address}: {error.strerror}")
        return 1
    give_up_root()
    Door(servers[address], wire).serve(sock)
    return 0


def give_up_root() -> None:
    """Become nobody, for good; where nobody may change users, root is not much either, and that is no news."""
    if os.geteuid() != 0:
        return
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:  # no CAP_SETGID, CAP_SETUID; or nobody has no place in this user namespace
        return


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
