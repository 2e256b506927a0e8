"""A WSGI application that counts its visits in redis; it speaks the protocol itself, so that it needs no package."""

import json
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

REDIS = ("127.0.0.1", 6379)


def count() -> int:
    """Visits so far.  Raises OSError where redis is away."""
    with socket.create_connection(REDIS, timeout=2) as connection:
        connection.sendall(b"INCR visits\r\n")
        return int(connection.makefile("rb").readline().lstrip(b":"))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """GET / answers {"visits": N, "pid": N}; 503 while redis is away."""
    try:
        status, answer = "200 OK", {"visits": count(), "pid": os.getpid()}
    except (OSError, ValueError) as error:
        status, answer = "503 Service Unavailable", {"error": str(error)}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode() + b"\n"]
