"""The floor of bench/init.py: the least init that Python can be, run with -IS; one program a line of its file.

It starts them all, reaps everything, starts again what ended, and at SIGTERM passes it on and waits for all.  No logs,
no control, no back-off, nothing configurable: what any init in Python costs.  It uses the documented modules only.
"""

import os
import signal
import sys

WAITED = {signal.SIGCHLD, signal.SIGTERM}

running: dict[int, list[str]] = {}


def start(argv: list[str]) -> None:
    """Run a program, with the signals unblocked that we wait for."""
    running[os.posix_spawn(argv[0], argv, os.environ, setsigmask=())] = argv


def reap(again: bool) -> None:
    """Collect everybody who died; start our own again."""
    try:
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            argv = running.pop(pid, None)
            if argv is not None and again:
                start(argv)
    except ChildProcessError:
        pass


def main(path: str) -> None:
    """Until SIGTERM, and until nothing is left."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)
    with open(path) as programs:
        for line in programs:
            start(line.split())
    ending = False
    while running or not ending:
        if signal.sigwait(WAITED) == signal.SIGTERM:
            ending = True
            for pid in running:
                os.kill(pid, signal.SIGTERM)
        reap(not ending)


main(sys.argv[1])
