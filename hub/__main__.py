"""hubd: assembles the hub and runs it; the only place where its parts are put together."""

from __future__ import annotations

import sys

from hub.daemon import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
