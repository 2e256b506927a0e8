"""One client of the control API: request lines in, reply lines out, nothing unbounded, nobody waited for.

Theory.  Lines are read into a bounded buffer and answered in order, except for those that wait (Later) and streams.
While more than CONTROL_REPLY_BYTES wait to be sent, no further request is read, so a client that asks and never reads
costs that much and one more reply.  Items of a stream beyond STREAM_BYTES are left out; the client is told {"gap": n}
as soon as it reads on; it may end a stream and keep the connection.  A client that takes nothing of a reply for
`patience` seconds is dropped.  After end of file (`nc -N`, a script's pipe) what was asked is still answered; a hang-up
ends everything.
"""

from __future__ import annotations

import select

from initd.jsontext import dumps, loads
from initd.native import deque
from initd.replies import ControlError, Later, Reply, Rows, Stream
from wire.limits import CONTROL_ASKED, CONTROL_REPLY_BYTES, CONTROL_REQUEST_BYTES, STREAM_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any, Protocol

    from initd.replies import Answer, Scalar

    class Timer(Protocol):
        """What `at` gives."""

        def cancel(self) -> object: ...

    class Serving(Protocol):
        """What is needed of initd.loop.Loop."""

        menders: list[Callable[[], object]]

        def now(self) -> float: ...
        def watch(self, fd: int, mask: int, callback: Callable[[int], object]) -> None: ...
        def modify(self, fd: int, mask: int) -> None: ...
        def forget(self, fd: int) -> None: ...
        def is_watched(self, fd: int) -> bool: ...
        def at(self, deadline: float, callback: Callable[[], object]) -> Timer: ...


READ_BYTES = 64 * 1024

END = "end"
"""The one verb that is the connection's own: {"verb": "end", "args": {"id": 3}} ends the stream that was asked as 3."""


def encode(message: dict[str, object]) -> bytes:
    """One line.  Raises ValueError or TypeError for what is not JSON."""
    result = message.get("result")
    if not isinstance(result, Rows):
        return dumps(message).encode("ascii") + b"\n"
    around = dumps({**message, "result": 0})
    return f"{around.removesuffix('0}')}{result.json}}}\n".encode("ascii")


def decode(line: bytes) -> object:
    """The value of a line.  Raises ControlError."""
    try:
        return loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError("bad-argument", f"the line is no JSON: {str(error)[:100]}") from None


def _is_end(request: object) -> bool:
    return isinstance(request, dict) and request.get("verb") == END and not isinstance(request.get("id"), (dict, list))


class _Feed:
    """A stream that is being sent."""

    def __init__(self, id: Scalar) -> None:
        self.id = id
        self.gap = 0
        self.end: Callable[[], None] = lambda: None


