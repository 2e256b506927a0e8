"""The command `initd`: finds its own packages beside this file and leaves everything to initd.main."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def start() -> int:
    """Run the command line; returns the exit status."""
    # Started as a file (isolated, without site), our own directory is first on the path: its modules would be
    # top-level names.  Our packages' parent takes its place, last: it may be an application's site-packages, whose
    # modules must not stand before the standard library's.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [*(entry for entry in sys.path if entry != here), os.path.dirname(here)]
    from initd.prefix import restore

    restore()
    from initd.main import main

    return main(sys.argv[1:])


def leave(status: int) -> NoReturn:
    """End at once: freeing one by one what the kernel frees together is half the time of a stop (bench/init.py)."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # nobody reads any more, or it was closed
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    leave(start())
