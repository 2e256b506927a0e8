"""Orders to the containers of one engine: six verbs, each one HTTP request with a deadline, never an open door.

Theory.  An order is carried out in a thread and over a connection of its own, so a stop that takes its whole grace
period delays nothing else, and an order reaches an engine whose list is stuck.  The request is sent at most once.  When
the deadline passes after it was sent, the outcome is unknown, and the result says so instead of guessing.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping

from hub.engines.api import Api, Tls
from hub.engines.reasons import EngineError
from hub.engines.reports import EngineCommand, OrderResult
from hub.engines.values import ORDER_ID
from wire._record import Record
from wire.limits import COMMAND_SECONDS, ENGINE_ORDER_QUEUE, ENGINE_ORDERS

_SIGNAL = re.compile(r"(SIG)?[A-Z][A-Z0-9+-]{1,15}|[1-9]|[1-5][0-9]|6[0-4]", re.ASCII)
_SAME = dict.fromkeys(("start", "stop", "restart", "kill", "pause", "unpause"), "")
_SAME |= {"start": "was running already", "stop": "was not running"}
"""The verbs, and what the engine's 304 (nothing to do) means for each."""


class Request(Record):
    """What to ask of the engine."""

    path: str
    parameters: Mapping[str, str | int]


def request(order: EngineCommand) -> Request | str:
    """The one request for an order, or a sentence on what is wrong with it."""
    if order.verb not in _SAME:
        return f"{order.verb!r} is no verb for containers: {', '.join(_SAME)}"
    if not isinstance(order.container, str) or not ORDER_ID.fullmatch(order.container):
        return "a container is named by 12 to 64 hexadecimal digits of its id"
    allowed = {"stop": {"grace"}, "restart": {"grace"}, "kill": {"signal"}}.get(order.verb, set())
    unknown = sorted(set(order.args) - allowed)
    if unknown:
        return f"{order.verb} takes no argument {unknown[0]!r:.40}"
    parameters: dict[str, str | int] = {}
    if "grace" in order.args:
        grace = order.args["grace"]
        if isinstance(grace, bool) or not isinstance(grace, int | float) or not 0 <= grace <= COMMAND_SECONDS:
            return f"grace is a number of seconds from 0 to {COMMAND_SECONDS:.0f}"
        parameters["t"] = round(grace)
    if "signal" in order.args:
        signal = str(order.args["signal"]).upper()
        if not _SIGNAL.fullmatch(signal):
            return "signal is a name such as TERM or a number from 1 to 64"
        parameters["signal"] = signal
    return Request(f"/containers/{order.container}/{order.verb}", parameters)


def outcome(engine: str, order: EngineCommand, error: EngineError) -> OrderResult:
    """The result of an order that failed."""
    code = {404: "unknown-container"}.get(error.status, "refused") if error.status else "timeout"
    if not error.sent:
        code = "unreachable"
    said = str(error) if code != "timeout" else f"{error}; it was sent, whether it took effect is unknown"
    return OrderResult(engine, order.id, False, code, said)


class Orders:
    """Carries out orders for one engine, at most ENGINE_ORDERS at a time."""

    def __init__(self, engine: str, url: str, tls: Tls | None, post: Callable[[OrderResult], None]) -> None:
        self._engine, self._url, self._tls, self._post = engine, url, tls, post
        self._queue = queue.Queue[EngineCommand | None](ENGINE_ORDER_QUEUE)
        self._threads: list[threading.Thread] = []

    def put(self, order: EngineCommand) -> None:
        """Carry it out later; returns at once, an OrderResult is always posted."""
        problem = request(order)
        if isinstance(problem, str):
            self._fail(order, "bad-argument", problem)
            return
        try:
            self._queue.put_nowait(order)
        except queue.Full:
            self._fail(order, "busy", f"{ENGINE_ORDER_QUEUE} orders wait for this engine already")
            return
        if len(self._threads) < ENGINE_ORDERS:
            thread = threading.Thread(target=self._work, name=f"orders {self._engine}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin nothing more; returns at once."""
        while True:
            try:
                order = self._queue.get_nowait()
            except queue.Empty:
                break
            if order is not None:
                self._fail(order, "unreachable", "the hub stops")
        for _ in self._threads:
            self._queue.put_nowait(None)

    def _fail(self, order: EngineCommand, error: str, detail: str) -> None:
        self._post(OrderResult(self._engine, order.id, False, error, detail))

    def _work(self) -> None:
        while (order := self._queue.get()) is not None:
            left = order.deadline - time.time()
            if left <= 0:
                self._fail(order, "expired", "its deadline passed before it was begun")
            else:
                self._carry_out(order, left)

    def _carry_out(self, order: EngineCommand, left: float) -> None:
        ask = request(order)
        assert isinstance(ask, Request)
        try:
            api = Api(self._url, self._tls, pool=1)
            api.negotiate()
        except EngineError as error:
            self._fail(order, "unreachable", str(error))
            return
        try:
            status = api.post(ask.path, ask.parameters, min(left, COMMAND_SECONDS))
            self._post(OrderResult(self._engine, order.id, True, "", _SAME[order.verb] if status == 304 else ""))
        except EngineError as error:
            self._post(outcome(self._engine, order, error))
        finally:
            api.close()
