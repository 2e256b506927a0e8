"""stdout_syslog=true: one datagram a line to the syslog daemon behind /dev/log, as the original writes them.

Theory.  supervisord (loggers.py, SyslogHandler) leaves it to syslog(3), so a message is `<14>Nov  3 22:13:20
supervisord: NAME LINE`: RFC 3164, facility user, severity info, the time in the container's zone.  In a container the
daemon is often one of the programs, so that its socket appears after others began to speak, and disappears when it is
restarted: who wants to write asks `is_there` first, which looks again, at most once in SINK_RETRY_SECONDS.  Meanwhile
lines go to the container's stream (Channel.spare), unless the program's output goes there anyway.

Nothing waits: a datagram that the daemon's queue has no room for is lost and counted.
"""

from __future__ import annotations

import os
import time

from initd.logs.lines import unfinished
from initd.logs.sink import Losses, Origin
from initd.sockets import socket
from wire.limits import SINK_RETRY_SECONDS, SYSLOG_LINE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACE = "/dev/log"
PRIORITY = b"<14>"
"""LOG_USER | LOG_INFO."""
IDENT = b"supervisord"
"""The program's name in each message: filters of syslog daemons know the original's."""
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  as a person reads it
"""Months in RFC 3164, whatever the locale."""


class SyslogSink:
    """Sends the lines of one program."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        wall: Callable[[], float],
        say: Callable[[str], None],
        place: str = "",
    ) -> None:
        self.path = place or PLACE
        self.losses = Losses("syslog")
        self._name = name.encode("utf-8", "surrogateescape")
        self._clock = clock
        self._wall = wall
        self._say = say
        self._socket: socket.socket | None = None
        self._retry_at: float | None = None

    def is_there(self) -> bool:
        """Whether there is a daemon to send to."""
        return self._socket is not None or self._connect()

    def write(self, text: bytes, origin: Origin) -> None:
        """Send each line; never waits, never raises OSError."""
        head = PRIORITY + stamp(self._wall()) + b" " + IDENT + b": " + self._name + b" "
        for line in lines(text):
            self._send(head + line, origin)

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> bool:
        if self._retry_at is not None and self._clock() < self._retry_at:
            return False
        self._retry_at = self._clock() + SINK_RETRY_SECONDS
        try:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        except OSError:
            return False
        try:
            fresh.connect(self.path)
        except OSError:
            fresh.close()
            return False
        self._socket = fresh
        return True

    def _send(self, message: bytes, origin: Origin) -> None:
        if self._socket is None:
            self.losses.add(origin, len(message), self.losses.why)
            return
        try:
            self._socket.send(message)
        except BlockingIOError:
            self.losses.add(origin, len(message), "it did not keep up")
        except OSError as error:
            self.losses.add(origin, len(message), os.strerror(error.errno or 0))
            self.close()
        else:
            if self.losses:
                self._say(self.losses.settle())


def stamp(at: float) -> bytes:
    """The time as RFC 3164 has it: `Nov  3 22:13:20`."""
    moment = time.localtime(at)
    return f"{MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2d} {time.strftime('%H:%M:%S', moment)}".encode("ascii")


def lines(text: bytes) -> Iterator[bytes]:
    """The lines of a text, in parts of at most SYSLOG_LINE_BYTES; NUL, which would end a message, is spelt out."""
    for line in text.replace(b"\0", b"\\x00").rstrip(b"\n").split(b"\n"):
        while len(line) > SYSLOG_LINE_BYTES:
            stop = SYSLOG_LINE_BYTES - unfinished(line[:SYSLOG_LINE_BYTES])
            yield line[:stop]
            line = line[stop:]
        yield line
