"""A small HTTP server for GET /metrics, shared by initd's metrics server and hubd: bounded in clients, bytes and time.

The four lines of HTTP that this takes are here: http.server brings the whole email package, 0.6 MB of a lean bundle.
Each client has a thread; beyond `clients` one is turned away, and who does not ask or read in time is cut off, however
slowly it drips.  The dialect is the one that the scraper accepts.
"""

from __future__ import annotations

import socket
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer

from wire.limits import METRICS_CLIENTS, METRICS_SECONDS
from wire.openmetrics import OPEN, PLAIN, TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

LINE_BYTES, HEADERS = 8192, 100
"""Longest line and most headers of a request; a scraper's has ten short ones."""


class Unavailable(Exception):
    """There is no text now; says why."""


class Scrape(StreamRequestHandler):
    """One request: its line, its headers, one answer."""

    server: Scraped

    def setup(self) -> None:
        self.request.settimeout(METRICS_SECONDS)
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self._late = threading.Timer(self.server.seconds, self._cut)
        self._late.daemon = True
        self._late.start()
        super().setup()

    def finish(self) -> None:
        self._late.cancel()
        super().finish()

    def _cut(self) -> None:
        try:
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def handle(self) -> None:
        words, headers = self.rfile.readline(LINE_BYTES).split(), {}
        for _ in range(HEADERS):
            line = self.rfile.readline(LINE_BYTES).strip()
            if not line:
                break
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        dialect = PLAIN if self.server.plain_too and b"openmetrics" not in headers.get(b"accept", b"") else OPEN
        status, body = self._answer(words, headers, dialect)
        kind = TYPES[dialect] if status.startswith("200") else "text/plain; charset=utf-8"
        ask = "WWW-Authenticate: Bearer\r\n" if status.startswith("401") else ""
        size = sum(map(len, body))
        head = f"HTTP/1.1 {status}\r\nServer: pidone\r\nContent-Type: {kind}\r\n{ask}Content-Length: {size}\r\n"
        self.wfile.write(f"{head}Connection: close\r\n\r\n".encode())
        for part in body:
            self.wfile.write(part)

    def _answer(self, words: list[bytes], headers: dict[bytes, bytes], dialect: str) -> tuple[str, list[bytes]]:
        """Status line and body."""
        try:
            if not self.server.allows(headers.get(b"authorization", b"")):
                return "401 Unauthorized", [b"a bearer token is needed\n"]
            if len(words) < 2 or words[0] != b"GET":
                return "501 Not Implemented", [b"only GET\n"]
            if words[1].partition(b"?")[0] not in (b"/", b"/metrics"):
                return "404 Not Found", [b"there is /metrics\n"]
            return "200 OK", [part.encode() for part in self.server.parts(dialect)]
        except (Unavailable, OSError) as error:
            return "503 Service Unavailable", [f"{error}\n".encode()]


class Scraped(ThreadingTCPServer):
    """Serves `parts(dialect)` to whom `allows` lets in by the Authorization header; both may raise Unavailable."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = METRICS_CLIENTS
    tls: Any = None
    """An ssl.SSLContext: handshakes are made on the client's own thread."""
    seconds = 2 * METRICS_SECONDS
    """Longest time of one request in all."""
    plain_too = False
    """Whether the older format is spoken, too."""

    def __init__(self, address: tuple[str, int], parts: Callable[[str], Iterable[str]]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.parts = parts
        self.allows: Callable[[bytes], bool] = lambda header: True
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
        """A scraper that left is no news."""
