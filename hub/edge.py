"""Where a hub that shares its store acts: every effect that only a holder of the lease may have is asked about here.

Theory.  Between the core's decision and its effect the process may have been stopped, so the lease is asked when the
effect is carried out, with a clock that counts meanwhile.  What it forbids does not happen, and whoever waits for it is
told: an order to an engine has failed, a verdict was not given; a command to an agent is offered again by its router.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.cluster.room import Cluster
from hub.engines.reports import EngineCommand, OrderResult
from hub.loop import Loop
from hub.words import Effect, Leave, Notify, Order, Poll, Send, Store, Stored

VERDICT = "judge_agent"
NO_LEASE = "this hub has no lease on the shared store now"
NOT_ASKED = "another hub asks this engine now"


class Polled:
    """One engine that this hub asks while it is its turn; `make` makes the engine's threads, not started yet."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._engine: Any = None

    def turn(self, on: bool) -> None:
        """Begin or end to ask it."""
        if on and self._engine is None:
            self._engine = self._make()
            self._engine.start()
        elif not on and self._engine is not None:
            self._engine.stop()
            self._engine = None

    @property
    def on(self) -> bool:
        """Whether it is this hub's turn."""
        return self._engine is not None

    def start(self) -> None:
        """Its turn is told by the core."""

    def stop(self) -> None:
        """At the end of the hub."""
        self.turn(False)

    def order(self, order: EngineCommand) -> None:
        """Queue an order."""
        if self._engine is not None:
            self._engine.order(order)


def leave_by(loop: Loop, cluster: Cluster | None) -> Callable[[int, Any], None]:
    """What SIGTERM does: a hub with others drains, and ends at once when it is told so a second time."""

    wishes: deque[Stored] = deque()
    loop.turns.append(lambda now: [wishes.popleft() for _ in range(len(wishes))])

    def told(number: int, frame: Any) -> None:
        if cluster is None or cluster.lease.row.draining:
            loop.stop()
        else:
            wishes.append(Stored(lambda value, error, now: cluster.drain(now), None, ""))

    return told


class Guard:
    """The effects of a loop whose hub may act only while it holds its lease."""

    def __init__(self, loop: Loop, cluster: Cluster, engines: Mapping[str, Any]) -> None:
        self._loop, self._cluster, self._engines = loop, cluster, engines
        self._handed: deque[Stored] = deque()

    def stand(self) -> None:
        """Before the loop runs."""
        effects = self._loop.effects
        self._loop.turns.append(lambda now: [self._handed.popleft() for _ in range(len(self._handed))])
        checks: dict[type, Callable[[Any], bool]] = {
            Send: self._send, Store: self._store, Order: self._order, Notify: self._notify,
        }  # fmt: skip
        for kind, guarded in checks.items():
            effects[kind] = _before(guarded, effects[kind])
        effects[Poll] = self._poll
        effects[Leave] = lambda effect: self._loop.stop()

    def _acts(self) -> bool:
        return self._cluster.acts(instant())

    def _send(self, effect: Send) -> bool:
        return not effect.agent or self._acts()

    def _store(self, effect: Store) -> bool:
        if effect.method != VERDICT or self._acts():
            return True
        if (then := effect.then) is not None:
            self._handed.append(Stored(then, None, NO_LEASE))
        return False

    def _order(self, effect: Order) -> bool:
        polled = self._engines.get(effect.engine)
        idle = isinstance(polled, Polled) and not polled.on
        if self._acts() and not idle:
            return True
        why = NOT_ASKED if idle else NO_LEASE
        self._loop.reports.append(OrderResult(effect.engine, effect.command.id, False, "unreachable", why))
        return False

    def _notify(self, effect: Notify) -> bool:
        """One hub tells for all what all find; a test is whoever's it was asked of, figures whoever's they are."""
        return effect.then is not None or not effect.notice.common or self._cluster.leads(instant())

    def _poll(self, effect: Poll) -> None:
        for name, engine in self._engines.items():
            engine.turn(name in effect.engines and self._acts())


def instant() -> Instant:
    """This moment, as far as leases are concerned."""
    mono = time.monotonic()
    return Instant(mono, time.time(), 0.0, boot_clock())


def boot_clock() -> float:
    """Seconds since the machine's start, suspended or not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _before(guarded: Callable[[Any], bool], carry_out: Callable[[Any], None]) -> Callable[[Effect], None]:
    def asked(effect: Effect) -> None:
        if guarded(effect):
            carry_out(effect)

    return asked
