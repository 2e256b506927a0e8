"""Somebody who hears a hub's feed, in a thread, until `close`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import zmq

from wire.codec import DecodeError, decode
from wire.frames import FrameError, publication
from wire.keys import ClientKey, KeyPair
from wire.messages import Feed
from wire.sockets import FOLLOW, dial


class Listener:
    """`hear` is called with each item and the monotonic time at which it came; items are kept where none is given."""

    def __init__(self, key: ClientKey, topic: str = "", hear: Callable[[Feed, float], object] | None = None) -> None:
        self.items: list[Any] = []
        self._hear = hear or (lambda item, at: self.items.append(item))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(key, topic), daemon=True)
        self._thread.start()

    def _listen(self, key: ClientKey, topic: str) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = dial(context, FOLLOW, key.feed, KeyPair(key.public, key.secret), key.server_key, first=0.05)
        socket.subscribe(topic)
        while not self._ending.is_set():
            with suppress(DecodeError, FrameError):
                if socket.poll(50) and isinstance(item := decode(publication(socket.recv_multipart())[1]), Feed):
                    self._hear(item, time.monotonic())
        context.destroy(0)

    def topics(self) -> list[str]:
        """Those of the items that were kept."""
        return [item.topic for item in self.items]

    def close(self) -> None:
        """Listen no more."""
        self._ending.set()
        self._thread.join(10)
