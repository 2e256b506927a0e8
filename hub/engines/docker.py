"""One Docker engine in threads of its own: lists, events and samples out, orders in, and nothing ever waits for it.

Theory.  An engine may hang, die, be cut off or lie, and none of that may reach the hub's loop or another engine.  So
each has its own threads, which talk to the hub only by `post(report)`; the hub calls `order`, which queues.  The thread
of the engine goes round: contact (hub.engines.contact), loss, wait, contact.  A loss is posted once, with its reason,
and again only when the reason changes; `seen_at` tells the age of all that was known.  The wait starts at half a second
and doubles up to LONGEST, so an engine that returns is listed again within seconds, and what happened meanwhile is
replayed from its event memory where it still has one.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from hub.engines.api import Tls, address_problem
from hub.engines.contact import Contact, Inbox, Settings
from hub.engines.orders import Orders
from hub.engines.reasons import EngineError
from hub.engines.reports import EngineCommand, EngineState, Report
from hub.engines.sizes import Sizes
from hub.engines.values import text
from hub.engines.watch import Touched

__all__ = ["MODES", "Engine", "Tls", "address_problem"]

MODES = ("auto", "poll", "stream", "agent")
"""How containers are measured: by the engine's age, always by polls, always by streams, or by their agents only."""
SHORTEST, LONGEST = 0.5, 5.0
"""First and longest wait before an engine that is down is asked again, seconds."""
REPLAY = 3600.0
"""Events older than this are not asked for after a loss: they are history, and the list tells the rest."""


def patience(attempt: int) -> float:
    """Seconds to wait after the `attempt`-th failure in a row, from 0."""
    return min(SHORTEST * 2.0 ** min(attempt, 16), LONGEST)


class Engine:
    """One engine.  `start`, `order` and `stop` return at once and may be called from the hub's loop."""

    def __init__(
        self,
        name: str,
        url: str,
        tls: Tls | None,
        post: Callable[[Report], None],
        mode: str = "auto",
        sample_period: float = 5.0,
    ) -> None:
        """`url`: unix:///path or tcp://host:port; `post` is called from several threads and must not block."""
        self.name = name
        self._settings = Settings(name, url, tls, mode, sample_period)
        self._post = post
        self._inbox: Inbox = queue.SimpleQueue()
        self._sizes = Sizes(name, lambda: self._inbox.put(Touched("")))
        self._orders = Orders(name, url, tls, post)
        self._state = EngineState(name, 0.0, False)
        self._since: int | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"engine {name}", daemon=True)

    def start(self) -> None:
        """Begin to make contact."""
        self._thread.start()

    def order(self, order: EngineCommand) -> None:
        """Carry out an order; exactly one OrderResult with its id will be posted."""
        self._orders.put(order)

    def stop(self) -> None:
        """End everything, without waiting for it; nothing in flight is waited for either."""
        self._stopping.set()
        self._inbox.put(None)
        self._orders.stop()

    def join(self, seconds: float) -> bool:
        """Wait for the engine's thread after `stop`; whether it ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            listed = self._state.seen_at
            try:
                self._in_contact()
            except EngineError as error:
                self._lost(str(error))
            except Exception as error:  # a fault of ours ends this contact, not the engine's thread
                self._lost(f"internal error: {text(f'{type(error).__name__}: {error}', 200)}")
            attempt = 0 if self._state.seen_at != listed else attempt
            self._stopping.wait(patience(attempt))
            attempt += 1

    def _in_contact(self) -> None:
        contact = Contact(self._settings, self._post, self._inbox, self._sizes, self._state)
        try:
            contact.open(self._replay_from())
            while contact.follow() and not self._stopping.is_set():
                pass
        finally:
            self._state = contact.state
            self._since = contact.close() or self._since

    def _replay_from(self) -> int | None:
        fresh = self._state.seen_at is not None and time.time() - self._state.seen_at < REPLAY
        return self._since if fresh else None

    def _lost(self, error: str) -> None:
        if self._state.up or self._state.error != error or not self._state.at:
            self._state = self._state._replace(at=time.time(), up=False, error=error)
            self._post(self._state)
