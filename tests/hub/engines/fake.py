"""An engine that misbehaves on demand: for faults that no real engine can be made to show.

It speaks HTTP/1.1 on a unix socket.  `script[path]` is what a GET of that path (version prefix removed) yields: bytes
for a whole body, a callable that gets the raw file to write to, or an int status.  Unknown paths are 404.  Each
POST is kept and succeeds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import urlsplit

from tests.hub.engines.recorded import BRIEF, ID, RUNNING_DETAIL

Writer = Callable[[Any], None]


def encoded(value: object) -> bytes:
    """JSON."""
    return json.dumps(value).encode()


def chunk(file: Any, data: bytes) -> None:
    """Write one chunk of a chunked answer."""
    file.write(b"%x\r\n%s\r\n" % (len(data), data))
    file.flush()


class FakeEngine(ThreadingMixIn, UnixStreamServer):
    """Answers by its script; `asked` counts the requests by path."""

    daemon_threads = True
    tls = None

    def __init__(self, socket: Path) -> None:
        super().__init__(str(socket), _Handler)
        self.url = f"unix://{socket}"
        self.asked: dict[str, int] = {}
        self.posted: list[str] = []
        """Path and query of each POST, which is answered 204."""
        self.stopped = threading.Event()
        self.script: dict[str, bytes | int | Writer] = {
            "/version": encoded({"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.0-fake"}),
            "/info": encoded({"SystemTime": "2026-11-23T08:06:15.7Z", "NCPU": 2, "MemTotal": 1 << 30, "Name": "fake"}),
            "/containers/json": encoded([BRIEF]),
            f"/containers/{ID}/json": encoded(RUNNING_DETAIL),
            "/events": self.silent,
        }
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def silent(self, file: Any) -> None:
        """An endless answer without a byte in it."""
        self.stopped.wait(60)

    def close(self) -> None:
        """End it."""
        self.stopped.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeEngine

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        path = "/" + path.split("/", 2)[2] if path.startswith("/v1.") else path
        self.server.asked[path] = self.server.asked.get(path, 0) + 1
        answer = self.server.script.get(path, 404)
        if isinstance(answer, int):
            self.send_response(answer)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif callable(answer):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.flush()
            answer(self.wfile)
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def do_POST(self) -> None:
        self.server.posted.append("/" + self.path.split("/", 2)[2])
        self.send_response(204)
        self.end_headers()

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        """Quiet."""
