"""A control socket that answers by a script: for what a real initd never does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

Answer = Callable[[dict[str, object]], bytes]

DRIP_SECONDS, DRIP_PAUSE = 20.0, 0.05


class CannedInitd:
    """Accepts one client and sends `answer(request)` for each request line.

    `hang` leaves the connection open; `drip` sends the answer again and again for DRIP_SECONDS.
    """

    def __init__(self, directory: Path, answer: Answer, hang: bool = False, drip: bool = False) -> None:
        self.path = str(directory / "canned.sock")
        self.requests: list[dict[str, object]] = []
        self._answer = answer
        self._hang = hang
        self._drips = int(DRIP_SECONDS / DRIP_PAUSE) if drip else 1
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
                for _ in range(self._drips):
                    client.sendall(self._answer(self.requests[-1]))
                    time.sleep(DRIP_PAUSE if self._drips > 1 else 0)
            except OSError:
                break
            if not self._hang:
                break
        client.close()


def line(**message: object) -> bytes:
    """One line of an answer."""
    return json.dumps(message).encode() + b"\n"
