"""The one thread that owns all ZeroMQ sockets: reads what came, asks the core, carries out the effects.

Theory.  A pass: poll; drain every ready socket without blocking, each at most so many messages that the others get
their turn; drain what the store, the engines and the enrolment port have left; hand each as one event to the core and
carry its effects out at once.  Whoever else has something (store thread, engine threads, signals) writes one byte to
the wake descriptor.  After each pass the hub's attention advances, but only if the agents' port was drained: what the
hub has not read yet cannot count as silence.  An exception in the core ends one event, never the loop.
"""

from __future__ import annotations

import os
import socket as sockets
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import msgpack

from hub import words
from hub.alerts.notices import Notice
from hub.clock import Attention, Instant
from hub.cluster.overload import Meter
from hub.core import Core
from hub.doors import Doors
from hub.engines.reports import EngineCommand, OrderResult, Report
from hub.errors import HubError
from hub.gathering import Gathering
from hub.hearing import requests
from hub.own import Own, capacity
from hub.shares import Ledger
from hub.sockets import Socket, publications, send, subscriptions
from hub.store.errors import StoreError
from hub.store.worker import NEWS, TENDED, Outcome, Worker
from hub.trust.zap import Admissions, Gate
from hub.waker import Waker
from wire import limits
from wire.codec import DecodeError, EncodeError, decode, encode
from wire.messages import Feed, Message, Refused, Sample

PASS = 500
"""Most messages of one socket in one pass: about 20 ms of work."""
TURN = 50
"""Most of the agents' messages between two looks at clients and at what the store has done: about 2 ms of work."""
TICK_SECONDS = 0.2
"""Longest sleep, and how finely silence and deadlines are judged."""
WATCH_SECONDS = 1.0
"""Pause between two looks at file descriptors and threads."""
FULL = 0.9
"""Share of the file descriptors at which agents are turned away: running out of them stops everything."""


class EngineThread(Protocol):
    """What the loop needs of hub.engines.docker.Engine."""

    def order(self, order: EngineCommand) -> None:
        """Queue an order."""


class Sinks(Protocol):
    """What the loop needs of hub.alerts.couriers.Couriers."""

    def post(self, notice: Notice, then: words.Then | None) -> None:
        """Have it sent; never waits."""

    def counts(self) -> Mapping[tuple[str, str], int]:
        """(sink, outcome) -> notices."""


