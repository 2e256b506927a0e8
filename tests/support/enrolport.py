"""An enrolment port that answers as the test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initd.link.loop import Loop
from tests.support.zap import Doorkeeper
from wire import limits
from wire.codec import decode, encode
from wire.frames import answer, split
from wire.keys import JoinString, KeyPair
from wire.messages import Enrolled, HubAddress
from wire.sockets import ENROL, bound_port, serve


class EnrolPort:
    """Serves in the test's own loop; `reply(enrol, key)` makes each answer, None for none."""

    def __init__(self, loop: Loop, context: Any, doorkeeper: Doorkeeper) -> None:
        doorkeeper.admit_anybody("enrol")
        self.fleet = KeyPair.generate()
        self.router = serve(context, ENROL, "tcp://127.0.0.1:*", self.fleet)
        self.address = f"127.0.0.1:{bound_port(self.router)}"
        self.hub = HubAddress("127.0.0.1:1", "127.0.0.1:2", self.address, self.fleet.public)
        self.reply: Callable[[Any, str], Any] = lambda enrol, key: Enrolled("a1", (self.hub,), {})
        self.seen: list[tuple[Any, str]] = []
        loop.watch(self.router, self.take)

    def take(self) -> None:
        frames = self.router.recv_multipart(copy=False)
        envelope, payload = split([frame.bytes for frame in frames])
        enrol, key = decode(payload, limits.ENROL_BYTES), str(frames[-1].get("User-Id"))
        self.seen.append((enrol, key))
        if (reply := self.reply(enrol, key)) is not None:
            self.router.send_multipart(answer(envelope, encode(reply)))

    def join(self, *others: str) -> JoinString:
        """A join string for this port, after `others`."""
        return JoinString((*others, self.address), self.fleet.public, "t1", b"s" * 32)
