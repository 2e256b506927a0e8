"""hubctl: the hub for the terminal."""

from __future__ import annotations

import sys

from hub.ctl.verbs import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
