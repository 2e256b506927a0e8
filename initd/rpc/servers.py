"""The rpc server: a child of PID 1 that speaks supervisor's XML-RPC over HTTP on the sockets the file asks for.

Theory.  HTTP, XML and passwords stay out of PID 1.  The child (initd.compat.rpc) has one socketpair, over which it asks
as any client of the control socket does; it needs no control socket.  What it has to serve, passwords included, it is
told over that socketpair by the verb `rpc.servers`, so that nothing stands in a command line or an environment.  It
binds as PID 1's user and then gives up root, so removing its socket files at the end is left to PID 1.

A request may name an `actor`; only this carrier is believed, and what it names stands behind `rpc` in every record.
Another configuration with other servers ends the child and starts a new one.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from initd.companion import Companion
from initd.connection import Connection
from initd.control import OPERATE, Entry
from initd.prefix import command
from initd.replies import Carrier
from wire.limits import COMMAND_ID_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.records import Server
    from initd.connection import Serving
    from initd.control import Control
    from initd.listener import Listener
    from initd.replies import Call
    from initd.supervisor import Supervisor

MODULE = "initd.compat.rpc"
RPC = "rpc"
"""The role of the socketpair's other end, and its name in records."""

LEAVE_SECONDS = 1.0
"""Until a child that was killed has let go of its sockets."""

HANDED_ON = ("PATH", "TZ")
"""Variables that the child gets: times in `status` are local ones."""


class RpcServer:
    """The child, if the configuration asks for one."""

    def __init__(
        self, supervisor: Supervisor, control: Control, listener: Listener, environ: Mapping[str, str]
    ) -> None:
        self._sup = supervisor
        self._control = control
        self._listener = listener
        self._environ = {name: environ[name] for name in HANDED_ON if name in environ}
        self._servers: tuple[Server, ...] = ()
        self._connection: Connection | None = None
        self.child: Companion | None = None
        control.table["rpc.servers"] = Entry((), self._tell, RPC, "what to listen on, with passwords")

    def adopt(self, servers: tuple[Server, ...]) -> None:
        """Serve these from now on."""
        if servers == self._servers:
            return
        before = unix_paths(self._servers)
        self.close()
        self._servers = servers
        gone = [path for path in before if path not in unix_paths(servers)]
        self._sup.loop.at(self._sup.loop.now() + LEAVE_SECONDS, lambda: remove_dead(*gone))
        if servers:
            self.child = Companion(self._sup, command(MODULE), self._environ, self._attach, "rpc server")
            self.child.start()

    def close(self) -> None:
        """End the child and take the names of its sockets away."""
        if self.child is not None:
            self.child.stop()
            self.child = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        remove_dead(*unix_paths(self._servers))

    def _attach(self, sock: socket.socket) -> None:
        if self._connection is not None:
            self._connection.close()
        loop: Serving = self._sup.loop
        answer = self._listener.answer
        self._connection = Connection(
            loop, sock, lambda request: answer(request, self._carrier(request)), lambda _: None, None
        )

    def _carrier(self, request: object) -> Carrier:
        actor = request.get("actor") if isinstance(request, dict) else None
        named = isinstance(actor, str) and actor.isprintable() and len(actor) <= COMMAND_ID_CHARS
        may = self._control.may[OPERATE] | {"rpc.servers"}
        return Carrier(f"{RPC} {actor}" if named else RPC, may)

    def _tell(self, control: Control, call: Call) -> object:
        return [server._asdict() for server in self._servers]


def unix_paths(servers: tuple[Server, ...]) -> list[str]:
    """The socket files among the addresses."""
    return [server.address for server in servers if server.address.startswith("/")]


def remove_dead(*paths: str) -> None:
    """Remove socket files that nobody listens on any more; anything else stays."""
    for path in paths:
        try:
            if _is_dead(path):
                os.unlink(path)
        except OSError:
            pass


def _is_dead(path: str) -> bool:
    """Whether it is a socket that refuses connections.  Raises OSError."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as probe:
        return probe.connect_ex(path) == errno.ECONNREFUSED
