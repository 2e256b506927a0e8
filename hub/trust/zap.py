"""The gate: answers libzmq's question whether a CURVE key may come in (ZAP, ZeroMQ RFC 27), in a thread of its own.

Theory.  libzmq asks one REP socket at inproc://zeromq.zap.01 per context, for every handshake.  Three traps decide the
design.  A server with a ZAP domain but no handler lets *everyone* in, so the gate is opened before any socket is bound
and sockets set ZAP_ENFORCE_DOMAIN.  A handler that does not answer leaves handshakes hanging, so every question gets an
answer, whatever happens while it is decided.  And the answer carries a User-Id, which libzmq attaches to every message
of that connection: that, and never the routing id a peer may choose, is who a peer is.

Questions about agents are answered in turn (hub.trust.turnstile): where a whole fleet comes, its members wait at this
side of the door.  A refusal needs no turn, nor do people.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Mapping

import zmq
from zmq.utils import z85

from hub.trust.turnstile import Turnstile
from wire.sockets import HANDSHAKE_MS

ADDRESS = "inproc://zeromq.zap.01"
CONTROL = "inproc://pidone.zap.control"
QUEUED = b"agents"
"""The domain whose members come in in turn."""
PAUSE_MS = 5
"""Between two looks at the turnstile while somebody waits."""

Decision = Callable[[str, str], str | None]
"""(domain, public key in z85) -> User-Id, or None to refuse.  Called on the gate's thread; it must not block."""


class Admissions:
    """Who may come in at which door; the loop swaps the table as a whole, so a decision never sees half a change."""

    def __init__(self) -> None:
        self.table: Mapping[tuple[str, str], str] = {}
        self.closed: frozenset[str] = frozenset()
        """Domains that take nobody new, because file descriptors are short."""
        self.silenced: Container[str] = ()
        """Subjects that are refused for now: they sent more than the hub could take."""
        self.resting: Container[str] = ()
        """Domains that take nobody new for now, because somebody came there who sent too much and is not known."""
        self.fresh: Mapping[str, str] = {}
        """Keys whose first use is to be told to `used`, on the gate's thread."""
        self.used: Callable[[str], object] = lambda public: None
        self.turnstile = Turnstile()
        """How fast they come."""

    def __call__(self, domain: str, public: str) -> str | None:
        """The subject of a known key of this domain."""
        subject = None if domain in self.closed else self.table.get((domain, public))
        if subject in self.silenced or domain in self.resting:
            return None
        if subject is not None and public in self.fresh:
            self.used(public)
        return subject


class Gate:
    """The ZAP thread of one ZeroMQ context."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], decide: Decision, turnstile: Turnstile | None = None
    ) -> None:
        self._context = context
        self._decide, self._turnstile = decide, turnstile
        self._waiting = deque[tuple[float, list[bytes]]]()
        """Answers that wait for their turn, each with when it was asked for, monotonic seconds."""
        self._thread: threading.Thread | None = None
        self._control: zmq.Socket[bytes] | None = None
        self.refused = 0
        """Handshakes refused since the start."""

    def open(self) -> None:
        """Binds, then starts the thread: when this returns, no bind after it can be unguarded."""
        socket = self._context.socket(zmq.ROUTER)  # a REP could not answer one while another waits
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind(ADDRESS)
        stop = self._context.socket(zmq.PAIR)
        stop.bind(CONTROL)
        self._control = self._context.socket(zmq.PAIR)
        self._control.connect(CONTROL)
        self._thread = threading.Thread(target=self._serve, args=(socket, stop), name="zap", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs; the loop's watchdog ends the hub if it does not."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stops the thread; handshakes after it are refused (ZAP_ENFORCE_DOMAIN)."""
        if self._control is not None and self._thread is not None:
            self._control.send(b"")
            self._thread.join(5.0)
            self._control.close(0)

    def _serve(self, socket: zmq.Socket[bytes], stop: zmq.Socket[bytes]) -> None:
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        poller.register(stop, zmq.POLLIN)
        while stop not in (ready := dict(poller.poll(PAUSE_MS if self._waiting else None))):
            if socket in ready:
                self._take(socket, socket.recv_multipart())
            while self._waiting and self._turn(time.monotonic()):
                socket.send_multipart(self._waiting.popleft()[1])
        socket.close(0)
        stop.close(0)

    def _take(self, socket: zmq.Socket[bytes], asked: list[bytes]) -> None:
        """Answers at once, or puts the answer into the queue."""
        envelope, request = asked[:2], asked[2:]
        answer, known = self._answer(request)
        if known and self._turnstile is not None and request[2] == QUEUED:
            self._waiting.append((time.monotonic(), [*envelope, *answer]))
        else:
            socket.send_multipart([*envelope, *answer])

    def _turn(self, now: float) -> bool:
        """Whether the first of the queue may be answered; who was given up meanwhile takes nobody's turn."""
        assert self._turnstile is not None
        return now > self._waiting[0][0] + HANDSHAKE_MS / 1000 or self._turnstile.turn(now)

    def _answer(self, request: list[bytes]) -> tuple[list[bytes], bool]:
        """The answer, and whether it lets somebody in."""
        number = request[1] if len(request) > 1 else b""
        try:
            subject = self._judge(request)
        except Exception:
            return _reply(number, b"500", b"the gate failed", b""), False
        if subject is None:
            self.refused += 1
            return _reply(number, b"400", b"key not known here", b""), False
        return _reply(number, b"200", b"", subject.encode()), True

    def _judge(self, request: list[bytes]) -> str | None:
        version, _, domain, _, _, mechanism, *credentials = request
        if version != b"1.0" or mechanism != b"CURVE" or len(credentials) != 1 or len(credentials[0]) != 32:
            return None
        return self._decide(domain.decode("ascii"), z85.encode(credentials[0]).decode("ascii"))


def _reply(number: bytes, status: bytes, text: bytes, subject: bytes) -> list[bytes]:
    return [b"1.0", number, status, text, subject, b""]
