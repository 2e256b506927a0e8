"""A ZAP handler for tests (RFC 27): lets in the keys it was told of, per domain, and says under which user id."""

from __future__ import annotations

import threading
from typing import Any

import zmq
from zmq.utils import z85


class Doorkeeper:
    """Answers on inproc://zeromq.zap.01 in a thread until `stop`."""

    def __init__(self, context: Any) -> None:
        self.keys: dict[tuple[str, str], str] = {}
        self.anybody: set[str] = set()
        self.turned_away: list[str] = []
        self._socket = context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind("inproc://zeromq.zap.01")
        self._ending = False
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def admit(self, domain: str, key: str, user: str) -> None:
        """Let this public key into the domain."""
        self.keys[domain, key] = user

    def admit_anybody(self, domain: str) -> None:
        """Let every key into the domain; its user id is the key itself."""
        self.anybody.add(domain)

    def turn_away(self, domain: str, key: str) -> None:
        """Forget a key: its next handshake fails."""
        self.keys.pop((domain, key), None)

    def stop(self) -> None:
        self._ending = True
        self._thread.join(5)
        self._socket.close(0)

    def _answer(self) -> None:
        while not self._ending:
            if self._socket.poll(50):
                version, request, domain, _, _, _, raw = self._socket.recv_multipart()
                key = z85.encode(raw).decode()
                user = self.keys.get((domain.decode(), key)) or (key if domain.decode() in self.anybody else None)
                if user is None:
                    self.turned_away.append(key)
                code = (b"200", b"OK", user.encode()) if user else (b"400", b"unknown key", b"")
                self._socket.send_multipart([version, request, *code, b""])
