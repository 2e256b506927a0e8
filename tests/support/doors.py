"""A hub's ports for agents that a test serves by hand: what arrived, and whether anybody is answered."""

from __future__ import annotations

import time
from typing import Any

from tests.support.zap import Doorkeeper
from wire.codec import decode, encode
from wire.frames import answer, split
from wire.keys import KeyPair
from wire.messages import Ack, Beat, Heartbeat, Hello, HubAddress, Message, Register, Registered
from wire.sockets import COMMANDS, SAMPLES, bound_port, serve

PERIOD = 0.3


class Door:
    """Answers registrations and heartbeats when `serve` is called; `shut` it answers nobody, `blind` it sends away."""

    def __init__(self, context: Any, keeper: Doorkeeper) -> None:
        pair = KeyPair.generate()
        self.commands, self.samples = (serve(context, role, "tcp://127.0.0.1:*", pair) for role in (COMMANDS, SAMPLES))
        ports = [f"127.0.0.1:{bound_port(socket)}" for socket in (self.commands, self.samples)]
        self.address = HubAddress(*ports, ports[0], pair.public)
        self.hubs: tuple[HubAddress, ...] = ()
        self.shut = self.blind = False
        self.heard: list[Message] = []

    def count(self, kind: type) -> int:
        """Messages of a kind that arrived."""
        return sum(isinstance(message, kind) for message in self.heard)

    def serve(self) -> bool:
        """All that waits."""
        while self.commands.poll(0):
            envelope, payload = split(self.commands.recv_multipart())
            self.heard.append(decode(payload))
            if not self.shut and not isinstance(self.heard[-1], Hello):
                self.commands.send_multipart(answer(envelope, encode(self._answer(self.heard[-1]))))
        return True

    def _answer(self, said: Message) -> Message:
        beat = Beat(0, time.time(), False, False, False, 1, self.hubs, period=PERIOD, elsewhere=self.blind)
        if isinstance(said, Register) and not self.blind:
            return Registered("a1", "hub", 1, PERIOD, 60.0, 0, time.time(), True, (), self.hubs)
        return beat._replace(register=self.blind) if isinstance(said, (Register, Heartbeat)) else Ack(0)

    def close(self) -> None:
        """Give the ports back."""
        self.commands.close(0)
        self.samples.close(0)
