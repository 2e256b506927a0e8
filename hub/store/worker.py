"""The store's own thread: takes calls from the loop, writes them in batches, hands the outcomes back.

Theory.  An fsync takes milliseconds to seconds, so the loop never calls a store.  It submits (method, arguments, tag);
the thread takes everything that waits, up to BATCH, runs the writes inside one `store.batch()` - one transaction, one
fsync - and only after that has ended puts their outcomes out and calls `notify()`.  Reads of the same take follow, so
a long query never delays an acknowledgement that is due already.  If the batch itself fails (full disk), every write
in it has failed, and its outcomes say so: nothing is acknowledged that is not durable.

The loop drains the outcomes whenever `notify()` has woken it; `notify` is called on this thread and must only write
to a wake descriptor.  Upkeep (`Store.tend`) runs between batches; what a person should see of it arrives as an outcome
with the tag TENDED and a tuple of lines.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from hub.store.base import READS, Store
from hub.store.errors import Busy, StoreError
from wire import limits
from wire._record import Record

__all__ = ["TENDED", "Outcome", "Worker"]

TENDED = "tended"
"""Tag of outcomes that carry lines of upkeep."""

BATCH = 512
"""Most calls in one transaction: at 64 facts each it stays below a second of SQLite's time."""

TEND_SECONDS = 2.0
"""Pause between two looks for due upkeep; samples are written out every 10 s, so an idle hub wakes rarely."""


class Outcome(Record):
    """What became of one submitted call."""

    tag: object
    value: Any
    error: StoreError | None = None
    """Set where the call failed; then `value` is None."""


class _Call(Record):
    method: str
    args: tuple[Any, ...]
    tag: object


class Worker:
    """Runs one store on one thread.  `submit`, `drain` and `backlog` are for the loop's thread.

    `clock` gives the wall time for upkeep; `notify` is called (on the store's thread) whenever outcomes wait.
    """

    def __init__(
        self,
        store: Store,
        notify: Callable[[], None],
        clock: Callable[[], float] = time.time,
        limit: int = limits.STORE_QUEUE,
    ) -> None:
        self._store, self._notify, self._clock, self._limit = store, notify, clock, limit
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, method: str, args: tuple[Any, ...] = (), tag: object = None) -> None:
        """Queue `store.method(*args)`; its Outcome comes with this tag.  Outcomes keep the order of writes.

        Raises Busy where too much is queued: the caller must not acknowledge what it wanted to keep.
        """
        if self._calls.qsize() >= self._limit:
            self._dropped += 1
            raise Busy(f"{self._limit} calls wait for the store")
        self._calls.put(_Call(method, args, tag))

    def drain(self) -> list[Outcome]:
        """All outcomes that wait, oldest first."""
        outcomes = self._outcomes
        return [outcomes.popleft() for _ in range(len(outcomes))]

    @property
    def backlog(self) -> int:
        """Calls not yet taken."""
        return self._calls.qsize()

    @property
    def refused(self) -> int:
        """Calls refused with Busy so far."""
        return self._dropped

    def stop(self, timeout: float | None = None) -> bool:
        """Carry out what is queued, flush and close the store; False if that took longer than `timeout` seconds."""
        self._calls.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # -- on the store's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause, due, going = TEND_SECONDS, 0.0, True
        while going:
            calls, going = self._take(pause)
            self._carry_out(calls)
            pause, due = self._tend(due)
        self._guard(self._store.close, self._clock())

    def _take(self, pause: float) -> tuple[list[_Call], bool]:
        """Wait for a call, then everything else that waits; False with it when it is time to stop."""
        calls: list[_Call] = []
        try:
            call = self._calls.get(timeout=pause) if pause > 0 else self._calls.get_nowait()
            while call is not None:
                calls.append(call)
                if len(calls) >= BATCH:
                    return calls, True
                call = self._calls.get_nowait()
        except Empty:
            return calls, True
        return calls, False

    def _carry_out(self, calls: list[_Call]) -> None:
        writes = [call for call in calls if call.method not in READS]
        self._put(self._write(writes))
        for call in calls:
            if call.method in READS:
                self._put([self._outcome(call)])

    def _write(self, calls: list[_Call]) -> list[Outcome]:
        if not calls:
            return []
        try:
            with self._store.batch():
                return [self._outcome(call) for call in calls]
        except Exception as error:  # the batch is lost, the thread must not be
            return [Outcome(call.tag, None, _store_error(error)) for call in calls]

    def _outcome(self, call: _Call) -> Outcome:
        try:
            return Outcome(call.tag, getattr(self._store, call.method)(*call.args))
        except Exception as error:  # one bad call fails alone
            return Outcome(call.tag, None, _store_error(error))

    def _tend(self, due: float) -> tuple[float, float]:
        """Upkeep if it is due by the monotonic clock; returns the pause until the next, and when that is."""
        now = time.monotonic()
        if now < due:
            return due - now, due
        tended = self._guard(self._store.tend, self._clock())
        if tended is not None and tended.notes:
            self._put([Outcome(TENDED, tended.notes)])
        if tended is not None and tended.more:
            return 0.0, 0.0
        return TEND_SECONDS, now + TEND_SECONDS

    def _guard(self, effect: Callable[[float], Any], now: float) -> Any:
        """Upkeep that fails is said, and tried again with the next pause."""
        try:
            return effect(now)
        except Exception as error:
            self._put([Outcome(TENDED, (str(_store_error(error)),))])
            return None

    def _put(self, outcomes: list[Outcome]) -> None:
        if outcomes:
            self._outcomes.extend(outcomes)
            self._notify()


def _store_error(error: Exception) -> StoreError:
    return error if isinstance(error, StoreError) else StoreError(f"{type(error).__name__}: {error}")
