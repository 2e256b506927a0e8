"""Where supervisorctl's methods go: to initd's own control socket, or over HTTP to whatever a URL leads to."""

from __future__ import annotations

import socket
from binascii import b2a_base64
from urllib.parse import quote, urlparse

from initd.compat.rpc_api import call
from initd.compat.rpc_initd import Initd, full_name
from initd.compat.rpc_logs import Log
from initd.compat.rpc_method import After
from initd.compat.rpc_words import Fault
from initd.compat.rpc_xml import dump_call, load_answer
from initd.ctl.client import Client, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from initd.compat.supervisorctl_options import Options

    class Server(Protocol):
        """Who carries out methods."""

        def call(self, method: str, *args: object) -> Any:
            """The result of a method.  Raises Fault, HttpError, OSError."""

        def follow(self, path: str) -> Iterator[bytes]:
            """What a log has and gets, by the path of its page.  Raises HttpError, OSError."""


PIECE = 1 << 16
HEAD = 1 << 16
"""Longest head of an answer."""


class HttpError(Exception):
    """The server answered with this status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


def reach(options: Options) -> Server:
    """The server that the options mean."""
    if options.url_from == "-s":
        return Remote(options.url, options.username, options.password)
    if options.url_from and Remote(options.url, None, None).is_there():
        return Remote(options.url, options.username, options.password)
    try:
        Client(options.socket).close()
    except Unreachable:
        return Remote(options.url, options.username, options.password)
    return Direct(options.socket)


class Direct:
    """initd itself; one connection a call, so that a shell may outlive an initd."""

    def __init__(self, place: str | None) -> None:
        self._place = place

    def call(self, method: str, *args: object) -> Any:
        """See Server."""
        with self._connect() as client:
            result = call(Initd(client), method, args)
            if isinstance(result, After):
                result.act()
                return result.result
            return result

    def follow(self, path: str) -> Iterator[bytes]:
        """See Server."""
        _, _, name = path[1:].partition("/")
        name, _, stream = name.partition("/")
        with self._connect() as client:
            which = self._log(Initd(client), name, stream)
        with self._connect() as client:
            for message in client.stream("log.follow", **which):
                if message.get("item"):
                    yield message["item"].encode("latin-1")

    def _log(self, initd: Initd, name: str, stream: str) -> dict[str, object]:
        try:
            full = full_name(initd.find(name)) if name else None
        except Fault:
            raise HttpError(404, "Not Found") from None
        if not Log(initd, full, stream or "stdout").exists():
            raise HttpError(404, "Not Found")
        return {} if full is None else {"name": full, "stream": stream}

    def _connect(self) -> Client:
        try:
            return Client(self._place)
        except Unreachable as error:
            raise OSError(str(error)) from error


class Remote:
    """A server that speaks supervisor's XML-RPC over HTTP."""

    def __init__(self, url: str, username: str | None, password: str | None) -> None:
        self.url = url
        self._credentials = None if username is None or password is None else f"{username}:{password}"

    def is_there(self) -> bool:
        """Whether somebody accepts connections."""
        try:
            self._connect().close()
        except OSError:
            return False
        return True

    def call(self, method: str, *args: object) -> Any:
        """See Server."""
        body = dump_call(method, args)
        head = f"POST /RPC2 HTTP/1.1\r\n{self._headers()}Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        with self._connect() as sock:
            sock.sendall(head.encode() + body)
            return load_answer(b"".join(_answer(sock)))

    def follow(self, path: str) -> Iterator[bytes]:
        """See Server."""
        with self._connect() as sock:
            sock.sendall(f"GET {quote(path)} HTTP/1.1\r\n{self._headers()}\r\n".encode())
            yield from _answer(sock)

    def _headers(self) -> str:
        told = "Host: localhost\r\nAccept: */*\r\nConnection: close\r\n"
        if self._credentials is None:
            return told
        coded = b2a_base64(self._credentials.encode(), newline=False).decode("ascii")
        return f"{told}Authorization: Basic {coded}\r\n"

    def _connect(self) -> socket.socket:
        parts = urlparse(self.url)
        if parts.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(self.url[7:])
            except OSError:
                sock.close()
                raise
            return sock
        if parts.scheme != "http":
            raise ValueError(f"Unknown protocol for serverurl {self.url}")
        return socket.create_connection((parts.hostname or "localhost", parts.port or 80))


def _answer(sock: socket.socket) -> Iterator[bytes]:
    """The pieces of an answer's body, as they come.  Raises HttpError, OSError."""
    stream = sock.makefile("rb")
    words = stream.readline(HEAD).decode("latin-1").split(None, 2)
    if len(words) < 2 or not words[1].isdecimal():
        raise OSError("this is no HTTP server")
    headers = {}
    while line := stream.readline(HEAD).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if int(words[1]) != 200:
        raise HttpError(int(words[1]), words[2].strip() if len(words) > 2 else "")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        yield from _chunks(stream)
    elif "content-length" in headers:
        yield stream.read(int(headers["content-length"]))
    else:
        while piece := stream.read1(PIECE):
            yield piece


def _chunks(stream: Any) -> Iterator[bytes]:
    while True:
        line = stream.readline(HEAD)
        size = int(line.split(b";")[0].strip() or b"0", 16) if line else 0
        if not size:
            return
        yield stream.read(size)
        stream.readline(HEAD)
