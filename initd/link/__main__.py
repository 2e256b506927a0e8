"""initd-link: the process that speaks ZeroMQ for PID 1.  Started by PID 1 with its socket pair as descriptor 3.

It reads its environment (initd.joining), asks PID 1 what it kept, and talks to the hub until PID 1 is gone.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from contextlib import suppress

from initd.link.absent import CONVENIENCES, without
from initd.link.reader import CHANNEL, Reader, serve
from initd.native import signal
from initd.prefix import command
from initd.sockets import socket

HELPER = "read-private-figures"
"""The word that makes this command the helper of initd.link.reader."""

USAGE = """\
usage: initd-link        started by initd, not by people

initd starts it where [initd] join_file=, PIDONE_JOIN_FILE, /run/secrets/pidone_join or PIDONE_JOIN names a join string.
It connects this container to its hub: docs/protocol.md describes what it says.

example, to see how it fares:   initd events -f        (on the hub: hubctl agents)
"""


def main(argv: list[str]) -> int:
    """Run until PID 1 is gone or says that all is over; returns the exit status."""
    if argv == [HELPER]:
        serve(socket.socket(fileno=CHANNEL))
        return 0
    if argv:
        sys.stdout.write(USAGE)
        return 0 if argv[0] in ("-h", "--help") else 2
    try:
        end = socket.socket(fileno=os.dup(CHANNEL))
        os.set_inheritable(CHANNEL, False)
    except OSError:
        sys.stderr.write("initd-link: descriptor 3 is no socket: it is started by initd, not by people\n")
        return 2
    os.close(CHANNEL)
    signal.signal(signal.SIGTERM, lambda signum, frame: _early.append(signum))
    return run(end, os.environ)


_early: list[int] = []
"""Signals that came before there was an agent to take them."""


def run(end: socket.socket, environ: Mapping[str, str]) -> int:
    """Put everything together and serve; imported only here, so that the helper stays small."""
    with without(*CONVENIENCES):
        import zmq

    from initd.link.assembly import assemble
    from initd.link.pid1 import Pid1Gone

    reader = Reader([*command("initd.link"), HELPER])
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.BLOCKY, 0)
    try:
        agent = assemble(end, environ, reader, context, say)
        for signum in (signal.SIGTERM, signal.SIGINT):
            agent.loop.on_signal(signum, agent.terminated)
        if _early:
            agent.terminated()
        agent.loop.run()
    except Pid1Gone:
        return 0
    except (TimeoutError, RuntimeError) as error:
        say(str(error))
        return 1
    finally:
        context.destroy(0)
        reader.close()
    return 0


_said: list[str] = []


def say(text: str) -> None:
    """One line for people on PID 1's stderr; the same line is not repeated."""
    line = "".join(ch if ch.isprintable() else "?" for ch in text)[:500]
    if _said != [line]:
        _said[:] = [line]
        with suppress(OSError):
            os.write(2, f"initd-link: {line}\n".encode("utf-8", "backslashreplace"))


if __name__ == "__main__":
    random.seed()
    sys.exit(main(sys.argv[1:]))
