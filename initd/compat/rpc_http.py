"""As much of HTTP/1.1 as supervisor's clients speak: requests in, answers out, everything bounded.

Theory.  A connection is served by one thread.  Between requests it may be idle for ever (listeners ask once an hour);
from the first byte of a request on, all of it must be there within RPC_SECONDS, and what is answered must be taken
within as long.  Lengths are checked before anything is read; a body needs a Content-Length (supervisor answers 411
too).  What a client sends wrong costs it the connection.
"""

from __future__ import annotations

import time

from wire._record import Record
from wire.limits import RPC_BODY_BYTES, RPC_HEAD_BYTES, RPC_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    408: "Request Timeout",
    411: "Length Required",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
PLAIN = "text/plain; charset=utf-8"
HEADERS = 64
"""Most header lines of a request; browsers send 15."""


class BadRequest(Exception):
    """The request cannot be answered but with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status} {REASONS[status]}")
        self.status = status


class Request(Record):
    """One request."""

    method: str
    path: str
    version: str
    """`1.0` or `1.1`."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def keeps(self) -> bool:
        """Whether the client wants to go on with the connection."""
        wish = self.headers.get("connection", "").lower()
        return wish == "keep-alive" if self.version == "1.0" else wish != "close"


class Connection:
    """One client."""

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.sock = sock
        self.peer = peer
        """Who it is, for records."""
        self.idle_since: float | None = time.monotonic()
        """Monotonic time since when no request is under way; None while one is."""
        self._input = b""

    def next(self) -> Request | None:
        """The next request; None at the end.  Raises BadRequest."""
        self.idle_since = time.monotonic()
        self._input = self._input.lstrip(b"\r\n")
        while not self._input:
            if not self._read(None):
                return None
            self._input = self._input.lstrip(b"\r\n")
        self.idle_since = None
        deadline = time.monotonic() + RPC_SECONDS
        request = parse_head(self._head(deadline))
        return request._replace(body=self._body(request, deadline))

    def _head(self, deadline: float) -> bytes:
        while b"\r\n\r\n" not in self._input:
            if len(self._input) > RPC_HEAD_BYTES:
                raise BadRequest(413)
            self._must_read(deadline)
        head, _, self._input = self._input.partition(b"\r\n\r\n")
        if len(head) > RPC_HEAD_BYTES:
            raise BadRequest(413)
        return head

    def _body(self, request: Request, deadline: float) -> bytes:
        if request.method not in ("POST", "PUT"):
            return b""
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > 12:
            raise BadRequest(411 if not length else 400)
        if int(length) > RPC_BODY_BYTES:
            raise BadRequest(413)
        while len(self._input) < int(length):
            self._must_read(deadline)
        body, self._input = self._input[: int(length)], self._input[int(length) :]
        return body

    def _must_read(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not self._read(left):
            raise BadRequest(408)

    def _read(self, seconds: float | None) -> bool:
        """Read once; False at the end, or when the time is over."""
        try:
            self.sock.settimeout(seconds)
            chunk = self.sock.recv(1 << 16)
        except OSError:
            return False
        self._input += chunk
        return bool(chunk)

    def send(self, data: bytes) -> None:
        """Send all of it within RPC_SECONDS.  Raises OSError."""
        self.sock.settimeout(RPC_SECONDS)
        self.sock.sendall(data)

    def answer(
        self, status: int, body: bytes, keep: bool, kind: str = "text/plain; charset=utf-8", more: str = ""
    ) -> None:
        """A whole answer.  Raises OSError."""
        head = head_of(status, f"Content-Length: {len(body)}\r\nContent-Type: {kind}\r\n{more}", keep)
        self.send(head + body)

    def has_left(self) -> bool:
        """Whether the client has closed its end; asked while something is sent to it piece by piece."""
        try:
            self.sock.settimeout(0)
            chunk = self.sock.recv(1 << 10)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not chunk


def parse_head(head: bytes) -> Request:
    """A request without its body.  Raises BadRequest."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or len(lines) > HEADERS:
        raise BadRequest(400)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or name.lower() in headers:
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    return Request(words[0], words[1], words[2][5:], headers)


def head_of(status: int, headers: str, keep: bool) -> bytes:
    """Status line and headers; `headers` ends with a line end."""
    told = "" if keep else "Connection: close\r\n"
    return f"HTTP/1.1 {status} {REASONS[status]}\r\nServer: initd\r\n{headers}{told}\r\n".encode("latin-1")


def chunk_of(data: bytes) -> bytes:
    """One piece of a chunked answer."""
    return f"{len(data):x}\r\n".encode("ascii") + data + b"\r\n"


def unquote(path: str) -> str:
    """The path with %41 as A (RFC 3986, 2.1), UTF-8; what is no two hexadecimal digits stays."""
    first, *parts = path.encode("latin-1", "replace").split(b"%")
    found = [first]
    for part in parts:
        digits = part[:2]
        coded = len(digits) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in digits)
        found.append(bytes([int(digits, 16)]) + part[2:] if coded else b"%" + part)
    return b"".join(found).decode("utf-8", "replace")
