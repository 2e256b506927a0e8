"""One POST over HTTP or HTTPS with one deadline for everything; says whether to try again.

Redirects are not followed: a notice goes where the file says, and so does its token.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from hub.alerts.formats import Request
from hub.alerts.rules import Sink, address
from wire._record import Record

__all__ = ["Outcome", "post"]

SECRET_BYTES = 4096
"""Longest token or address in a file."""
ANSWER_BYTES = 2048
"""What is read of an answer: enough to say what was wrong."""
AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that ask for patience."""


class Outcome(Record):
    """What became of one try."""

    ok: bool
    again: bool
    """Whether another try may help."""
    detail: str
    """One sentence; never a secret."""


def post(sink: Sink, request: Request) -> Outcome:
    """Sends it, within the sink's timeout; never raises."""
    try:
        url, token = _secret(sink.url_file) if sink.url_file else sink.url, _secret(sink.token_file)
        address(url)
    except (OSError, ValueError) as error:
        where = getattr(error, "filename", None)
        why = f"{where}: {error.strerror}" if where and isinstance(error, OSError) else _no_secret(error)
        return Outcome(False, True, why)
    headers = {**request.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        return _sent(sink, url, request, headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(False, True, _why(error))


def _no_secret(error: Exception) -> str:
    return "what url_file or token_file holds is no address or token" if isinstance(error, ValueError) else str(error)


def _secret(path: str) -> str:
    if not path:
        return ""
    text = Path(path).read_bytes()[: SECRET_BYTES + 1].decode("ascii").strip()
    if not text or len(text) > SECRET_BYTES or not text.isprintable():
        raise ValueError("no secret")
    return text


def _sent(sink: Sink, url: str, request: Request, headers: dict[str, str]) -> Outcome:
    parts, connection = urlsplit(url), _connection(sink, url)
    over = threading.Event()
    late = threading.Timer(sink.timeout, _cut, (connection, over))
    late.daemon = True
    late.start()
    try:
        path = (parts.path.rstrip("/") + request.path) or "/"
        connection.request("POST", path + (f"?{parts.query}" if parts.query else ""), request.body, headers)
        answer = connection.getresponse()
        status, text = answer.status, answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        late.cancel()
        connection.close()
    return _outcome(status, text)


def _cut(connection: http.client.HTTPConnection, over: threading.Event) -> None:
    """The end of the time; the socket's own time-out would let a peer drip for ever."""
    over.set()
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _outcome(status: int, text: bytes) -> Outcome:
    ok = 200 <= status < 300
    said = "" if ok else ": " + "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace"))[:160]
    return Outcome(ok, not ok and (status >= 500 or status in AGAIN), f"HTTP {status}{said.rstrip()}")


def _connection(sink: Sink, url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=sink.timeout)
    context = ssl.create_default_context(cafile=sink.ca or None)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=sink.timeout, context=context)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: its certificate is not accepted: {error.verify_message} (ca=?)"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in str(text))[:200]
