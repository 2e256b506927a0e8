"""The rpc server: threads that accept and serve, and what they share.

Theory.  One thread accepts for each socket, one serves each connection, one reads what PID 1 answers.  At most
RPC_CLIENTS connections: one more closes the one that has been idle for longest, and where none is idle the newcomer
waits a moment, and is then told to come again.  Nothing is kept between requests, so this process may die and be
started again at any moment.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from initd.compat.rpc_auth import CHALLENGE, allows
from initd.compat.rpc_http import REASONS, BadRequest, Connection
from initd.compat.rpc_pages import respond
from initd.compat.rpc_sockets import Taken, listen, peer_of
from initd.ctl.client import Unreachable
from wire.limits import RPC_CLIENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.compat.rpc_wire import Wire

    Server = dict[str, Any]

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before an address that is taken is tried again, the last one for ever."""

PLACE_SECONDS = 3.0
"""How long a newcomer waits for a place: who followed a log and left is noticed within a second."""

STACK_BYTES = 256 * 1024
"""Of a thread: ours do not nest deeply, and 64 of them shall not cost 512 MiB of address space."""


def say(text: str) -> None:
    """One line for people, on the container's stderr."""
    sys.stderr.write(f"initd: rpc server: {text}\n")


class Clients:
    """The connections there are."""

    def __init__(self, most: int = RPC_CLIENTS) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._open: set[Connection] = set()
        self._queue = 0

    def admit(self, connection: Connection) -> bool:
        """Take it in, perhaps after a moment; False where everybody stays busy, or too many wait already."""
        with self._changed:
            if self._queue >= self._most:
                return False
            self._queue += 1
            admitted = self._changed.wait_for(self._has_room, PLACE_SECONDS)
            self._queue -= 1
            if admitted:
                self._open.add(connection)
            return admitted

    def _has_room(self) -> bool:
        return len(self._open) < self._most or self._make_room()

    def _make_room(self) -> bool:
        idle = [one for one in self._open if one.idle_since is not None]
        if not idle:
            return False
        oldest = min(idle, key=lambda one: one.idle_since or 0.0)
        self._open.discard(oldest)
        try:
            oldest.sock.shutdown(socket.SHUT_RDWR)  # wakes its thread
        except OSError:
            pass
        return True

    def leave(self, connection: Connection) -> None:
        """It is over."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()
        connection.sock.close()


class Door:
    """One server section: where it listens, and who may pass."""

    def __init__(self, server: Server, wire: Wire, clients: Clients, opened: Callable[[], object]) -> None:
        self._server = server
        self._wire = wire
        self._clients = clients
        self._opened = opened

    def open(self) -> socket.socket | None:
        """Listen; None where somebody else does, which is said once.  Raises OSError."""
        where = self._server["address"]
        if self._server["username"] is None and is_exposed(self._server):
            say(f"[{self._server['section']}] {where} has no password: whoever can reach it controls the programs")
        try:
            return listen(self._server)
        except Taken as error:
            say(f"[{self._server['section']}] {where}: {error.strerror}; it is tried again")
            return None

    def give_up(self, error: OSError) -> None:
        """It cannot be served at all; the others can."""
        say(f"[{self._server['section']}] cannot listen on {self._server['address']}: {error.strerror or error}")
        self._opened()

    def serve(self, sock: socket.socket | None) -> None:
        """Accept for ever; where the address was taken, first wait until it is free."""
        sock = sock or self._insist()
        self._opened()
        while True:
            try:
                peer, _ = sock.accept()
            except OSError as error:  # out of descriptors or memory: they come back
                say(f"cannot accept: {error.strerror}")
                time.sleep(RETRY_SECONDS[0])
                continue
            _thread(self._admit, peer)

    def _insist(self) -> socket.socket:
        tried = 0
        while True:
            time.sleep(RETRY_SECONDS[min(tried, len(RETRY_SECONDS) - 1)])
            tried += 1
            try:
                sock = listen(self._server)
            except OSError:
                continue
            say(f"[{self._server['section']}] {self._server['address']} is free now: listening")
            return sock

    def _admit(self, peer: socket.socket) -> None:
        connection = Connection(peer, peer_of(peer))
        if self._clients.admit(connection):
            self._converse(connection)
            self._clients.leave(connection)
        else:
            _refuse(connection, 503)
            peer.close()

    def _converse(self, connection: Connection) -> None:
        """Answer one request after the other."""
        try:
            while self._answer_next(connection):
                pass
        except BadRequest as error:
            _refuse(connection, error.status)
        except OSError:
            pass  # the client is gone
        except Unreachable as error:
            say(str(error))
            _refuse(connection, 500)
        except Exception as error:  # a bug of ours costs one connection
            say(f"{type(error).__name__}: {error}")
            _refuse(connection, 500)

    def _answer_next(self, connection: Connection) -> bool:
        request = connection.next()
        if request is None:
            return False
        username = self._server["username"]
        if not allows(username, self._server["password"], request.headers):
            connection.answer(401, b"401 Unauthorized\n", False, more=CHALLENGE)
            return False
        who = f"{username}@{connection.peer}" if username else connection.peer
        return respond(connection, request, self._wire.actor(who))


def _refuse(connection: Connection, status: int) -> None:
    try:
        connection.answer(status, f"{status} {REASONS[status]}\n".encode("ascii"), False)
    except OSError:
        pass


def _thread(work: Any, *args: object) -> None:
    threading.Thread(target=work, args=args, daemon=True).start()


def begin(servers: list[Server], wire: Wire, settled: Callable[[], object]) -> None:
    """Open what can be opened now; what is taken is opened later by its own thread.

    `settled()` is called once all are open: root may be needed until then.
    """
    threading.stack_size(STACK_BYTES)
    clients, missing = Clients(), Countdown(settled)
    doors = [Door(server, wire, clients, missing.done) for server in servers]
    missing.start(len(doors))
    for door in doors:
        try:
            sock = door.open()
        except OSError as error:
            door.give_up(error)
        else:
            _thread(door.serve, sock)


class Countdown:
    """Calls `settled` when so many things are done."""

    def __init__(self, settled: Callable[[], object]) -> None:
        self._settled = settled
        self._lock = threading.Lock()
        self._left = 0

    def start(self, count: int) -> None:
        """So many are to come."""
        self._left = count

    def done(self) -> None:
        """One of them is done."""
        with self._lock:
            self._left -= 1
            if not self._left:
                self._settled()


def is_exposed(server: Server) -> bool:
    """Whether other machines can reach it."""
    host = server["address"].rpartition(":")[0]
    return not server["address"].startswith("/") and host not in ("localhost", "127.0.0.1")
