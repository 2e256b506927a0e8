"""A process that may die at any moment: kept alive by a keeper, reached over one socket pair.

Theory.  What strangers may talk to must not take the hub down when libzmq aborts or memory runs out.  The keeper is
forked before the hub makes any thread or ZeroMQ context, does nothing but fork the worker again when it dies, and lives
as long as the hub's end of the pair is open; so the hub never forks later, and needs no code to restart anything.  The
pair keeps message boundaries (SOCK_SEQPACKET); packets in flight when the worker dies are lost, as on any network.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.5
"""Between the death of a worker and the next one."""

Work = Callable[[socket.socket], None]
"""Serves until the hub's end is closed; returning means the hub has gone."""


def start(work: Work) -> tuple[socket.socket, int]:
    """The hub's end of the pair (not blocking) and the keeper's pid."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _leave(lambda: _keep(theirs, work))
    theirs.close()
    ours.setblocking(False)
    return ours, pid


def _keep(end: socket.socket, work: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the hub, which then closes the pair
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while not _closed(end):
        pid = os.fork()
        if pid == 0:
            _leave(lambda: work(end))
        os.waitpid(pid, 0)
        if not _closed(end):
            time.sleep(PAUSE_SECONDS)


def _closed(end: socket.socket) -> bool:
    poll = select.poll()
    poll.register(end, 0)
    return bool(poll.poll(0))


def _leave(run: Callable[[], None]) -> None:
    """Runs and ends this process, whatever happens, without the parent's cleanup."""
    status = 1
    try:
        run()
        status = 0
    except BaseException as error:
        print(f"hubd: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)
