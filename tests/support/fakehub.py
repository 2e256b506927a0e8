"""The client port and the feed of a hub, answering from a table of functions: for tests of clients."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import zmq

from tests.support.zap import Doorkeeper
from wire import limits
from wire.codec import decode, encode
from wire.frames import answer, split
from wire.keys import ClientKey, KeyPair
from wire.messages import Answer, Feed, Query, Refused
from wire.sockets import CLIENT, FEED, bound_port, serve

Operation = Callable[[dict[str, Any]], Any]


class FakeHub:
    """Serves 7404 and 7405 on ephemeral ports of 127.0.0.1 in a thread until `stop`."""

    def __init__(self, context: Any, doorkeeper: Doorkeeper, **operations: Operation) -> None:
        self.pair, client = KeyPair.generate(), KeyPair.generate()
        doorkeeper.admit("clients", client.public, "alice")
        self.router = serve(context, CLIENT, "tcp://127.0.0.1:*", self.pair)
        self.xpub = serve(context, FEED, "tcp://127.0.0.1:*", self.pair)
        addresses = [f"127.0.0.1:{bound_port(socket)}" for socket in (self.router, self.xpub)]
        self.key = ClientKey("alice", "operator", *addresses, self.pair.public, client.public, client.secret)
        self.operations, self.items, self.ending = operations, [], False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.ending = True
        self.thread.join(5)
        self.router.close(0)
        self.xpub.close(0)

    def serve(self) -> None:
        while not self.ending:
            if self.router.poll(20):
                envelope, payload = split(self.router.recv_multipart())
                self.reply(envelope, decode(payload))
            if self.items and self.xpub.poll(0):
                self.xpub.recv()
                for item in self.items:
                    self.xpub.send_multipart([item.topic.encode(), encode(item)])

    def reply(self, envelope: Any, query: Any) -> None:
        assert isinstance(query, Query)
        if (operation := self.operations.get(query.op)) is None:
            reply: Any = Refused(query.id, "unknown-op", f"no operation {query.op}", "see `hubctl --help`")
        else:
            reply = Answer(query.id, operation(query.args))
        if reply.id:
            self.router.send_multipart(answer(envelope, encode(reply, limits.ANSWER_BYTES)), zmq.NOBLOCK)

    def publish(self, *topics: str) -> None:
        """Items sent as soon as somebody subscribes."""
        self.items = [Feed(topic, 1.0, seq, {"n": seq}) for seq, topic in enumerate(topics)]
