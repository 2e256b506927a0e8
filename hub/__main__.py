"""hubd: assembles the hub and runs it; the only place where its parts are put together."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if "--relay" in sys.argv:
        from hub.relay.daemon import main
    else:
        from hub.daemon import main
    sys.exit(main(sys.argv[1:]))
