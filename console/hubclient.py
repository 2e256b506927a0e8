"""The hubs, as the console talks to them: any of several, by one key, in threads of its own.

Theory.  wire.client blocks, so questions are asked by a few threads, each with its own connection; one more hears the
feed, and one looks every second whether a hub answers (`contact`).  Where a hub is silent, the others are asked that
it named when it answered last: hubs of one store know the same fleet and the same keys.  Every question names its
user (operation `behalf`), so a hub grants what that user may, and no more than the console's own key.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from console import bounds
from console.errors import Problem
from console.hub import Contact
from console.who import Who
from wire.client import Client, RefusedError, Unreachable
from wire.codec import EncodeError
from wire.keys import ClientKey, KeyFault, check_address, check_key
from wire.messages import Feed

__all__ = ["Hubs", "status_of"]

STATUS = {
    "forbidden": 403, "observe-only": 403, "unknown-key": 503, "busy": 503, "starting": 503, "store": 503,
    "bad-argument": 422, "bad-target": 422, "too-large": 413, "ambiguous": 409, "unavailable": 409,
}  # fmt: skip
"""A hub's refusal -> HTTP status; what is unknown is not there (404), all else is a conflict."""


class Hubs:
    """Implements console.hub.Hub.  `keys` are this console's key files, each naming one hub."""

    def __init__(self, keys: Sequence[ClientKey], timeout: float = 5.0) -> None:
        self._keys, self._timeout = list(keys), timeout
        self._at = 0
        self._lock = threading.Lock()
        self._own = threading.local()
        self._clients: list[Client] = []
        self._pool = ThreadPoolExecutor(bounds.QUESTIONS_AT_A_TIME, "question")
        self._contact = Contact(False, time.time(), "", "no hub was asked yet")
        self._queues: set[asyncio.Queue[Feed | Contact]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = threading.Event()
        self._waiting = 0

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen; call it inside the event loop."""
        self._loop = asyncio.get_running_loop()
        for name, work in (("contact", self._look), ("feed", self._hear)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def stop(self) -> None:
        """Hang up; questions under way end within their time."""
        self._end.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def contact(self) -> Contact:
        """How things stand with the hubs."""
        return self._contact

    # -- asking ------------------------------------------------------------------------------------------------------

    async def ask(self, op: str, args: Mapping[str, Any], who: Who) -> Any:
        """The result of one operation for this user; raises Problem."""
        if self._waiting >= bounds.QUESTIONS_WAITING:
            raise Problem(503, "busy", "too many questions wait for the hub", "try again in a few seconds")
        said = {"user": who.user, "role": who.role, "scope": dict(who.scope), "address": who.address or "unknown"}
        question = {**said, "op": op, "args": {name: value for name, value in args.items() if value is not None}}
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, "behalf", question)
        finally:
            self._waiting -= 1

    def _ask(self, op: str, args: Mapping[str, Any]) -> Any:
        failure = ""
        for _ in range(len(self._keys)):
            at, client = self._client()
            try:
                return client.ask(op, dict(args), self._timeout if len(self._keys) == 1 else bounds.HUB_SECONDS)
            except RefusedError as error:
                raise Problem(status_of(error.code), error.code, error.message, error.hint) from None
            except EncodeError as error:  # a number beyond 64 bits, text that is none, a map of a thousand
                raise Problem(422, "argument", f"this cannot be asked: {error}"[:200]) from None
            except Unreachable as error:
                failure = str(error)
                self._turn(at)
        raise Problem(503, "hub-away", failure or "no hub answers", "the page goes on by itself when one does")

    def _client(self) -> tuple[int, Client]:
        """This thread's connection to the present hub."""
        at, key = self._at, self._keys[self._at]
        if getattr(self._own, "key", None) != key:
            if getattr(self._own, "client", None) is not None:
                self._own.client.close()
            self._own.client, self._own.key = Client(key, self._timeout), key
        return at, self._own.client

    def _turn(self, at: int) -> None:
        """On to the next hub, unless another thread has gone there already."""
        with self._lock:
            if self._at == at:
                self._at = (at + 1) % len(self._keys)

    # -- listening ---------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Once a second: does a hub answer, and which others are there?"""
        learn_at = 0.0
        while not self._end.is_set():
            try:
                about = self._ask("about", {})
                self._tell(True, str(about.get("hub", "")), "")
                if time.monotonic() >= learn_at:
                    learn_at = time.monotonic() + bounds.LEARN_SECONDS
                    self._learn()
            except Problem as problem:
                self._tell(False, self._contact.hub, problem.detail)
            self._end.wait(bounds.LOOK_SECONDS)

    def _tell(self, up: bool, hub: str, error: str) -> None:
        if (up, hub) != (self._contact.up, self._contact.hub) or (not up and not self._contact.error):
            since = time.time() if up != self._contact.up else self._contact.since
            self._contact = Contact(up, since, hub, error)
            self._hand_on(self._contact)

    def _learn(self) -> None:
        """Takes in the hubs that the present one names; those of the key files stay."""
        present = self._keys[self._at]
        for row in self._ask("hubs", {}):
            with suppress(KeyFault, KeyError):
                place = check_address(str(row["peer"]))
                if not row.get("self") and place not in {key.command for key in self._keys}:
                    self._keys.append(present._replace(command=place, server_key=check_key(str(row["key"]))))

    def _hear(self) -> None:
        """The feed of whichever hub answers."""
        while not self._end.is_set():
            key = self._keys[self._at]
            try:
                with Client(key, self._timeout) as client:
                    for item in client.feed(("fact/", "notice/", "hub/", "alert"), bounds.FEED_SECONDS):
                        self._hand_on(item)
                        if self._end.is_set() or self._keys[self._at] != key:
                            break
            except (RefusedError, Unreachable):
                self._end.wait(bounds.LOOK_SECONDS)

    def _hand_on(self, item: Feed | Contact) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._put, item)

    def _put(self, item: Feed | Contact) -> None:
        for queue in self._queues:
            with suppress(asyncio.QueueFull):  # its reader is behind; it reads rows anew anyway
                queue.put_nowait(item)

    async def feed(self) -> AsyncIterator[Feed | Contact]:
        """Every item of the feed from now on, and each change of contact."""
        queue: asyncio.Queue[Feed | Contact] = asyncio.Queue(bounds.FEED_ITEMS)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)


def status_of(code: str) -> int:
    """The HTTP status of a hub's refusal."""
    return STATUS.get(code, 404 if code.startswith("unknown") else 409)
