"""The store's own thread: takes calls from the loop, writes them in batches, hands the outcomes back.

Theory.  An fsync takes milliseconds to seconds, so the loop never calls a store.  It submits (method, arguments, tag);
the thread takes everything that waits, up to BATCH, runs the writes inside one `store.batch()` - one transaction, one
fsync - and only after that has ended puts their outcomes out and calls `notify()`.  Reads of the same take follow, so
a long query never delays an acknowledgement that is due already.  What only goes into memory (samples) comes after all
that, one call between two looks for what is more urgent, and before a call about samples; its outcomes wake nobody:
they are drained with the next.  If the batch itself fails (full disk), every write in
it has failed, and its outcomes say so: nothing is acknowledged that is not durable.

A store that is away (a full disk, a Redis that does not answer) raises Unwritable.  Who waits for the outcome is told:
an agent keeps its facts and sends them again, a client reads the error.  A write that nobody waits for (no tag: audit,
the hub's own facts, an agent's last state) is kept by the worker, in its order and at most `keep` of them, and made
when the store is back; of several rows of one agent the last is enough.  What is kept and what had to be dropped is
said.  Reads fail meanwhile, and the hub answers from its memory whatever it has there.  That it is away, that it is
back, and that its back end began anew (a restart, a failover: acknowledged writes may be missing) are news for the hub.

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
from hub.store.errors import Busy, Overtaken, StoreError, Unwritable
from hub.store.waiting import IN_MEMORY, Absence, Call, Waiting
from wire import limits
from wire._record import Record

__all__ = ["NEWS", "TENDED", "Outcome", "Worker"]

TENDED = "tended"
"""Tag of outcomes that carry lines of upkeep."""

NEWS = "news"
"""Tag of outcomes that carry (since when the store is away or None, why acknowledged writes may be missing or "")."""

BATCH = 512
"""Most calls in one transaction: at 64 facts each it stays below a second of SQLite's time."""

TEND_SECONDS = 2.0
"""Pause between two looks for due upkeep; samples are written out every 10 s, so an idle hub wakes rarely."""


JOINED = {"durable": "durables"}
"""Reading methods, each with the one that answers many such calls at once."""

OF_SAMPLES = frozenset({"process_history", "container_history", "latest", "stats", "flush"})
"""Calls about what is in memory: everything that came before is there when they are made."""

LINGER_SECONDS = 0.005
"""How long writes that nobody waits for may wait for others: a thread that wakes for each of them holds up the loop,
and a command that comes meanwhile has the disk for itself."""

TRY_SECONDS = 1.0
"""Between two tries to make up for writes that wait."""


