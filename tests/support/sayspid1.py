"""PID 1's end of link's socket pair, answering from a table of functions in the test's own thread or a loop."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

from initd.link.loop import Loop
from initd.link.pid1 import Pid1

Operation = Callable[[dict[str, Any]], Any]


class Refusal(Exception):
    """Raised by an operation: answered as an error with this code."""


class SaysPid1:
    """`asked` holds every request in order; `later` those whose operation answered LATER."""

    LATER = object()

    def __init__(self, **operations: Operation) -> None:
        self.end, theirs = socket.socketpair()
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)  # large answers fit before link reads
        self.end.setblocking(False)
        self.link = Pid1(theirs)
        self.theirs = theirs
        self.operations: dict[str, Operation] = {"command": lambda args: self.LATER, **operations}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.later: list[int] = []
        self._unread = b""

    def serve(self, loop: Loop) -> None:
        """Answer in this loop."""
        loop.watch(self.end, self.answer)
        loop.watch(self.theirs, self.link.pump)

    def answer(self) -> None:
        """Answer what has come in."""
        try:
            self._unread += self.end.recv(1 << 20)
        except BlockingIOError:
            return
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            request = json.loads(line)
            self.asked.append((request["verb"], request["args"]))
            self._reply(request)

    def _reply(self, request: dict[str, Any]) -> None:
        operation = self.operations.get(request["verb"], lambda args: {})
        try:
            result = operation(request["args"])
        except Refusal as refusal:
            error = {"code": str(refusal), "message": "no", "hint": ""}
            self.tell({"id": request["id"], "ok": False, "error": error})
            return
        if result is self.LATER:
            self.later.append(request["id"])
        else:
            self.tell({"id": request["id"], "ok": True, "result": result})

    def settle(self, result: Any) -> None:
        """Answer the oldest of those that wait."""
        self.tell({"id": self.later.pop(0), "ok": True, "result": result})

    def tell(self, message: dict[str, Any]) -> None:
        """Send one line."""
        self.end.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        self.end.close()
        self.theirs.close()
