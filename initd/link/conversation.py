"""The sockets to one hub, and the session that tells what to say on them.

Theory.  Three connections, all dialled out: REQ carries what must arrive (wire.session decides what and when), DEALER
is the route on which the hub's commands come, XPUB carries samples and live events to whoever subscribed.  REQ and
DEALER queue nothing while there is no connection: a send that fails is told to the session, which offers it again when
the socket becomes writable.  A hub that refuses our key in the handshake says so by a monitor event and nothing else.
DEALER and XPUB follow once the hub has taken our registration: where a whole fleet comes at once, its hub has a third
of the handshakes to make before all are registered, and who goes on to another hub has not had it make three in vain.
A connection that lost a packet stands still for a second or three, in bad air; so while a heartbeat stays without an
answer, the next one is accompanied by a Hello on the command route, which is a connection of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import zmq

from initd.link.loop import Loop
from wire.codec import encode
from wire.frames import EVENT, SAMPLE, split
from wire.frames import FrameError as BadFrames
from wire.keys import KeyPair
from wire.messages import Event, Heartbeat, Hello, HubAddress, Message, Sample
from wire.session import AgentSession, Fetch, News, Now, Phase, Send
from wire.sockets import COMMAND_ROUTE, PUBLISH, REQUESTS, Context, Socket, dial

DRAIN = 100
"""Messages taken from one socket in a turn."""

EVENTS = int(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_CONNECTED)

UNKNOWN_KEY = 400
"""ZAP's status for a key that is not known (RFC 27)."""


class Ears(NamedTuple):
    """Who is told what."""

    news: Callable[[News], object]
    command: Callable[[bytes], object]
    fetch: Callable[[int, int], object]
    refused: Callable[[], object]
    """The hub does not know our key."""
    reached: Callable[[], object]
    """The hub's machine took our connection."""


