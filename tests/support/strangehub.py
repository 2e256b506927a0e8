"""A hub that a relay trusts and that says whatever a test wants: one whose key was stolen, or that was taken over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import zmq

from tests.support.ear import Ear
from tests.support.zap import Doorkeeper
from wire import limits
from wire.codec import decode, encode
from wire.frames import split
from wire.keys import JoinString, KeyPair
from wire.messages import Enrol, Enrolled, HubAddress
from wire.relay import ContainerOrder, RelayBeat, Relayed
from wire.sockets import COMMANDS, ENROL, bound_port, serve


class StrangeHub(Ear):
    """Enrols anybody, answers beats; what the relay says is heard, what it is told comes from `send`."""

    def __init__(self) -> None:
        super().__init__()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.doorkeeper = Doorkeeper(self.context)
        for domain in ("enrol", "agents"):
            self.doorkeeper.admit_anybody(domain)
        self.pair = KeyPair.generate()
        self.enrol, self.commands = (serve(self.context, r, "tcp://127.0.0.1:*", self.pair) for r in (ENROL, COMMANDS))
        self.answer: Callable[[RelayBeat], Any] = self.relayed
        self.epoch, self.want = 3, False
        self._envelope: tuple[bytes, ...] = ()
        self._queue: list[bytes] = []
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def relayed(self, beat: RelayBeat) -> Relayed:
        """The usual answer to a beat."""
        return Relayed("vm", "hub-x", self.epoch, 0.2, 0.5, 0.0, self.want, ())

    def join(self) -> JoinString:
        """A join string for it."""
        return JoinString((f"127.0.0.1:{bound_port(self.enrol)}",), self.pair.public, "t1", b"s" * 32)

    def send(self, *orders: ContainerOrder | bytes) -> None:
        """Tell the relay."""
        self._queue += [order if isinstance(order, bytes) else encode(order) for order in orders]

    def stop(self) -> None:
        """End it."""
        self._ending = True
        self._thread.join(10)
        self.doorkeeper.stop()
        self.context.destroy(0)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for one in (self.enrol, self.commands):
            poller.register(one, zmq.POLLIN)
        while not self._ending:
            ready = dict(poller.poll(20))
            if self.enrol in ready:
                envelope, payload = split(self.enrol.recv_multipart())
                self.post(decode(payload, limits.ENROL_BYTES))
                self.enrol.send_multipart([*envelope, encode(self._enrolled())])
            if self.commands in ready:
                self._envelope, payload = split(self.commands.recv_multipart())
                self._heard_from_relay(decode(payload))
            while self._queue and self._envelope:
                if not self._sent(self._queue[0]):
                    self._envelope = ()
                    break
                self._queue.pop(0)

    def _sent(self, payload: bytes) -> bool:
        """False where the relay has left this connection."""
        try:
            self.commands.send_multipart([*self._envelope, payload])
        except zmq.ZMQError:
            return False
        return True

    def _heard_from_relay(self, message: Any) -> None:
        if isinstance(message, RelayBeat) and (answer := self.answer(message)) is not None:
            self._sent(encode(answer))
        self.post(message)

    def _enrolled(self) -> Enrolled:
        ports = [f"127.0.0.1:{bound_port(one)}" for one in (self.commands, self.commands, self.enrol)]
        return Enrolled("relay.vm", (HubAddress(*ports, self.pair.public),), {})


__all__ = ["Enrol", "StrangeHub"]
