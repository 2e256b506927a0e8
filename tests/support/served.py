"""A small world behind a real control socket, and clients whose waiting turns its loop."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from initd.listener import Listener
from tests.support.estate import at_the_end
from tests.support.smallworld import SmallWorld


class Served:
    """A small world behind a real socket."""

    def __init__(self, directory: Path) -> None:
        self.world = SmallWorld().run_all()
        self.loop = self.world.loop
        self.said: list[str] = []
        self.listener = Listener(self.loop, self.world.control, self.world.remote, self.said.append)
        self.path = str(directory / "control.sock")
        self.listener.open(self.path, None)
        at_the_end(self.listener.close)

    def connect(self) -> Peer:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        return Peer(self, sock)

    def link(self) -> Peer:
        ours, theirs = socket.socketpair()
        self.listener.adopt(ours)
        return Peer(self, theirs)


class Peer:
    """The other side of a connection; the loop turns while it waits."""

    def __init__(self, served: Served, sock: socket.socket) -> None:
        self.loop = served.loop
        self.sock = sock
        self.sock.setblocking(False)
        self.input = b""
        at_the_end(sock.close)

    def send(self, text: bytes) -> None:
        while text:
            try:
                text = text[self.sock.send(text) :]
            except BlockingIOError:
                assert self.loop.turn(5), "the server does not read on"

    def ask(self, verb: str, id: object = 1, /, **args: object) -> None:
        self.send(json.dumps({"id": id, "verb": verb, "args": args}).encode() + b"\n")

    def line(self) -> dict[str, object]:
        while b"\n" not in self.input:
            self.loop.turn_until(self._receive)
        line, _, self.input = self.input.partition(b"\n")
        return json.loads(line)

    def result(self, verb: str, /, **args: object) -> object:
        self.ask(verb, **args)
        return self.line()["result"]

    def code(self) -> str:
        return self.line()["error"]["code"]

    def is_closed(self) -> bool:
        self.loop.settle()
        try:
            return self.sock.recv(1 << 20) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def _receive(self) -> bool:
        try:
            chunk = self.sock.recv(1 << 20)
        except BlockingIOError:
            return False
        assert chunk, "closed by the server"
        self.input += chunk
        return True
