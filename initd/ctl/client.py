"""A client of initd's control socket: one connection, strict deadlines, errors that say what to do.

Any script may use it; it needs the standard library only.

    with Client() as client:
        client.ask("restart", names=["web"], wait=10)
        for item in client.stream("events", follow=True): ...
"""

from __future__ import annotations

import os
import sys
import time

from initd import address
from initd.jsontext import dumps, loads
from wire.limits import CONTROL_REPLY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from typing import Any
else:
    import _socket as socket  # without selectors, enum and address families: `status` is asked every few seconds

TIMEOUT = 5.0
"""Seconds for an answer that waits for nothing: PID 1 answers within a turn of its loop."""


class Unreachable(Exception):
    """Nobody answers; the text names each place that was tried, why it failed, and the cure."""


class Refused(Exception):
    """initd refused the request; `code` is one of initd.replies.CODES."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.code = code
        self.message = message
        self.hint = hint


class Client:
    """Connects at once.  `place` is a path or @abstract name; without it the places of initd.address are searched.

    `timeout`: seconds for connecting and for each answer, beyond what a request itself asks to wait.  Raises
    Unreachable.
    """

    def __init__(
        self, place: str | None = None, timeout: float = TIMEOUT, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.timeout = timeout
        self._input = b""
        self._asked = 0
        self.place, self._sock = _connect(place, timeout, environ)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._sock.close()

    def ask(self, verb: str, /, **args: object) -> Any:
        """The result of a request.  Raises Refused, or Unreachable where no answer comes in time."""
        wait = args.get("wait")
        deadline = time.monotonic() + self.timeout + (float(wait) if isinstance(wait, (int, float)) else 0.0)
        id = self._send(verb, args, deadline)
        while True:
            message = self._receive(deadline)
            if message.get("id") in (id, None):
                return _result(message)

    def stream(self, verb: str, /, **args: object) -> Iterator[dict[str, Any]]:
        """Messages {"item": ...} and {"gap": n} until initd ends the stream or goes away.  Raises Refused."""
        id = self._send(verb, args, time.monotonic() + self.timeout)
        while True:
            try:
                message = self._receive(None)
            except Unreachable:
                return
            if message.get("id") not in (id, None):
                continue
            if "ok" in message:
                _result(message)
                return
            yield message

    def wait_for_end(self, seconds: float) -> bool:
        """Wait until initd closes the connection; whether it did within `seconds`."""
        deadline = time.monotonic() + seconds
        try:
            while self._read(deadline):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def _send(self, verb: str, args: Mapping[str, object], deadline: float) -> int:
        self._asked += 1
        line = dumps({"id": self._asked, "verb": verb, "args": args}).encode() + b"\n"
        try:
            self._sock.settimeout(_left(deadline))
            self._sock.sendall(line)
        except BrokenPipeError:
            pass  # it refused us already: the reason can be read
        except OSError as error:
            raise Unreachable(f"initd at {self.place} takes no request: {_why(error)}") from error
        return self._asked

    def _receive(self, deadline: float | None) -> dict[str, Any]:
        try:
            while b"\n" not in self._input:
                if not self._read(deadline):
                    raise Unreachable(f"initd at {self.place} closed the connection without an answer")
        except OSError as error:
            raise Unreachable(f"initd at {self.place} does not answer: {_why(error)}") from error
        line, _, self._input = self._input.partition(b"\n")
        message = loads(line)
        return message if isinstance(message, dict) else {}

    def _read(self, deadline: float | None) -> bool:
        """Read once more; False at the end.  Raises OSError."""
        if len(self._input) > 2 * CONTROL_REPLY_BYTES:
            raise OSError("its answer is too long")
        self._sock.settimeout(None if deadline is None else _left(deadline))
        chunk = self._sock.recv(1 << 16)
        self._input += chunk
        return bool(chunk)


def _result(message: dict[str, Any]) -> Any:
    if message.get("ok"):
        return message.get("result")
    error = message.get("error") or {}
    raise Refused(str(error.get("code")), str(error.get("message")), str(error.get("hint") or ""))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _why(error: OSError) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)


# Finding it


def _connect(place: str | None, timeout: float, environ: Mapping[str, str]) -> tuple[str, socket.socket]:
    deadline, failures = time.monotonic() + timeout, []
    chosen = place or address.named(environ)
    own = (os.geteuid(), _uid_of_pid1(), 0)
    for candidate in (chosen,) if chosen else address.candidates(environ, own):
        try:
            return candidate, _try(candidate, None if chosen else own, deadline)
        except OSError as error:
            failures.append(f"{candidate}: {_why(error)}")
    raise Unreachable(_explain(failures, chosen))


def _try(candidate: str, trusted: tuple[int, ...] | None, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_left(deadline))
        sock.connect(address.wire_form(candidate))
        peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # pid, uid, gid (unix(7))
        uid = int.from_bytes(peer[4:8], sys.byteorder)
        if trusted is not None and uid not in trusted:
            raise PermissionError(1, f"belongs to uid {uid}, who is neither you, root, nor PID 1")
    except OSError:
        sock.close()
        raise
    return sock


def _uid_of_pid1() -> int:
    try:
        return os.stat("/proc/1").st_uid
    except OSError:
        return 0


def _explain(failures: list[str], chosen: str | None) -> str:
    tried = "; ".join(failures)
    if chosen:
        return f"cannot reach initd at {tried}. Is it running, and is that its socket?"
    return (
        f"cannot reach initd; tried {tried}. Is it running in this container? Ask as root or as its own user, "
        "or name its socket with --socket or PIDONE_SOCKET"
    )
