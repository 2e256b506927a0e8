"""A peer with a good key that speaks ZMTP 3.1 with CURVE (ZeroMQ RFCs 23, 26, 37) by itself, and so need not be polite.

It says in one burst what libzmq would never say so: messages, pings, parts without an end; then it breaks the
connection by a reset.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from nacl.bindings import crypto_box, crypto_box_afternm, crypto_box_beforenm, crypto_box_keypair, crypto_box_open
from zmq.utils import z85

from wire.keys import KeyPair

GREETING = b"\xff" + b"\0" * 8 + b"\x7f" + b"\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" + b"\0" * 31
COMMAND, LONG_COMMAND = 4, 6
MORE, ORDER = 1, 2
"""Flags inside CURVE's box: more parts follow; a command of ZMTP, not a message."""
PING = b"\x04PING\0\0"


class RawPeer:
    """One connection; `kind` is the socket type it says it has."""

    def __init__(self, port: int, pair: KeyPair, server_key: str, kind: bytes = b"DEALER") -> None:
        self.link = socket.create_connection(("127.0.0.1", port), 10)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.count = 0
        self._shake_hands(z85.decode(pair.public), z85.decode(pair.secret), z85.decode(server_key), kind)

    def _nonce(self) -> bytes:
        self.count += 1
        return struct.pack(">Q", self.count)

    def _shake_hands(self, own: bytes, secret: bytes, server: bytes, kind: bytes) -> None:
        brief, brief_secret = crypto_box_keypair()
        self.link.sendall(GREETING)
        self._exactly(64)
        nonce = self._nonce()
        box = crypto_box(b"\0" * 64, b"CurveZMQHELLO---" + nonce, server, brief_secret)
        self._order(b"\x05HELLO\x01\0" + b"\0" * 72 + brief + nonce + box)
        welcome = self._frame()
        opened = crypto_box_open(welcome[24:], b"WELCOME-" + welcome[8:24], server, brief_secret)
        theirs, cookie = opened[:32], opened[32:]
        random = os.urandom(16)
        vouch = crypto_box(brief + server, b"VOUCH---" + random, theirs, secret)
        said = own + random + vouch + b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
        nonce = self._nonce()
        box = crypto_box(said, b"CurveZMQINITIATE" + nonce, theirs, brief_secret)
        self._order(b"\x08INITIATE" + cookie + nonce + box)
        ready = self._frame()
        assert ready.startswith(b"\x05READY"), ready
        self._shared = crypto_box_beforenm(theirs, brief_secret)

    def _order(self, body: bytes) -> None:
        head = bytes([COMMAND, len(body)]) if len(body) < 256 else bytes([LONG_COMMAND]) + struct.pack(">Q", len(body))
        self.link.sendall(head + body)

    def _frame(self) -> bytes:
        flags = self._exactly(1)[0]
        return self._exactly(struct.unpack(">Q", self._exactly(8))[0] if flags & 2 else self._exactly(1)[0])

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self.link.recv(count - len(found))
            assert piece, "the other side hung up"
            found += piece
        return found

    def frame(self, payload: bytes, flags: int = 0) -> bytes:
        """One frame as it stands on the wire, encrypted."""
        nonce = self._nonce()
        box = crypto_box_afternm(bytes([flags]) + payload, b"CurveZMQMESSAGEC" + nonce, self._shared)
        body = b"\x07MESSAGE" + nonce + box
        return (bytes([0, len(body)]) if len(body) < 256 else b"\x02" + struct.pack(">Q", len(body))) + body

    def say(self, *frames: bytes) -> None:
        """Sends what `frame` made, in one go."""
        self.link.sendall(b"".join(frames))

    def reset(self) -> None:
        """Ends the connection by RST."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()

    def __enter__(self) -> RawPeer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.link.close()
