"""PID 1's control API over the socket pair it gave us (fd 3): JSON lines, many requests at a time, answers by id.

PID 1 is the only peer here and is trusted; its end closing means that it is gone, and link ends with it.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from initd.jsontext import dumps, loads
from initd.sockets import socket
from wire import limits

Row = dict[str, Any]


class Pid1Gone(Exception):
    """PID 1 closed its end."""


class Answer(NamedTuple):
    """What PID 1 answered: `result`, or an `error` with code, message and hint."""

    result: Any
    error: dict[str, str] | None


Then = Callable[[Answer], object]


class Pid1:
    """Asks PID 1; `pump` has to be called whenever the socket is readable, or writable while `pending` is true."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._unread, self._unsent = b"", b""
        self._number = 0
        self._then: dict[int, Then] = {}
        self._items: dict[int, Callable[[Row], object]] = {}

    def fileno(self) -> int:
        """For pollers."""
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        """Whether requests wait for PID 1 to read."""
        return bool(self._unsent)

    def ask(self, verb: str, args: Row, then: Then, item: Callable[[Row], object] | None = None) -> int:
        """Send a request; `then` gets the answer, `item` each item of a stream.  Raises TypeError, ValueError for data
        that is no JSON, Pid1Gone."""
        line = dumps({"id": self._number + 1, "verb": verb, "args": args}).encode() + b"\n"
        if len(line) > limits.CONTROL_REQUEST_BYTES:
            raise ValueError(f"a request of {len(line)} bytes")
        self._number += 1
        self._then[self._number] = then
        if item is not None:
            self._items[self._number] = item
        self._unsent += line
        self._write()
        return self._number

    def forget(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        if number in self._then:
            self._then[number] = lambda answer: None

    def call(self, verb: str, args: Row, seconds: float = 10.0) -> Any:
        """Ask and wait: for the start, before anything else is served.  Raises TimeoutError, RuntimeError, Pid1Gone."""
        answers: list[Answer] = []
        self.ask(verb, args, answers.append)
        deadline = time.monotonic() + seconds
        ready = select.poll()  # select(2) knows no descriptor from 1024 on
        while not answers:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"PID 1 did not answer {verb} within {seconds:g} s")
            ready.register(self._socket, select.POLLIN | (select.POLLOUT if self.pending else 0))
            ready.poll(left * 1000)
            self.pump()
        if answers[0].error is not None:
            raise RuntimeError(f"PID 1 refused {verb}: {answers[0].error.get('message')}")
        return answers[0].result

    def pump(self) -> None:
        """Send what waits and take what came.  Raises Pid1Gone."""
        self._write()
        for _ in range(64):
            try:
                chunk = self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError as error:
                raise Pid1Gone(str(error)) from None
            if not chunk:
                raise Pid1Gone("end of file")
            self._unread += chunk
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            message: Any = loads(line)
            self._take(message)

    def _write(self) -> None:
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return
            except OSError as error:
                raise Pid1Gone(str(error)) from None
            self._unsent = self._unsent[sent:]

    def _take(self, message: Row) -> None:
        number = message.get("id")
        if "item" in message:
            if (item := self._items.get(number)) is not None:  # type: ignore[arg-type]
                item(message["item"])
            return
        self._items.pop(number, None)  # type: ignore[arg-type]
        then = self._then.pop(number, None)  # type: ignore[arg-type]
        if then is not None:
            then(Answer(message.get("result"), None if message.get("ok") else message.get("error") or {}))
