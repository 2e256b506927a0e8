"""The rpc server: a child of PID 1 that speaks supervisor's XML-RPC over HTTP on a socket the file asks for.

Theory.  HTTP, XML and passwords stay out of PID 1, and most containers never see a client.  So PID 1 makes the socket,
its mode and its owner, and looks only whether somebody knocks; the first knock starts the child (initd.compat.rpc),
which accepts on the same socket from then on.  When the child ends, PID 1 looks again.  A name that has to be looked up
is bound by the child, which is then there from the beginning, because PID 1 must not wait for an answer.

The child has one socketpair, over which it asks as any client of the control socket does; it needs no control socket.
Who may pass, passwords included, it is told over that socketpair by the verb `rpc.servers`, so that nothing stands in a
command line or an environment.  A request may name an `actor`; only this carrier is believed, and what it names stands
behind `rpc` in every record.
"""

from __future__ import annotations

import os
from select import EPOLLIN

from initd.companion import Companion
from initd.connection import Connection
from initd.control import OPERATE, Entry
from initd.prefix import command
from initd.replies import Carrier
from initd.rpc.sockets import Taken, is_exposed, is_looked_up, listen
from wire.limits import COMMAND_ID_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
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

KNOCKED = 4
"""Descriptor of the child that listens."""

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before an address that is taken is tried again, the last one for ever."""

HANDED_ON = ("PATH", "TZ")
"""Variables that the child gets: times in `status` are local ones."""


class RpcServer:
    """The servers that the configuration asks for."""

    def __init__(
        self, supervisor: Supervisor, control: Control, listener: Listener, environ: Mapping[str, str]
    ) -> None:
        self.supervisor = supervisor
        self.environ = {name: environ[name] for name in HANDED_ON if name in environ}
        self._control = control
        self._listener = listener
        self._doors: dict[Server, Door] = {}
        control.table["rpc.servers"] = Entry((), self._tell, RPC, "who may pass where, with passwords")

    def adopt(self, servers: tuple[Server, ...]) -> None:
        """Serve these from now on; one that is as it was is not touched."""
        for server in [server for server in self._doors if server not in servers]:
            self._doors.pop(server).close()
        for server in [server for server in servers if server not in self._doors]:
            self._doors[server] = door = Door(self, server)
            door.open()

    def close(self) -> None:
        """End them and take the names of their sockets away."""
        self.adopt(())

    def converse(self, sock: socket.socket) -> Connection:
        """Answer a child."""
        loop: Serving = self.supervisor.loop
        answer = self._listener.answer
        return Connection(loop, sock, lambda request: answer(request, self._carrier(request)), lambda _: None, None)

    def _carrier(self, request: object) -> Carrier:
        actor = request.get("actor") if isinstance(request, dict) else None
        named = isinstance(actor, str) and actor.isprintable() and len(actor) <= COMMAND_ID_CHARS
        may = self._control.may[OPERATE] | {"rpc.servers"}
        return Carrier(f"{RPC} {actor}" if named else RPC, may)

    def _tell(self, control: Control, call: Call) -> object:
        return [server._asdict() for server in self._doors]


class Door:
    """One server section: a socket, and a child from the first client on."""

    def __init__(self, house: RpcServer, server: Server) -> None:
        self._house = house
        self._sup = house.supervisor
        self._server = server
        self._tried = 0
        self._closed = False
        self._socket: socket.socket | None = None
        self._made: tuple[int, int] | None = None
        """Device and inode of our socket file: another of that name is somebody else's."""
        self._connection: Connection | None = None
        self._binds = not is_looked_up(server.address)
        """Whether the socket is made here, and not by the child."""
        words = [server.address, str(KNOCKED)][: 1 + self._binds]
        self._child = Companion(self._sup, [*command(MODULE), *words], house.environ, self._attach, "rpc server")
        self._sup.loop.menders.append(self.mend)

    def open(self) -> None:
        """Listen; what is taken is tried again, what cannot be is said."""
        where = self._server.address
        if self._server.username is None and is_exposed(where):
            self._say("has no password: whoever can reach it controls the programs")
        if self._binds:
            self._try()
        else:
            self._child.start()

    def close(self) -> None:
        """End the child and take the name of the socket away."""
        self._closed = True
        self._sup.loop.menders.remove(self.mend)
        self._child.stop()
        if self._connection is not None:
            self._connection.close()
        if self._socket is not None:
            self._sup.loop.forget(self._socket.fileno())
            self._socket.close()
            self._remove()

    def _try(self) -> None:
        if self._closed:
            return
        try:
            self._socket = listen(self._server.address, self._server.chmod, self._server.chown)
        except Taken as error:
            self._insist(error)
        except OSError as error:
            self._say(f"cannot be served: {error.strerror or error}", "error")
        else:
            self._made = _inode(self._server.address)
            if self._tried:
                self._say("is free now: listening", "info")
            self._child.given, self._child.rest = ((self._socket.fileno(), KNOCKED),), self._look
            self._look()

    def _insist(self, error: OSError) -> None:
        if not self._tried:
            self._say(f"{error.strerror}; it is tried again")
        wait = RETRY_SECONDS[min(self._tried, len(RETRY_SECONDS) - 1)]
        self._tried += 1
        self._sup.loop.at(self._sup.loop.now() + wait, self._try)

    def _look(self) -> None:
        """Wait for the first client."""
        if self._socket is not None and not self._closed and not self._sup.loop.is_watched(self._socket.fileno()):
            self._sup.loop.watch(self._socket.fileno(), EPOLLIN, self._on_knock)

    def mend(self) -> None:
        """After an exception: without a child somebody has to look."""
        if self._child.pid is None:
            self._look()

    def _on_knock(self, mask: int) -> None:
        if self._socket is None:
            return
        self._sup.loop.forget(self._socket.fileno())
        if self._sup.ending is None:
            self._child.start()
        else:  # nothing is started now; after a reload there will be somebody
            self._sup.loop.at(self._sup.loop.now() + RETRY_SECONDS[0], self._look)

    def _attach(self, sock: socket.socket) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._house.converse(sock)

    def _say(self, text: str, level: str = "warn") -> None:
        self._sup.note(f"rpc server: [{self._server.section}] {self._server.address} {text}", level)

    def _remove(self) -> None:
        """Our socket file; whatever else has come to bear its name stays."""
        if self._made is not None and _inode(self._server.address) == self._made:
            try:
                os.unlink(self._server.address)
            except OSError:
                pass


def _inode(path: str) -> tuple[int, int] | None:
    """Of a file; of an address that is none, None."""
    try:
        found = os.lstat(path) if path.startswith("/") else None
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)
