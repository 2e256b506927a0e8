"""A real HTTP server that takes notices as badly as it is told: answers, hangs, drips, closes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG, DRIP, CLOSE = "hang", "drip", "close"


class SinkServer:
    """`answers` is what the next requests meet: a status, HANG, DRIP or CLOSE; the last one stays."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers or (200,))
        self.got: list[tuple[str, dict[str, str], Any]] = []
        """Path, headers and JSON body of every request."""
        self.ending = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(body)))
                outer.answer(self)

            def log_message(self, *args: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Meets one request."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == HANG:
            self.ending.wait(60)
        elif answer == DRIP:
            while not self.ending.wait(0.1):
                handler.wfile.write(b"H")
        elif isinstance(answer, int):
            handler.send_response(answer)
            handler.end_headers()
            handler.wfile.write(b"that is what I say")

    @property
    def epochs(self) -> list[int]:
        """Epochs of the webhooks it got."""
        return [body["epoch"] for _, _, body in self.got]

    def stop(self) -> None:
        """Ends it."""
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()
