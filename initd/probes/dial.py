"""Looks at a port: a TCP or unix connection, perhaps an HTTP request on it; never waits.

Addresses are literal (initd.config.probe), so nothing here resolves a name.  A look is over with its first answer; the
connection is closed at once, whatever the other side does.
"""

from __future__ import annotations

import errno
import os
import select

from initd.probes.http import LEAST, MOST, request, status
from initd.sockets import socket
from wire.limits import PROBE_ANSWER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.probe import Probe
    from initd.loop import Loop

UNDER_WAY = (0, errno.EINPROGRESS)


class Dial:
    """One look; `tell(why)` is called once, with "" for success, perhaps before the constructor returns."""

    def __init__(self, loop: Loop, probe: Probe, tell: Callable[[str], object]) -> None:
        self._loop = loop
        self._probe = probe
        self._tell: Callable[[str], object] | None = tell
        self._answer = b""
        self._on_event: Callable[[], object] = self._connected
        self._socket: socket.socket | None = None
        try:
            self._dial()
        except OSError as error:
            self._settle(error.strerror or str(error))

    @property
    def gone(self) -> bool:
        """Whether nothing of it is left."""
        return self._socket is None

    def cancel(self) -> None:
        """End it without an answer."""
        self._tell = None
        self._close()

    def _dial(self) -> None:
        probe = self._probe
        family = socket.AF_INET6 if ":" in probe.host else socket.AF_INET if probe.host else socket.AF_UNIX
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        error = self._socket.connect_ex((probe.host, probe.port) if probe.host else probe.path)
        if error not in UNDER_WAY:
            raise OSError(error, os.strerror(error))
        self._loop.watch(self._socket.fileno(), select.EPOLLOUT, self._ready)

    def _ready(self, mask: int) -> None:
        try:
            self._on_event()
        except OSError as error:
            self._settle(error.strerror or str(error))
        except ValueError as fault:
            self._settle(str(fault))

    def _connected(self) -> None:
        assert self._socket is not None, "only an open connection is watched"
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        if self._probe.kind != "http":
            self._settle("")
            return
        message = request(self._probe.target, self._host())
        if self._socket.send(message) < len(message):
            raise OSError(errno.EIO, "the request was not taken")
        self._on_event = self._answered
        self._loop.modify(self._socket.fileno(), select.EPOLLIN)

    def _host(self) -> str:
        probe = self._probe
        if not probe.host:
            return "localhost"
        host = f"[{probe.host}]" if ":" in probe.host else probe.host
        return host if probe.port == 80 else f"{host}:{probe.port}"

    def _answered(self) -> None:
        assert self._socket is not None, "only an open connection is watched"
        try:
            chunk = self._socket.recv(PROBE_ANSWER_BYTES)
        except BlockingIOError:
            return
        self._answer += chunk
        code = status(self._answer, whole=not chunk or len(self._answer) >= PROBE_ANSWER_BYTES)
        if code is not None:
            self._settle("" if LEAST <= code <= MOST else f"HTTP status {code}")

    def _settle(self, why: str) -> None:
        self._close()
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(why)

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
