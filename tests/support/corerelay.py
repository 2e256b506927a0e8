"""A relay as a hub's core sees it, in virtual time: enrolled, beating, and saying whatever a test wants."""

from __future__ import annotations

import struct
from typing import Any

from hub import words
from hub.engines.relayed import told_list
from hub.engines.reports import ContainerRow
from tests.support.corehub import CoreHub
from wire import messages as M
from wire import relay as R
from wire.keys import JoinString, KeyPair
from wire.model import CONTAINER_COLUMNS

VERBS = ("kill", "pause", "restart", "start", "stop", "unpause")


class CoreRelay:
    """One relay of one start; its clock is `behind` the hub's."""

    def __init__(self, hub: CoreHub, join: JoinString | None = None, host: str = "host-1", behind: float = 0.0) -> None:
        self.hub, self.behind, self.boot, self.number = hub, behind, "boot1", 0
        self.join = join or hub.token(kind="relay", cap=2)
        self.pair = KeyPair.generate()
        self.answer = self.enrol(host)
        self.key = getattr(self.answer, "agent", "")
        self.engine = self.key.partition(".")[2]
        self.connect()

    def enrol(self, host: str = "host-1", role: str = "relay", pair: KeyPair | None = None) -> Any:
        """The answer to showing the token with this key."""
        message = M.Enrol(self.join.token, self.join.secret, "", host, "0", role)
        return self.hub.ask("enrol", (pair or self.pair).public, message)

    def connect(self, name: str = "1") -> None:
        """A new connection."""
        self.route = words.Route("agents", (f"{self.key}-{name}".encode(), b""))

    @property
    def now(self) -> float:
        """Its wall clock."""
        return self.hub.now.wall - self.behind

    def say(self, message: Any) -> list[Any]:
        """Sends a message; what came back over its connection."""
        before = len(self.hub.sent)
        self.hub.feed(words.Asked(self.route, self.key, "10.9.9.9", message))
        return [send.message for send in self.hub.sent[before:] if send.route == self.route]

    def beat(self, **changes: Any) -> Any:
        """The answer to a beat."""
        beat = R.RelayBeat(self.boot, "0", "host-1", VERBS, self.now, 0.0, 0, 0)._replace(**changes)
        return next((one for one in self.say(beat) if not isinstance(one, R.ContainerOrder)), None)

    def state(self, up: bool = True, error: str = "") -> None:
        """How its engine is."""
        now = self.now
        self.say(R.RelayState(now, up, error, "26", "1.45", "vm", 2, 2**30, 1, now, "poll", 0, 0, 0.0, "docker"))

    def list(self, *rows: ContainerRow) -> None:
        """Its whole list."""
        self.number += 1
        for part in told_list(self.number, self.now, rows):
            self.say(part)

    def tell(self, *rows: ContainerRow) -> None:
        """A beat, a state and a list."""
        self.beat()
        self.state()
        self.list(*rows)

    def event(self, container: str, action: str, at: float | None = None, **attributes: str) -> None:
        """An event."""
        self.say(R.RelayEvent(self.now if at is None else at, container, action, attributes))

    def sample(self, container: str, value: float = 1.0, at: float | None = None) -> None:
        """A sample with this value in every column."""
        packed = struct.pack(f"<{len(CONTAINER_COLUMNS)}d", *[value] * len(CONTAINER_COLUMNS))
        self.say(R.RelaySamples((R.RelaySample(container, self.now if at is None else at, packed),)))

    def orders(self) -> list[R.ContainerOrder]:
        """Orders sent to it so far."""
        return [one.message for one in self.hub.sent if isinstance(one.message, R.ContainerOrder)]

    def result(self, order: R.ContainerOrder, ok: bool = True, error: str = "", detail: str = "") -> None:
        """It has carried out an order, or not."""
        self.say(R.RelayResult(order.id, ok, error, detail))