class Conversation:
    """With one hub, from `open` to `close`."""

    def __init__(self, loop: Loop, context: Context, session: AgentSession, ears: Ears) -> None:
        self._loop, self._context, self.session, self._ears = loop, context, session, ears
        self._request: Socket | None = None
        self._commands: Socket | None = None
        self._publish: Socket | None = None
        self._monitor: Socket | None = None
        self._timer: Any = None
        self._topics: set[bytes] = set()
        self._place: tuple[HubAddress, KeyPair, float] | None = None

    def open(self, hub: HubAddress, pair: KeyPair, first: float) -> None:
        """Connect; `first`: shortest pause between tries, seconds.  Raises zmq.ZMQError."""
        self.close()
        self._place = (hub, pair, first)
        self._request = self._dial(REQUESTS, hub.command)
        self._monitor = self._request.get_monitor_socket(EVENTS)
        self._loop.watch(self._request, self._hear_answer)
        self._loop.watch(self._monitor, self._hear_events)
        self.go_on()

    def _open_rest(self, hub: HubAddress) -> None:
        """We are registered: have commands come, and samples go."""
        if self._commands is None:
            self._commands = self._dial(COMMAND_ROUTE, hub.command)
            self._publish = self._dial(PUBLISH, hub.samples)
            self._loop.watch(self._commands, self._hear_commands)
            self._loop.watch(self._publish, self._hear_subscriptions)

    def _dial(self, role: Any, address: str) -> Socket:
        assert self._place is not None
        hub, pair, first = self._place
        return dial(self._context, role, address, pair, hub.key, self.session.period, first)

    def close(self) -> None:
        """Drop the connections; what was not sent is lost."""
        if self._timer is not None:
            self._timer.cancel()
        if self._request is not None:
            self._request.disable_monitor()
        for socket in (self._request, self._commands, self._publish, self._monitor):
            if socket is not None:
                self._loop.forget(socket)
                socket.close(0)
        self._request = self._commands = self._publish = self._monitor = None
        self._topics.clear()

    def take_over(self, other: Conversation) -> None:
        """Go on with the connections of another, which has none then, in place of ours."""
        self.close()
        self._place, self._request, self._monitor = other._place, other._request, other._monitor
        self._commands, self._publish, self._topics = other._commands, other._publish, other._topics
        other._request = other._monitor = other._commands = other._publish = None
        other._topics = set()
        other.close()
        calls = {self._request: self._hear_answer, self._monitor: self._hear_events,
                 self._commands: self._hear_commands, self._publish: self._hear_subscriptions}  # fmt: skip
        for socket, call in calls.items():
            if socket is not None:
                self._loop.watch(socket, call)
        if self._commands is not None:
            self.hello()

    @property
    def place(self) -> HubAddress | None:
        """The hub that was dialled last."""
        return self._place[0] if self._place is not None else None

    @property
    def is_open(self) -> bool:
        """Whether there are connections, or tries to connect."""
        return self._request is not None

    def now(self) -> Now:
        """Both clocks."""
        return Now(self._loop.now(), time.time())

    # Requests.

    def go_on(self) -> None:
        """Do what the session wants next; call it after anything that may have changed its mind."""
        if self._request is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        order = self.session.next(self.now())
        while isinstance(order, Fetch):
            self._ears.fetch(order.after, order.most)
            order = self.session.next(self.now())
        if isinstance(order, Send):
            self._say(order.message)
            until = self.session.asked.until if self.session.asked else self._loop.now() + self.session.period
        else:
            until = order.until
        self._timer = self._loop.at(until, self.go_on)

    def _say(self, message: Message) -> None:
        assert self._request is not None
        try:
            self._request.send(encode(message), zmq.NOBLOCK)
            self._loop.watch(self._request, self._hear_answer)
        except zmq.Again:
            self.session.unsent(self.now())
            self._loop.watch(self._request, self._connected, writable=True)
        if self.session.silent and isinstance(message, Heartbeat):
            self.hello()

    def _connected(self) -> None:
        """The request socket has a connection (again)."""
        if self._request is not None:
            self._loop.watch(self._request, self._hear_answer)
            self.go_on()

    def _hear_answer(self) -> None:
        for _ in range(DRAIN):
            if self._request is None:
                return
            try:
                data = self._request.recv(zmq.NOBLOCK)
            except zmq.ZMQError as error:
                if error.errno not in (zmq.EAGAIN, zmq.EFSM):  # EFSM: nothing is asked now
                    raise
                return
            news = self.session.received(data, self.now())
            if news.registered is not None and self._place is not None:
                self._open_rest(self._place[0])
            if news.hello:
                self.hello()
            self._ears.news(news)
            self.go_on()

    def _hear_events(self) -> None:
        assert self._monitor is not None
        event = self._monitor.recv_multipart()[0]  # its number, 16 bits, and its value, 32 (zmq_socket_monitor(3))
        if int.from_bytes(event[:2], sys.byteorder) == zmq.EVENT_CONNECTED:
            self._ears.reached()
        elif int.from_bytes(event[2:6], sys.byteorder) == UNKNOWN_KEY:
            self._ears.refused()

    # The command route.

    def hello(self) -> None:
        """Open the command route, as soon as there is a connection."""
        if not self.report(encode(Hello(self.session.who.boot))) and self._commands is not None:
            self._loop.watch(self._commands, self._greet, writable=True)

    def _greet(self) -> None:
        if self._commands is not None:
            self._loop.watch(self._commands, self._hear_commands)
            self.hello()
            self._hear_commands()

    def report(self, data: bytes) -> bool:
        """Send on the command route; False where there is no connection."""
        if self._commands is None:
            return False
        try:
            self._commands.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _hear_commands(self) -> None:
        for _ in range(DRAIN):
            if self._commands is None:
                return
            try:
                frames = self._commands.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._ears.command(split(frames)[1])
            except BadFrames:
                continue

    # Publications.

    def publish(self, message: Sample | Event) -> bool:
        """Send a sample or live event if the hub subscribed to it; may be lost.  Whether it was sent."""
        topic = SAMPLE if isinstance(message, Sample) else EVENT
        if self._publish is None or not any(topic.startswith(wanted) for wanted in self._topics):
            return False
        try:
            self._publish.send_multipart([topic, encode(message)], zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _hear_subscriptions(self) -> None:
        for _ in range(DRAIN):
            if self._publish is None:
                return
            try:
                frame = self._publish.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if frame[:1] == b"\1":
                self._topics.add(frame[1:])
            elif frame[:1] == b"\0":
                self._topics.discard(frame[1:])

    @property
    def left(self) -> bool:
        """Whether the goodbye was answered, or there is nobody to say it to."""
        return self.session.phase is Phase.LEFT
