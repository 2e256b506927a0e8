"""The rpc server: threads that serve, and what they share.

Theory.  One thread accepts, one serves each connection, one reads what PID 1 answers.  At most RPC_CLIENTS
connections: one more closes the one that has been idle for longest, and where none is idle the newcomer waits a moment,
and is then told to come again.  Nothing is kept between requests, so this process may die and be started again at any
moment; its clients knock at a socket that is PID 1's.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

from initd.compat.rpc_auth import CHALLENGE, allows
from initd.compat.rpc_http import REASONS, BadRequest, Connection
from initd.compat.rpc_pages import respond
from initd.ctl.client import Unreachable
from wire.limits import RPC_CLIENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.compat.rpc_wire import Wire

    Server = dict[str, Any]

PAUSE_SECONDS = 1.0
"""After accepting has failed for want of descriptors or memory."""

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
    """One server section: who comes in there, and who may pass."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._server = server
        self._wire = wire
        self._clients = Clients()

    def serve(self, sock: socket.socket) -> None:
        """Accept for ever."""
        threading.stack_size(STACK_BYTES)
        while True:
            try:
                peer, _ = sock.accept()
            except OSError as error:  # out of descriptors or memory: they come back
                say(f"cannot accept: {error.strerror}")
                time.sleep(PAUSE_SECONDS)
                continue
            threading.Thread(target=self._admit, args=(peer,), daemon=True).start()

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


def peer_of(sock: socket.socket) -> str:
    """Who connected, for records: `uid=0` or `10.0.0.7:41234`."""
    if sock.family == socket.AF_UNIX:
        uid = struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        return f"uid={uid}"
    host, port = sock.getpeername()[:2]
    return f"{host}:{port}"
