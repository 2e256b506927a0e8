"""`python3 -m initd.ctl.scrape HOST:PORT`, started by PID 1 (initd.metrics) with its socketpair as descriptor 3.

GET /metrics is answered with what `initd metrics` prints, by wire.scrape, which is bounded in clients, bytes and time.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

from initd.compat.rpc import give_up_root
from initd.compat.rpc_wire import Wire
from initd.ctl.client import Refused, Unreachable
from initd.ctl.metrics import text
from wire.scrape import Scraped, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FD = 3
BIND_SECONDS = 1.0
"""Between two attempts to get an address that is in use."""


def main(argv: list[str]) -> int:
    """Serve at `host:port` until PID 1 is gone."""
    host, _, port = argv[0].rpartition(":")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wire = Wire(socket.socket(fileno=FD), lambda: os._exit(0))
    threading.Thread(target=wire.serve, daemon=True).start()
    server = _bound((host.strip("[]"), int(port)), wire.actor(""))
    give_up_root()
    server.serve_forever(poll_interval=3600.0)
    return 0


def _text(asking: Any) -> str:
    try:
        return text(asking)
    except (Refused, Unreachable) as error:
        raise Unavailable(str(error)) from None


def _bound(address: tuple[str, int], asking: Any) -> Scraped:
    """The server; an address in use is said once and tried again."""
    said = False
    while True:
        try:
            return Scraped(address, lambda dialect: [_text(asking)])
        except OSError as error:
            if not said:
                print(f"initd: metrics: {address[0]}:{address[1]}: {error.strerror}; trying on", file=sys.stderr)
            said = True
            time.sleep(BIND_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
