"""A control socket that answers by a script: for what a real initd never does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

Answer = Callable[[dict[str, object]], bytes]


class CannedInitd:
    """Accepts one client and sends `answer(request)` for each request line; `hang` leaves the connection open."""

    def __init__(self, directory: Path, answer: Answer, hang: bool = False) -> None:
        self.path = str(directory / "canned.sock")
        self.requests: list[dict[str, object]] = []
        self._answer = answer
        self._hang = hang
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        for line in client.makefile("rb"):
            self.requests.append(json.loads(line))
            try:
                client.sendall(self._answer(self.requests[-1]))
            except OSError:
                break
            if not self._hang:
                break
        client.close()


def line(**message: object) -> bytes:
    """One line of an answer."""
    return json.dumps(message).encode() + b"\n"
