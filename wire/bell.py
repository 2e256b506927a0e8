"""A bell at a hub's client port: it rings when something happens, and says what it missed.

Theory.  `follow` (docs/protocol.md) sends a client the items that are inside its key's scope, numbered from 1 on for
this one connection.  So a number that is left out is a loss, and so is one that the answer to the next renewal knows
and nobody heard.  The bell does not tell what happened: an item is told before it is stored, and a hub that dies takes
the rest with it.  Who is to miss nothing reads the facts from where he stopped, at whichever hub, when it rings.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import suppress

import zmq

from wire import limits
from wire.codec import DecodeError, decode, encode
from wire.errors import RefusedError
from wire.frames import FrameError, split
from wire.keys import ClientKey, KeyPair
from wire.messages import Answer, Feed, Query, Refused
from wire.sockets import QUERIES, dial

RENEW_SECONDS = 2.0
"""Between two renewals: so late a loss is noticed where nothing follows it, and half as late as a hub that is gone."""
LAST_SECONDS = 10.0
"""How long the hub is to keep us without a renewal."""
DEAF_SECONDS = 2.5 * RENEW_SECONDS
"""After so long without any word the hub is taken for gone."""
POLL_SECONDS = 0.25
"""Longest wait in one go: a renewal may have become possible."""
RETRY_SECONDS = 0.5


class Bell:
    """One connection to one hub, until `close`; for one thread."""

    def __init__(self, key: ClientKey, topics: Sequence[str]) -> None:
        self.key, self.missed = key, 0
        """`missed`: items that were lost on the way, since the bell was made."""
        self._topics = tuple(topics)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        pair = KeyPair(key.public, key.secret)
        self._socket = dial(self._context, QUERIES, key.command, pair, key.server_key, RETRY_SECONDS)
        self._seq: int | None = None
        self._heard_at, self._due = time.monotonic(), 0.0

    def close(self) -> None:
        """Hang up at once."""
        self._context.destroy(0)

    @property
    def silent(self) -> float:
        """Seconds since the hub was heard."""
        return time.monotonic() - self._heard_at

    @property
    def deaf(self) -> bool:
        """Whether the hub is taken for gone."""
        return self.silent > DEAF_SECONDS

    def wait(self, seconds: float) -> bool:
        """Whether it rang within so many seconds; at first it rings once it hangs.  Raises RefusedError."""
        end = time.monotonic() + seconds
        while True:
            self._renew()
            left = min(end - time.monotonic(), POLL_SECONDS)
            if self._socket.poll(max(0, int(left * 1000))) and self._rang():
                return True
            if time.monotonic() >= end:
                return False

    def _renew(self) -> None:
        if time.monotonic() >= self._due and self._socket.poll(0, zmq.POLLOUT):
            self._due = time.monotonic() + RENEW_SECONDS
            asked = Query(secrets.token_hex(8), "follow", {"topics": self._topics, "seconds": LAST_SECONDS})
            with suppress(zmq.Again):
                self._socket.send_multipart([b"", encode(asked)], zmq.NOBLOCK)

    def _rang(self) -> bool:
        """Take in all that has come."""
        rang = self.silent > 2 * RENEW_SECONDS  # it may have been started again meanwhile
        while self._socket.poll(0):
            with suppress(DecodeError, FrameError):
                item = decode(split(self._socket.recv_multipart(zmq.NOBLOCK))[1], limits.ANSWER_BYTES)
                self._heard_at = time.monotonic()
                if isinstance(item, Refused):
                    raise RefusedError(item.code, item.message, item.hint)
                if isinstance(item, Feed):
                    rang = self._count(item.seq, 1)
                elif isinstance(item, Answer) and isinstance(item.result, dict):
                    rang = self._count(int(item.result.get("seq", 0)), 0) or bool(item.moved) or rang
        return rang

    def _count(self, seq: int, new: int) -> bool:
        """The hub has sent so many, of which `new` came just now; whether that is news."""
        before, self._seq = self._seq, seq
        if before is not None and seq >= before:  # else it began anew, and what was before is over
            self.missed += seq - before - new
        return seq != before