class Outcome(Record):
    """What became of one submitted call."""

    tag: object
    value: Any
    error: StoreError | None = None
    """Set where the call failed; then `value` is None."""


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
        keep: int = limits.STORE_QUEUE,
    ) -> None:
        self._store, self._notify, self._clock, self._limit = store, notify, clock, limit
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._dropped = 0
        self._later: deque[Call] = deque()
        """What goes into memory, and may wait."""
        self._waiting, self._made, self._try_at = Waiting(keep), 0, 0.0
        self._absence = Absence()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, method: str, args: tuple[Any, ...] = (), tag: object = None) -> None:
        """Queue `store.method(*args)`; its Outcome comes with this tag.  Outcomes keep the order of writes.

        Raises Busy where too much is queued: the caller must not acknowledge what it wanted to keep.
        """
        if self.backlog >= self._limit:
            self._dropped += 1
            raise Busy(f"{self._limit} calls wait for the store")
        self._calls.put(Call(method, args, tag))

    def drain(self) -> list[Outcome]:
        """All outcomes that wait, oldest first."""
        outcomes = self._outcomes
        return [outcomes.popleft() for _ in range(len(outcomes))]

    @property
    def backlog(self) -> int:
        """Calls not yet made."""
        return self._calls.qsize() + len(self._later)

    @property
    def refused(self) -> int:
        """Calls refused with Busy so far."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Writes kept while the store is away."""
        return len(self._waiting)

    def stop(self, timeout: float | None = None) -> bool:
        """Carry out what is queued, flush and close the store; False if that took longer than `timeout` seconds."""
        self._calls.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # -- on the store's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause, due, going = TEND_SECONDS, 0.0, True
        while going:
            calls, going = self._take(0.0 if self._later else pause)
            self._make_up()
            self._carry_out(calls)
            self._remember(1 if going else len(self._later))
            pause, due = self._tend(due)
        self._try_at = 0.0
        self._make_up()
        if self._waiting:
            self._say(f"{len(self._waiting)} writes are lost: the store is still away")
        self._guard(self._store.close, self._clock())

    def _take(self, pause: float) -> tuple[list[Call], bool]:
        """Wait for a call, then everything else that waits; False with it when it is time to stop.

        Where nobody waits for any of them, a little longer, so that they share their way to the disk.
        """
        calls, until = list[Call](), time.monotonic() + pause
        while len(calls) < BATCH:
            left = until - time.monotonic()
            try:
                call = self._calls.get(timeout=left) if left > 0 else self._calls.get_nowait()
            except Empty:
                break
            if call is None:
                return calls, False
            if not calls:
                until = time.monotonic() + (0.0 if self._later else LINGER_SECONDS)
            if call.tag is not None and call.method not in IN_MEMORY:
                until = 0.0
            calls.append(call)
        return calls, True

    def _carry_out(self, calls: list[Call]) -> None:
        writes = [call for call in calls if call.method not in READS]
        if self._waiting:  # what came earlier comes first
            later = [call for call in writes if call.tag is None and call.method not in IN_MEMORY]
            writes = [call for call in writes if call.tag is not None or call.method in IN_MEMORY]
            self._put([outcome for call in later for outcome in self._keep(call, "the store is away")])
        self._later.extend(call for call in writes if call.method in IN_MEMORY)
        if any(call.method in OF_SAMPLES for call in calls):
            self._remember(len(self._later))
        writes = [call for call in writes if call.method not in IN_MEMORY]
        outcomes = zip(writes, self._write(writes), strict=True)
        self._put([told for call, outcome in outcomes for told in self._told(call, outcome)])
        self._read([call for call in calls if call.method in READS])

    def _read(self, calls: list[Call]) -> None:
        for method, many in JOINED.items():
            same = [call for call in calls if call.method == method]
            if len(same) > 1:
                calls = [call for call in calls if call.method != method]
                found = self._outcome(Call(many, (tuple(call.args for call in same),), None))
                values = found.value if found.error is None else [None] * len(same)
                outcomes = [Outcome(call.tag, value, found.error) for call, value in zip(same, values, strict=True)]
                self._note(same, outcomes)
                self._put(outcomes)
        for call in calls:
            outcome = self._outcome(call)
            self._note([call], [outcome])
            self._put([outcome])

    def _remember(self, most: int) -> None:
        """Make some of the calls that go into memory."""
        for _ in range(min(most, len(self._later))):
            self._outcomes.append(self._outcome(self._later.popleft()))  # wake nobody

    def _write(self, calls: list[Call]) -> list[Outcome]:
        if not calls:
            return []
        try:
            try:
                outcomes = self._batch(calls)
            except Overtaken:
                outcomes = self._batch(calls)
        except Exception as error:  # the batch is lost, the thread must not be
            outcomes = [Outcome(call.tag, None, _store_error(error)) for call in calls]
        self._note(calls, outcomes)
        return outcomes

    def _batch(self, calls: list[Call]) -> list[Outcome]:
        self._store.foresee([(call.method, call.args) for call in calls])
        with self._store.batch():
            return [self._outcome(call) for call in calls]

    def _note(self, calls: list[Call], outcomes: list[Outcome]) -> None:
        """Tell when the store went away or came back."""
        for call, outcome in zip(calls, outcomes, strict=True):
            if self._absence.note(call.method, outcome.error, self._clock()):
                since = self._absence.since
                self._put([Outcome(NEWS, (since, "" if since is not None else "it was away"))])

    def _outcome(self, call: Call) -> Outcome:
        try:
            return Outcome(call.tag, getattr(self._store, call.method)(*call.args))
        except Exception as error:  # one bad call fails alone
            return Outcome(call.tag, None, _store_error(error))

    def _told(self, call: Call, outcome: Outcome) -> list[Outcome]:
        """The outcome as it goes out: not yet, where nobody waits for it and the store is away."""
        if call.tag is not None or not isinstance(outcome.error, Unwritable):
            return [outcome]
        return [Outcome(None, None)] if call.method in IN_MEMORY else self._keep(call, str(outcome.error))

    def _keep(self, call: Call, why: str) -> list[Outcome]:
        if not self._waiting:
            self._say(f"{why}; facts are asked for again, other writes wait until it is back")
            self._try_at = time.monotonic() + TRY_SECONDS
        if self._waiting.keep(call):
            return []
        if self._waiting.dropped == 1:
            self._say(f"{len(self._waiting)} writes wait for the store; there is no room for more, they are dropped")
        return [Outcome(None, None)]

    def _make_up(self) -> None:
        """Make the writes that wait, if it is time to try; once one batch succeeds, all."""
        while self._waiting and time.monotonic() >= self._try_at:
            calls = self._waiting.first(BATCH)
            outcomes = self._write(calls)
            if any(isinstance(outcome.error, Unwritable) for outcome in outcomes):
                self._try_at = time.monotonic() + TRY_SECONDS
                return
            self._waiting.made(len(calls))
            self._made += len(calls)
            self._put(outcomes)
            if not self._waiting:
                self._say(
                    f"it is back: {self._made} writes that waited were made, {self._waiting.dropped} were dropped"
                )
                self._made = self._waiting.dropped = 0

    def _say(self, line: str) -> None:
        self._put([Outcome(TENDED, (line,))])

    def _tend(self, due: float) -> tuple[float, float]:
        """Upkeep if it is due by the monotonic clock; returns the pause until the next, and when that is."""
        now = time.monotonic()
        if now < due:
            return due - now, due
        tended = self._guard(self._store.tend, self._clock())
        if tended is not None and tended.notes:
            self._put([Outcome(TENDED, tended.notes)])
        if tended is not None and tended.renewed:
            self._put([Outcome(NEWS, (self._absence.since, tended.renewed))])
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
