"""/metrics over HTTP: the server's threads ask, the loop's thread answers a little at each pass.

A scrape waits for the loop at most WAIT_SECONDS; all that ask at one time get the same text, and so does who asks
again within FRESH_SECONDS, so a flood of scrapers costs the hub one scrape.
"""

from __future__ import annotations

import hmac
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from hub.clock import Instant
from hub.core import Core
from hub.errors import StartError
from hub.monitor.exposition import Exposition
from hub.words import Effects, Event, Stored
from wire.scrape import Scraped, Unavailable

__all__ = ["Scrapes", "serve"]

LINES = 2000
"""Samples of one pass, less what its last agent adds: about 5 ms."""
STEPS = 500
"""Agents and containers of one pass at most."""
WAIT_SECONDS = 9.0
"""Prometheus gives up after 10 s by default."""
FRESH_SECONDS = 1.0
TOKEN_BYTES = 4096


class Scrapes:
    """Between the threads of the server and the loop's."""

    def __init__(self, core: Core, wake: Callable[[], None]) -> None:
        self.core, self.wake = core, wake
        self.asked: deque[tuple[str, threading.Event]] = deque()
        self.made: dict[str, tuple[float, list[str]]] = {}
        """Dialect -> when its last text was made, and its parts."""
        self._under_way: tuple[Exposition, Iterator[None]] | None = None
        self._waiting: list[threading.Event] = []

    def parts(self, dialect: str) -> list[str]:
        """The exposition; on a thread of the server.  Raises Unavailable."""
        asked_at = time.monotonic()
        made = self.made.get(dialect)
        if made is not None and asked_at - made[0] < FRESH_SECONDS:
            return made[1]
        done = threading.Event()
        self.asked.append((dialect, done))
        self.wake()
        if not done.wait(WAIT_SECONDS):
            raise Unavailable("the hub is too busy to be measured")
        made = self.made.get(dialect)
        if made is None or asked_at - made[0] > WAIT_SECONDS:
            raise Unavailable("the hub could not be measured; its log says why")
        return made[1]

    def turn(self, now: Instant) -> list[Event]:
        """Goes on with a scrape; on the loop's thread, at each pass."""
        try:
            if self._under_way is None and self.asked:
                self._begin(now)
            if self._under_way is not None:
                self._go_on(now)
        except Exception as error:  # one scrape has failed, the hub must not
            self._under_way = None
            self._answer()
            return [_bug(error)]
        return []

    def _go_on(self, now: Instant) -> None:
        assert self._under_way is not None
        exposition, steps = self._under_way
        most = exposition.count + LINES
        for _ in range(STEPS):
            if next(steps, "over") == "over":
                return self._end(exposition)
            if exposition.count >= most:
                break
        return self.wake()

    def _begin(self, now: Instant) -> None:
        dialect, done = self.asked.popleft()
        same = [one for one in self.asked if one[0] == dialect]
        for one in same:
            self.asked.remove(one)
        self._waiting = [done, *(event for _, event in same)]
        exposition = Exposition(self.core.fleet, dialect)
        self._under_way = (exposition, exposition.steps(now))

    def _end(self, exposition: Exposition) -> None:
        self._under_way = None
        self.made[exposition.dialect] = (time.monotonic(), exposition.parts(self.core.exposed(exposition.dialect)))
        self._answer()

    def _answer(self) -> None:
        for event in self._waiting:
            event.set()
        self._waiting = []
        if self.asked:
            self.wake()


def _bug(error: Exception) -> Event:
    """An event that raises this, so that the loop logs it as any fault of the core."""

    def raised(value: object, text: str, now: Instant) -> Effects:
        raise error

    return Stored(raised, None, "")


def serve(
    address: tuple[str, int], scrapes: Scrapes, token_file: str, files: tuple[str, str, str], say: Callable[[str], None]
) -> Scraped:
    """The server, on a thread of its own; `files` are certificate, key and clients' authority, "" for none."""
    tls = _tls(*files) if files[0] else None
    try:
        server = Scraped(address, scrapes.parts)
    except OSError as error:
        where = f"{address[0]}:{address[1]}"
        raise StartError(f"cannot serve metrics on {where}: {error.strerror}; choose another metrics=") from None
    server.plain_too, server.tls = True, tls
    if token_file:
        server.allows = lambda header: hmac.compare_digest(header, b"Bearer " + _token(token_file))
    elif not files[2]:
        say(f"metrics on {address[0]}:{address[1]} are for whoever reaches it; see metrics_token_file")
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _token(path: str) -> bytes:
    """Read anew for each scrape, so that it can be changed.  Raises Unavailable."""
    try:
        with Path(path).open("rb") as file:
            token = file.read(TOKEN_BYTES).strip()
    except OSError:
        raise Unavailable("the hub's own token cannot be read") from None
    if not token:
        raise Unavailable("the hub's own token is empty")
    return token


def _tls(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"metrics_cert, metrics_key or metrics_client_ca cannot be used: {error}") from None
    return context
