"""What stands between the hub and the engine's socket: a closed list of verbs, and the relay's own list.  Pure.

Theory.  Whoever has the socket of an engine is root on its host, so the relay believes nobody: not a hub whose key was
stolen, nor one that was taken over.  An order is carried out if its verb is one of six and allowed by the relay's own
configuration, its container is written out in full and stands in the relay's own last list, its arguments are the
verb's own, its signal is allowed, its epoch is not below one seen before, it is in time, and its id was never seen.
What it becomes is then one of six fixed requests (hub.engines.orders); nothing of it is passed through.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Set

from hub.engines.reports import ORDERS, EngineCommand, OrderResult
from hub.engines.values import CONTAINER_ID
from wire._record import Record
from wire.limits import COMMAND_SECONDS, RELAY_RESULTS
from wire.relay import ContainerOrder, RelayResult

ALL_VERBS = frozenset(verb.value for verb in ORDERS)
SIGNALS = frozenset(
    ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "ALRM", "TERM")
    + ("CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH")
)
"""Signals that mean something to a program; a number is none of them."""
EPOCH_MAX = 2**53
_ARGUMENTS = {"stop": {"grace"}, "restart": {"grace"}, "kill": {"signal"}}


class Rules(Record):
    """What the relay's own configuration allows."""

    verbs: frozenset[str]
    signals: frozenset[str]


class Guard:
    """Judges orders and remembers those that were given."""

    def __init__(self, rules: Rules, epoch: int = 0) -> None:
        self.rules, self.epoch = rules, epoch
        self.given: OrderedDict[str, RelayResult | None] = OrderedDict()
        """Id -> its result, None while it is at work; the oldest finished are forgotten first."""

    def judge(self, order: ContainerOrder, listed: Set[str], now: float) -> EngineCommand | RelayResult | None:
        """What to do: carry it out, answer this, or (it is at work already) nothing.  `now`: wall clock."""
        if order.id in self.given:
            return self.given[order.id]
        problem = self._problem(order, listed)
        if problem:
            return self.finish(OrderResult("", order.id, False, *problem))
        self.learn(order.epoch)
        self.given[order.id] = None
        deadline = now + min(order.ttl, COMMAND_SECONDS)
        return EngineCommand(order.id, order.verb, order.container, dict(order.args), deadline)

    def learn(self, epoch: int) -> None:
        """A hub told its epoch; beyond EPOCH_MAX it would shut every later hub out."""
        self.epoch = max(self.epoch, epoch) if epoch <= EPOCH_MAX else self.epoch

    def finish(self, result: OrderResult) -> RelayResult:
        """Its result, to be told to the hub."""
        told = RelayResult(result.id, result.ok, result.error[:64], result.detail[:512])
        self.given[result.id] = told
        finished = [key for key, known in self.given.items() if known is not None]
        for key in finished[: max(len(self.given) - RELAY_RESULTS, 0)]:
            del self.given[key]
        return told

    def _problem(self, order: ContainerOrder, listed: Set[str]) -> tuple[str, str] | None:
        """Code and sentence, None where nothing is wrong."""
        if order.epoch < self.epoch:
            return "stale-epoch", f"the hub's epoch {order.epoch} is over; this relay has seen {self.epoch}"
        if order.verb not in ALL_VERBS:
            return "bad-argument", f"{order.verb!r:.40} is no verb for containers"
        if order.verb not in self.rules.verbs:
            return "refused", f"this relay does not allow {order.verb} (verbs= in its [relay])"
        if CONTAINER_ID.fullmatch(order.container) is None:
            return "bad-argument", "a container is named by the 64 hexadecimal digits of its id"
        if order.container not in listed:
            return "unknown-container", "this relay's engine lists no such container"
        if order.ttl <= 0:
            return "expired", "its deadline passed before it was begun"
        if sum(1 for known in self.given.values() if known is None) >= RELAY_RESULTS:
            return "busy", f"{RELAY_RESULTS} orders are at work here already"
        return self._wrong_arguments(order)

    def _wrong_arguments(self, order: ContainerOrder) -> tuple[str, str] | None:
        unknown = sorted(set(order.args) - _ARGUMENTS.get(order.verb, set()))
        if unknown:
            return "bad-argument", f"{order.verb} takes no argument {unknown[0]!r:.40}"
        signal = order.args.get("signal", "KILL")
        if order.verb == "kill" and not self._may_send(signal):
            allowed = " ".join(sorted(self.rules.signals)) or "none"
            return "refused", f"this relay does not send {signal!r:.20}; signals allowed here, by name: {allowed}"
        return None

    def _may_send(self, signal: object) -> bool:
        return isinstance(signal, str) and signal.upper().removeprefix("SIG") in self.rules.signals
