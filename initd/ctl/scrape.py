"""`python3 -m initd.ctl.scrape HOST:PORT`, started by PID 1 (initd.metrics) with its socketpair as descriptor 3.

GET /metrics is answered with what `initd metrics` prints, to METRICS_CLIENTS at a time, a thread each; more are turned
away, and one that does not ask or read within METRICS_SECONDS is dropped.

The four lines of HTTP that this takes are here: http.server brings the whole email package, 0.6 MB of a lean bundle.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from socketserver import StreamRequestHandler, ThreadingTCPServer

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
LINE_BYTES, HEADERS = 8192, 100
"""Longest line and most headers of a request; a scraper's has ten short ones."""
BIND_SECONDS = 1.0
"""Between two attempts to get an address that is in use."""


class Scrape(StreamRequestHandler):
    """One request: its line, headers that nobody reads, one answer."""

    timeout = METRICS_SECONDS

    def handle(self) -> None:
        words = self.rfile.readline(LINE_BYTES).split()
        for _ in range(HEADERS):
            if not self.rfile.readline(LINE_BYTES).strip():
                break
        status, body = self._answer(words)
        kind = TYPE if status.startswith("200") else "text/plain; charset=utf-8"
        head = f"HTTP/1.1 {status}\r\nServer: initd\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.wfile.write(f"{head}Connection: close\r\n\r\n".encode() + body)

    def _answer(self, words: list[bytes]) -> tuple[str, bytes]:
        """Status line and body."""
        if len(words) < 2 or words[0] != b"GET":
            return "501 Not Implemented", b"only GET\n"
        if words[1].partition(b"?")[0] not in (b"/", b"/metrics"):
            return "404 Not Found", b"there is /metrics\n"
        try:
            return "200 OK", text(self.server.asking).encode()  # type: ignore[attr-defined]
        except (Refused, Unreachable, OSError) as error:
            return "503 Service Unavailable", f"{error}\n".encode()


class Server(ThreadingTCPServer):
    """Bounded in what it does at a time."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = METRICS_CLIENTS

    def __init__(self, address: tuple[str, int], asking: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.asking = asking
        self._places = threading.BoundedSemaphore(METRICS_CLIENTS)
        super().__init__(address, Scrape)

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
