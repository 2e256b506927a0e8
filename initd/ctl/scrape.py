"""`python3 -m initd.ctl.scrape HOST:PORT`, started by PID 1 (initd.metrics) with its socketpair as descriptor 3.

GET /metrics is answered with what `initd metrics` prints, to METRICS_CLIENTS at a time, a thread each; more are turned
away, and one that does not ask or read within METRICS_SECONDS is dropped.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from initd.compat.rpc import give_up_root
from initd.compat.rpc_wire import Wire
from initd.ctl.client import Refused, Unreachable
from initd.ctl.metrics import text
from wire.limits import METRICS_CLIENTS, METRICS_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FD = 3
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
BIND_SECONDS = 1.0
"""Between two attempts to get an address that is in use."""


class Scrape(BaseHTTPRequestHandler):
    """One request."""

    timeout = METRICS_SECONDS
    server_version = "initd"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] not in ("/", "/metrics"):
            self.send_error(404)
            return
        try:
            body = text(self.server.asking).encode()  # type: ignore[attr-defined]
        except (Refused, Unreachable, OSError) as error:
            self.send_error(503, explain=str(error))
            return
        self.send_response(200)
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no news."""


class Server(ThreadingHTTPServer):
    """Bounded in what it does at a time."""

    daemon_threads = True
    request_queue_size = METRICS_CLIENTS

    def __init__(self, address: tuple[str, int], asking: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.asking = asking
        self._places = threading.BoundedSemaphore(METRICS_CLIENTS)
        super().__init__(address, Scrape)

    def server_bind(self) -> None:
        """Without asking the resolver for our name, as HTTPServer would."""
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "initd", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that left is no news either."""


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


def _bound(address: tuple[str, int], asking: Any) -> Server:
    """The server; an address in use is said once and tried again."""
    said = False
    while True:
        try:
            return Server(address, asking)
        except OSError as error:
            if not said:
                print(f"initd: metrics: {address[0]}:{address[1]}: {error.strerror}; trying on", file=sys.stderr)
            said = True
            time.sleep(BIND_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