class Connection:
    """See the module's docstring.  `handle` answers a request; `closed(self)` is called once, at the end."""

    def __init__(
        self,
        loop: Serving,
        sock: socket.socket,
        handle: Callable[[object], Answer],
        closed: Callable[[Connection], object],
        patience: float | None,
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._fd = sock.fileno()
        self._handle = handle
        self._closed = closed
        self._patience = patience
        self._input = bytearray()
        self._output: deque[bytes] = deque()
        self._queued = 0
        self._asked = 0
        """Laters not answered yet."""
        self._feeds: list[_Feed] = []
        self._mask = select.EPOLLIN
        self._ended = False
        """The client will send nothing more."""
        self._timer: Timer | None = None
        sock.setblocking(False)
        loop.watch(self._fd, self._mask, self._on_ready)

    @property
    def is_open(self) -> bool:
        """Whether it can still be talked to."""
        return self._fd >= 0

    def close(self) -> None:
        """End it now."""
        if self._fd < 0:
            return
        self._loop.forget(self._fd)
        self._fd = -1
        self._sock.close()
        self._set_timer(None)
        feeds, self._feeds = self._feeds, []
        for feed in feeds:
            feed.end()
        self._closed(self)

    def refuse(self, error: ControlError) -> None:
        """Say why nothing will be answered, and close when that is said."""
        self._ended = True
        self._input.clear()
        self._send(Reply(None, error=error))
        self._settle()

    # Events

    def _on_ready(self, mask: int) -> None:
        if mask & select.EPOLLOUT:
            self._flush()
        if self._fd >= 0 and mask & select.EPOLLIN:
            self._receive()
        if self._fd >= 0 and mask & (select.EPOLLHUP | select.EPOLLERR) and not mask & select.EPOLLIN:
            self.close()
        self._settle()

    def _receive(self) -> None:
        try:
            chunk = self._sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not chunk:
            self._ended = True
            if self._input:
                chunk = b"\n"  # a last line without its end is a line all the same
        self._input += chunk

    def _settle(self) -> None:
        """Answer what can be answered now, then set what to wait for."""
        while self._fd >= 0 and self._queued <= CONTROL_REPLY_BYTES and self._asked < CONTROL_ASKED:
            end = self._input.find(b"\n")
            if end < 0:
                break
            line = bytes(self._input[:end])
            del self._input[: end + 1]
            self._answer(line)
        if self._fd >= 0 and len(self._input) > CONTROL_REQUEST_BYTES and b"\n" not in self._input and not self._ended:
            self.refuse(ControlError("too-large", f"a request line has at most {CONTROL_REQUEST_BYTES} bytes"))
        elif self._fd >= 0:
            self._rest()

    def _rest(self) -> None:
        if self._ended and not (self._input or self._output or self._asked or self._feeds):
            self.close()
            return
        reads = not self._ended and len(self._input) <= CONTROL_REQUEST_BYTES
        mask = (select.EPOLLIN if reads else 0) | (select.EPOLLOUT if self._output else 0)
        if mask != self._mask:
            self._mask = mask
            self._loop.modify(self._fd, mask)

    # Answers

    def _answer(self, line: bytes) -> None:
        if not line.strip():
            return
        if len(line) > CONTROL_REQUEST_BYTES:
            self.refuse(ControlError("too-large", f"a request line has at most {CONTROL_REQUEST_BYTES} bytes"))
            return
        try:
            request = decode(line)
            answer = self._end(request) if _is_end(request) else self._handle(request)
        except ControlError as error:
            answer = Reply(None, error=error)
        if isinstance(answer, Reply):
            self._send(answer)
        elif isinstance(answer, Later):
            self._asked += 1
            answer.then(self._on_settled)
        else:
            self._stream(answer)

    def _on_settled(self, reply: Reply) -> None:
        self._asked -= 1
        if self._fd >= 0:
            self._send(reply)
            self._settle()

    def _send(self, reply: Reply) -> None:
        line = encode(reply.message())
        if len(line) > CONTROL_REPLY_BYTES:
            error = ControlError("too-large", "the reply would be too long", "ask for fewer names or a lower limit")
            line = encode(Reply(reply.id, error=error).message())
        self._put(line)

    def _stream(self, stream: Stream) -> None:
        if len(self._feeds) >= CONTROL_ASKED:
            self._send(Reply(stream.id, error=ControlError("busy", "too many streams on this connection")))
            return
        feed = _Feed(stream.id)
        self._feeds.append(feed)
        for item in stream.items:
            self._push(feed, item)
        feed.end = stream.attach(lambda item: self._push(feed, item))
        if self._fd < 0:  # it broke off while the first items were sent
            feed.end()

    def _end(self, request: Any) -> Reply:
        """Stop the streams of the id that the request names; no item of theirs comes after this reply."""
        args = request.get("args")
        id = args.get("id") if isinstance(args, dict) else None
        ended = [feed for feed in self._feeds if feed.id == id]
        for feed in ended:
            self._feeds.remove(feed)
            feed.end()
        return Reply(request.get("id"), {"ended": len(ended)})

    def _push(self, feed: _Feed, item: object) -> None:
        if self._fd < 0:
            return
        if self._queued > STREAM_BYTES:
            feed.gap += 1
            return
        self._tell_gap(feed)
        self._put(encode({"id": feed.id, "item": item}))
        self._rest()

    def _tell_gap(self, feed: _Feed) -> None:
        if feed.gap:
            gap, feed.gap = feed.gap, 0
            self._put(encode({"id": feed.id, "gap": gap}))

    # Output

    def _put(self, line: bytes) -> None:
        if self._fd < 0:
            return
        idle = not self._output
        self._output.append(line)
        self._queued += len(line)
        if idle:
            self._flush()

    def _flush(self) -> None:
        before = self._queued
        try:
            while self._output:
                self._advance(self._sock.send(self._output[0]))
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.close()
            return
        if not self._output:
            self._set_timer(None)
            for feed in self._feeds:
                self._tell_gap(feed)
        elif self._queued < before or self._timer is None:
            # A follower may pause for as long as it likes: what waits for it is bounded, and it is told of gaps.
            self._set_timer(None if self._feeds else self._patience)

    def _advance(self, sent: int) -> None:
        line = self._output.popleft()
        self._queued -= sent
        if sent < len(line):
            self._output.appendleft(line[sent:])

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.at(self._loop.now() + seconds, self.close)
