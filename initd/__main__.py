"""The command `initd`: finds its own packages beside this file and leaves everything to initd.main."""

from __future__ import annotations

import os
import sys


def start() -> int:
    """Run the command line; returns the exit status."""
    # Started as a file (isolated, without site), our own directory is first on the path: its modules would be
    # top-level names.  Our packages' parent takes its place.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.dirname(here), *(entry for entry in sys.path if entry != here)]
    from initd.prefix import restore

    restore()
    from initd.main import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(start())
