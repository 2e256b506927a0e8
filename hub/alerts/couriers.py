"""Who carries notices to the sinks: a thread and a short queue for each, so that one that hangs delays nobody.

Theory.  `post` only queues.  A newer notice of a group takes the place of an older one that still waits, because it
says what goes on now; a notice that was delivered (group and epoch) is never sent again.  A try that failed is repeated
after a back-off that doubles, with a random part, until GIVE_UP_SECONDS; a refusal for good (HTTP 4xx) is not repeated.
The queue is bounded: beyond, the oldest goes, is counted, and the next notice that arrives says how many were lost.
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from hub.alerts.formats import request
from hub.alerts.notices import Notice
from hub.alerts.post import Outcome, post
from hub.alerts.rules import SEVERITIES, Sink
from hub.words import Then

__all__ = ["Courier", "Couriers", "Told"]

QUEUE = 200
"""Notices that wait for one sink: groups, since each group has one at most."""
DELIVERED = 2000
"""Groups whose last delivered epoch is remembered."""
FIRST_SECONDS, MOST_SECONDS = 1.0, 60.0
"""Back-off."""
GIVE_UP_SECONDS = 3600.0
"""After that a notice is news of yesterday; where the alert goes on, its group speaks again with the next change."""

Report = Callable[[dict[str, Any]], None]
"""Takes the outcome of a test."""


class Courier:
    """One sink; `say` takes one line for the log and is called on the courier's thread."""

    def __init__(self, sink: Sink, say: Callable[[str], None]) -> None:
        self.sink, self.say = sink, say
        self.counts = {"delivered": 0, "failed": 0, "dropped": 0, "refused": 0}
        self._waiting: OrderedDict[str, Notice] = OrderedDict()
        self._tests: deque[tuple[Notice, Report]] = deque()
        self._delivered: OrderedDict[str, int] = OrderedDict()
        self._lost = 0
        self._ending = False
        self._bell = threading.Condition()
        self._ill = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=f"sink {self.sink.name}", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; what is on its way is not waited for."""
        with self._bell:
            self._ending = True
            self._bell.notify_all()

    def post(self, notice: Notice) -> None:
        """Queue it, if this sink is meant."""
        sink = self.sink
        due = SEVERITIES.index(notice.severity) >= SEVERITIES.index(sink.severity)
        due = due and (notice.state != "refresh" or sink.kind == "alertmanager")
        if not due or (notice.state == "resolved" and not sink.resolved):
            return
        with self._bell:
            before = self._waiting.get(notice.group)
            if before is None or before.epoch <= notice.epoch:
                self._waiting[notice.group] = notice
            if len(self._waiting) > QUEUE:
                self._waiting.popitem(last=False)
                self._lost += 1
                self.counts["dropped"] += 1
            self._bell.notify_all()

    def test(self, notice: Notice, report: Report) -> None:
        """Send this once, before all that waits, and report what became of it."""
        with self._bell:
            self._tests.append((notice, report))
            self._bell.notify_all()

    @property
    def waiting(self) -> int:
        """Notices not delivered yet."""
        return len(self._waiting)

    # -- on its own thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (one := self._next()) is not None:
            self._deliver(one)

    def _next(self) -> Notice | None:
        """The next one, still in the queue; None at the end."""
        with self._bell:
            while True:
                if self._ending:
                    return None
                if self._tests:
                    notice, report = self._tests.popleft()
                    self._bell.release()
                    try:
                        report(self._try(notice))
                    finally:
                        self._bell.acquire()
                elif self._waiting:
                    return next(iter(self._waiting.values()))
                else:
                    self._bell.wait()

    def _try(self, notice: Notice) -> dict[str, Any]:
        begun, outcome = time.monotonic(), post(self.sink, request(self.sink, notice))
        seconds = time.monotonic() - begun
        return {
            "sink": self.sink.name,
            "kind": self.sink.kind,
            "ok": outcome.ok,
            "detail": outcome.detail,
            "seconds": seconds,
        }

    def _deliver(self, notice: Notice) -> None:
        pause, begun = FIRST_SECONDS, time.monotonic()
        while not self._ending and self._waiting.get(notice.group) is notice:
            if self._is_old(notice):
                return self._done(notice, "")
            outcome = post(self.sink, request(self.sink, self._with_losses(notice)))
            if outcome.ok:
                return self._done(notice, "delivered")
            late = time.monotonic() - begun > GIVE_UP_SECONDS
            self._complain(outcome, late)
            if late or not outcome.again:
                return self._done(notice, "refused" if not outcome.again else "failed")
            self._wait(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, MOST_SECONDS)
        return None

    def _wait(self, seconds: float) -> None:
        """The back-off; a test is not made to wait for it."""
        deadline = time.monotonic() + seconds
        with self._bell:
            while not self._ending and not self._tests and (left := deadline - time.monotonic()) > 0:
                self._bell.wait(left)
        while self._tests and not self._ending:
            notice, report = self._tests.popleft()
            report(self._try(notice))

    def _is_old(self, notice: Notice) -> bool:
        known = self._delivered.get(notice.group, -1)
        return notice.epoch < known or (notice.epoch == known and notice.state != "refresh")

    def _with_losses(self, notice: Notice) -> Notice:
        lost = self._lost
        return notice._replace(summary=f"{notice.summary} ({lost} earlier notices were lost)") if lost else notice

    def _done(self, notice: Notice, outcome: str) -> None:
        with self._bell:
            if self._waiting.get(notice.group) is notice:
                del self._waiting[notice.group]
            if outcome:
                self.counts[outcome] += 1
            if outcome == "delivered":
                self._lost = 0
                self._delivered.pop(notice.group, None)
                self._delivered[notice.group] = notice.epoch
                if len(self._delivered) > DELIVERED:
                    self._delivered.popitem(last=False)
                if self._ill:
                    self.say(f"sink {self.sink.name}: takes notices again")
                self._ill = False

    def _complain(self, outcome: Outcome, last: bool) -> None:
        """Once for each time of failure, and where a notice is given up."""
        if not self._ill or last or not outcome.again:
            what = "the notice is given up" if last or not outcome.again else "trying on"
            self.say(f"sink {self.sink.name}: {outcome.detail}; {what}")
        self._ill = True


class Told:
    """What the loop hands back to the core: a continuation with the outcomes of all sinks."""

    def __init__(self, then: Then, count: int, finish: Callable[[Then, Any], None]) -> None:
        self.then, self.count, self.finish = then, count, finish
        self.outcomes: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def report(self, outcome: dict[str, Any]) -> None:
        """One sink is through; the last one finishes."""
        with self._lock:
            self.outcomes.append(outcome)
            over = len(self.outcomes) == self.count
        if over:
            self.finish(self.then, sorted(self.outcomes, key=lambda one: str(one["sink"])))


class Couriers:
    """All sinks.  `finish` takes the outcome of a test, on a courier's thread."""

    def __init__(self, sinks: Sequence[Sink], say: Callable[[str], None], finish: Callable[[Then, Any], None]) -> None:
        self.couriers = [Courier(sink, say) for sink in sinks]
        self._say, self._finish = say, finish

    def start(self) -> None:
        """Begin."""
        for courier in self.couriers:
            courier.start()

    def stop(self) -> None:
        """End."""
        for courier in self.couriers:
            courier.stop()

    def employ(self, sinks: Sequence[Sink]) -> None:
        """These from now on: who stays keeps what waits, who goes takes it along."""
        present = {courier.sink: courier for courier in self.couriers}
        for sink in set(present) - set(sinks):
            present[sink].stop()
        fresh = {sink: Courier(sink, self._say) for sink in sinks if sink not in present}
        self.couriers = [present[sink] if sink in present else fresh[sink] for sink in sinks]
        for courier in fresh.values():
            courier.start()

    def post(self, notice: Notice, then: Then | None) -> None:
        """Have it sent; never waits."""
        if then is None:
            for courier in self.couriers:
                courier.post(notice)
        elif not self.couriers:
            self._finish(then, [])
        else:
            told = Told(then, len(self.couriers), self._finish)
            for courier in self.couriers:
                courier.test(notice, told.report)

    def counts(self) -> dict[tuple[str, str], int]:
        """(sink, outcome) -> how many notices."""
        found = [(one.sink.name, dict(one.counts)) for one in self.couriers]
        return {(name, outcome): count for name, counts in found for outcome, count in counts.items()}