class Loop:
    """See the module's docstring.  `say` takes one line for the log."""

    def __init__(
        self,
        core: Core,
        worker: Worker,
        admissions: Admissions,
        waker: Waker,
        enrol: sockets.socket,
        engines: Mapping[str, EngineThread],
        reports: deque[Report],
        say: Callable[[str], None],
    ) -> None:
        self.core, self.worker, self.admissions = core, worker, admissions
        self.waker, self.enrol, self.engines, self.reports, self.say = waker, enrol, engines, reports, say
        self.doors: Doors | None = None
        self.gate: Gate | None = None
        self.attention, self.meter = Attention(time.monotonic()), Meter(time.monotonic())
        self.pending = 0
        self.feed_seq = 0
        self.watch_at = self.tick_at = 0.0
        self.longest = 0.0
        """Longest pass since the last look, seconds."""
        self.running = True
        self.fault: BaseException | None = None
        self.sinks: Sinks | None = None
        """Who is told of alerts."""
        self.turns: list[Callable[[Instant], list[words.Event]]] = []
        """Others who do a little at each pass and never raise; they wake the loop for more."""
        self.own, self.ledger = Own(), Ledger()
        self.more: tuple[Socket, ...] = ()
        """Sockets of those that take turns, which the loop wakes for."""
        self.keeper = 0
        """Pid of the enrolment port's keeper; 0 = none is watched."""
        self.effects: dict[type, Callable[[Any], None]] = {
            words.Send: self._send,
            words.Answer: self._answer,
            words.Publish: self._publish,
            words.Store: self._store,
            words.Order: self._order,
            words.Admit: self._admit,
            words.Renew: self._renew,
            words.Rotate: self._rotate,
            words.Notify: self._notify,
            words.Say: lambda effect: self.say(effect.line),
        }

    # -- life --------------------------------------------------------------------------------------------------------

    def prepare(self, seconds: float, again: Callable[[Outcome], bool] = lambda outcome: False) -> None:
        """Reads the store before any port opens, what `again` asks anew too; raises as the core, or TimeoutError."""
        deadline = time.monotonic() + seconds
        self._carry_out(self.core.start(self._now()))
        while self.pending:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the store did not answer within {seconds:g} s")
            self.waker.reader.setblocking(True)
            self.waker.reader.settimeout(0.2)
            with suppress(TimeoutError):
                self.waker.reader.recv(4096)
            self.waker.reader.setblocking(False)
            for outcome in self.worker.drain():
                if again(outcome):
                    self.pending, deadline = self.pending - 1, time.monotonic() + seconds
                else:
                    self._outcome(outcome.tag, outcome.value, outcome.error, strict=True)

    def run(self, doors: Doors, gate: Gate) -> None:
        """Serves until `stop`."""
        self.doors, self.gate = doors, gate
        self.attention, self.meter = Attention(time.monotonic(), self.attention.total), Meter(time.monotonic())
        watched: tuple[Socket, ...] = ()
        while self.running:
            if watched != (doors.feed, *self.more):
                watched, rest = (doors.feed, *self.more), Gathering(doors, (self.waker.reader, self.enrol, *self.more))
            asleep = time.monotonic()
            ready = rest.sleep(TICK_SECONDS, bool(self.core.orders.router.flying))
            begun = time.monotonic()
            drained = self._pass(doors, ready)
            self.meter.passed(begun - asleep, drained)
            self.admissions.turnstile.passed(drained, self.pending)
            self.longest = max(self.longest, time.monotonic() - begun)
            self.attention = self.attention.advance(time.monotonic(), drained)
            self._tick()
            self._watch()

    def _tick(self) -> None:
        """One Tick, at most as often as TICK_SECONDS: under load a pass is much shorter."""
        if self.attention.last >= self.tick_at:
            self.tick_at = self.attention.last + 0.9 * TICK_SECONDS
            self._event(words.Tick(self.meter.read(self.attention.last)))

    def stop(self) -> None:
        """Ends `run` after the present pass; for signal handlers."""
        self.running = False

    def finish(self, seconds: float) -> None:
        """Takes in what the store still has to say, so that nothing acknowledged too late is asked again."""
        deadline = time.monotonic() + seconds
        while self.pending and time.monotonic() < deadline:
            time.sleep(0.01)
            self._outcomes()

    # -- one pass ----------------------------------------------------------------------------------------------------

    def _pass(self, doors: Doors, ready: Mapping[Any, int]) -> bool:
        """Reads everything that is ready; whether the agents' port was emptied."""
        if self.waker.reader in ready or self.waker.reader.fileno() in ready:
            self.waker.clear()
        emptied = self._talk(doors)
        if self._samples(doors.samples) >= TURN:
            self._talk(doors)
        if doors.feed in ready:
            self._subscriptions(doors.feed)
        self._enrolments()
        for _ in range(len(self.reports)):
            self._event(words.Reported(self.reports.popleft()))
        for event in [event for turn in self.turns for event in turn(self._now())]:
            self._event(event)
        return emptied

    def _talk(self, doors: Doors) -> bool:
        """Serves agents and clients in turn, so that a command waits for few others; whether all agents were heard."""
        for _ in range(PASS // TURN):
            self._outcomes()
            self._requests("clients", doors.clients)
            if self._requests("agents", doors.commands) < TURN:
                self._outcomes()
                return True
        return False

    def _requests(self, port: str, socket: Socket) -> int:
        count, events = requests(port, socket, TURN, self.ledger)
        for event in events:
            self._event(event)
        return count

    def _samples(self, socket: Socket) -> int:
        """Samples become one event for all of a pass; what else agents publish is seldom."""
        taken: list[tuple[str, Sample]] = []
        for user, payload in publications(socket, PASS, self.ledger):
            with suppress(DecodeError):
                message = decode(payload)
                if isinstance(message, Sample):
                    taken.append((user, message))
                else:
                    self._event(words.Published(user, message))
        if taken:
            self._event(words.Sampled(tuple(taken)))
        return len(taken)

    def _subscriptions(self, socket: Socket) -> None:
        for frame in subscriptions(socket, PASS, self.ledger):
            if frame[:1] in (b"\0", b"\1"):
                self._event(words.Watched(frame[1:].decode("ascii", "replace"), frame[:1] == b"\1"))

    def _enrolments(self) -> None:
        for _ in range(PASS):
            try:
                packet = self.enrol.recv(limits.ENROL_BYTES * 2)
            except OSError:
                return
            if not packet:
                return
            number, public, peer, payload = msgpack.unpackb(packet)
            route = words.Route("enrol", (number,))
            try:
                message = decode(payload, limits.ENROL_BYTES)
            except DecodeError as error:
                self._event(words.Garbled(route, public, str(error)))
                continue
            self._event(words.Asked(route, public, peer, message))

    def _outcomes(self) -> None:
        for outcome in self.worker.drain():
            self._outcome(outcome.tag, outcome.value, outcome.error)

    def _outcome(self, tag: object, value: Any, error: StoreError | None, strict: bool = False) -> None:
        if tag == TENDED:
            for line in value or (str(error),):
                self.say(f"store: {line}")
            return
        if tag == NEWS:
            self._event(words.StoreNews(*value))
            return
        self.pending -= 1
        if callable(tag):
            self._event(words.Stored(tag, value, str(error or "")), strict)
        elif error is not None:
            self.say(f"store: {error}")

    # -- events and effects ------------------------------------------------------------------------------------------

    def _now(self) -> Instant:
        mono = time.monotonic()
        return Instant(mono, time.time(), self.attention.total, time.clock_gettime(time.CLOCK_BOOTTIME))

    def _event(self, event: words.Event, strict: bool = False) -> None:
        try:
            self._carry_out(self.core.handle(event, self._now()))
        except Exception as error:
            if strict:
                raise
            self.say(f"bug: {type(event).__name__}: {type(error).__name__}: {error}")
            for line in traceback.format_exc(limit=8).splitlines():
                self.say(line)

    def _carry_out(self, effects: words.Effects) -> None:
        for effect in effects:
            self.effects[type(effect)](effect)

    def _send(self, effect: words.Send) -> None:
        payload = self._encoded(effect.message)
        if effect.route.port == "enrol":
            with suppress(OSError):
                self.enrol.send(msgpack.packb([effect.route.envelope[0], payload]))
            return
        assert self.doors is not None
        socket = self.doors.commands if effect.route.port == "agents" else self.doors.clients
        if not send(socket, [*effect.route.envelope, payload]) and effect.agent:
            self._event(words.Undelivered(effect.agent))

    def _answer(self, effect: words.Answer) -> None:
        """Who is gone meanwhile does not get its answer, and asks again."""
        assert self.doors is not None
        payloads: dict[int, bytes] = {}
        for route, durable in effect.routes:
            if durable not in payloads:
                payloads[durable] = self._encoded(effect.beat._replace(durable=durable))
            send(self.doors.commands, [*route.envelope, payloads[durable]])

    def _encoded(self, message: Message) -> bytes:
        """The message as bytes; one that nobody could read becomes a refusal that says so."""
        try:
            return encode(message, limits.ANSWER_BYTES)
        except EncodeError as error:
            self.say(f"bug: {type(message).__name__} cannot be sent: {error}")
            number = getattr(message, "id", "")
            return encode(Refused(number, "too-large", f"the answer cannot be sent: {error}"[:512], "ask for less"))

    def _publish(self, effect: words.Publish) -> None:
        self.feed_seq += 1
        if self.doors is None:
            return
        with suppress(EncodeError):
            item = encode(Feed(effect.topic, time.time(), self.feed_seq, effect.body, self.core.turning.moved))
            send(self.doors.feed, [effect.topic.encode(), item])

    def _store(self, effect: words.Store) -> None:
        self.pending += 1
        try:
            self.worker.submit(effect.method, effect.args, effect.then)
        except StoreError as error:
            self._outcome(effect.then, None, error)

    def _order(self, effect: words.Order) -> None:
        engine = self.engines.get(effect.engine)
        if engine is not None:
            engine.order(effect.command)
            return
        error = OrderResult(
            effect.engine, effect.command.id, False, "unreachable", "the hub has no such engine any more"
        )
        self.reports.append(error)

    def _admit(self, effect: words.Admit) -> None:
        self.admissions.table = dict(effect.table)

    def _notify(self, effect: words.Notify) -> None:
        if self.sinks is not None:
            self.sinks.post(effect.notice, effect.then)
        elif effect.then is not None:
            self._event(words.Stored(effect.then, (), ""))

    def _rotate(self, effect: words.Rotate) -> None:
        standing, error = None, "the hub does not listen yet"
        if self.doors is not None:
            try:
                standing, error = self.doors.rotate(effect.until), ""
            except (OSError, HubError) as fault:
                error = str(fault)
        self._event(words.Stored(effect.then, standing, error))

    def _renew(self, effect: words.Renew) -> None:
        if self.doors is not None:
            self.doors.renew_feed()

    # -- watchdog ----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        now = time.monotonic()
        if now < self.watch_at:
            return
        self.watch_at = now + WATCH_SECONDS
        open_fds = self._measure()
        if self.gate is not None and not self.gate.alive:
            self.fault = RuntimeError("the gate's thread has ended")
            self.running = False
        with suppress(ChildProcessError):
            if self.keeper and os.waitpid(-1, os.WNOHANG)[0] == self.keeper:
                self.fault = RuntimeError("the keeper of the enrolment port has ended")
                self.running = False
        full = open_fds >= FULL * capacity()
        if full != bool(self.admissions.closed):
            self.say("file descriptors run short: no new agents are let in" if full else "new agents are let in again")
        self.admissions.closed = frozenset({"agents"}) if full else frozenset()

    def _measure(self) -> int:
        """Sets the gauges; the open file descriptors."""
        metrics = self.core.metrics
        metrics.set("pidone_store_queue", self.worker.backlog)
        metrics.set("pidone_store_refused_total", self.worker.refused)
        metrics.set("pidone_store_waiting", self.worker.waiting)
        metrics.set("pidone_loop_pass_seconds", self.longest)
        self.longest = 0.0
        if self.sinks is not None:
            for labels, count in self.sinks.counts().items():
                metrics.set("pidone_alert_notices_total", count, *labels)
        return self.own.measure(metrics, self.core.fleet.load)
