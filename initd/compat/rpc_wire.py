"""The rpc server's end of the socketpair: requests of many threads over one connection to PID 1.

Theory.  Any thread may send a line; one thread reads, and hands each answer to who waits for its id.  PID 1 reads on
only while fewer than CONTROL_ASKED requests of a connection wait or stream; each client has one under way at a time,
and there are fewer clients than that (RPC_CLIENTS), so quick requests are never held up by those that wait.

A stream is a queue of bounded length; whose reader lags loses items.  When PID 1 closes its end there is nothing left
to serve: `closed` is called once.
"""

from __future__ import annotations

import json
import threading
from collections import deque

from initd.ctl.client import Refused, Unreachable
from wire.limits import CONTROL_REPLY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any

ANSWER_SECONDS = 30.0
"""For an answer that waits for nothing: PID 1 answers within a turn of its loop."""

QUEUE = 256
"""Items of a stream that may wait for their reader."""

PATIENCE = 1.0
"""How often a stream without items looks whether its reader is still there."""


class _Waiting:
    """Who waits for an answer, or reads a stream."""

    def __init__(self) -> None:
        self.items: deque[dict[str, Any]] = deque(maxlen=QUEUE)
        self.here = threading.Condition()

    def put(self, message: dict[str, Any]) -> None:
        with self.here:
            self.items.append(message)
            self.here.notify_all()

    def take(self, seconds: float | None) -> dict[str, Any] | None:
        """The next message, None where none comes in time."""
        with self.here:
            self.here.wait_for(lambda: self.items, seconds)
            return self.items.popleft() if self.items else None


class Wire:
    """See the module's docstring."""

    def __init__(self, sock: socket.socket, closed: Callable[[], object]) -> None:
        self._sock = sock
        self._closed = closed
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._asked = 0

    def serve(self) -> None:
        """Read answers until PID 1 is gone; the reading thread's work."""
        buffer = b""
        while len(buffer) <= 2 * CONTROL_REPLY_BYTES:
            try:
                chunk = self._sock.recv(1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                break
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                self._dispatch(json.loads(line))
        self._closed()

    def _dispatch(self, message: dict[str, Any]) -> None:
        waiting = self._waiting.get(message.get("id", 0))
        if waiting is not None:
            waiting.put(message)

    def actor(self, name: str) -> Speaker:
        """Who asks, for the records of PID 1."""
        return Speaker(self, name)

    def ask(self, verb: str, args: dict[str, object], actor: str) -> Any:
        """The result of a request.  Raises Refused, Unreachable."""
        wait = args.get("wait")
        seconds = float(wait) if isinstance(wait, (int, float)) else 0.0
        id, waiting = self._send(verb, args, actor)
        try:
            message = waiting.take(seconds + ANSWER_SECONDS)
        finally:
            del self._waiting[id]
        if message is None:
            raise Unreachable("initd does not answer")
        return _result(message)

    def stream(self, verb: str, args: dict[str, object], actor: str) -> Iterator[dict[str, Any]]:
        """Messages of a stream, and {} now and then while there are none.  Raises Refused."""
        id, waiting = self._send(verb, args, actor)
        try:
            while True:
                message = waiting.take(PATIENCE)
                if message is not None and "ok" in message:
                    _result(message)
                    return
                yield message or {}
        finally:
            del self._waiting[id]
            self.ask("end", {"id": id}, actor)

    def _send(self, verb: str, args: dict[str, object], actor: str) -> tuple[int, _Waiting]:
        waiting = _Waiting()
        with self._lock:
            self._asked += 1
            id = self._asked
            self._waiting[id] = waiting
            request = {"id": id, "verb": verb, "args": args, "actor": actor}
            try:
                self._sock.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                del self._waiting[id]
                raise Unreachable(f"initd takes no request: {error.strerror}") from error
        return id, waiting


class Speaker:
    """One client's way to ask."""

    def __init__(self, wire: Wire, actor: str) -> None:
        self._wire = wire
        self._actor = actor

    def ask(self, verb: str, /, **args: object) -> Any:
        """See Wire.ask."""
        return self._wire.ask(verb, args, self._actor)

    def stream(self, verb: str, /, **args: object) -> Iterator[dict[str, Any]]:
        """See Wire.stream."""
        return self._wire.stream(verb, args, self._actor)


def _result(message: dict[str, Any]) -> Any:
    if message.get("ok"):
        return message.get("result")
    error = message.get("error") or {}
    raise Refused(str(error.get("code")), str(error.get("message")), str(error.get("hint") or ""))
