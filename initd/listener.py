"""The unix socket that carries the control API, and the socketpair of link.

Theory.  Who can connect is decided by the directory (mode 0700, or 0750 with a group) and checked again by the peer's
credentials, which is the only check for the abstract name.  A socket left over from an earlier life of the container is
found dead (nobody accepts) and replaced; a live one belongs to another initd and is left alone.  Where a client is
refused it is told why in one line.

Waits (Later) are the control's; this module only wakes it at the next deadline, whether or not the asker is still
there, because the result of a command is remembered for whoever asks again.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import struct

from initd import address
from initd.connection import Connection
from initd.control import OPERATE
from initd.replies import Carrier, ControlError, Later, Reply
from initd.sockets import socket
from wire.limits import CLIENT_SECONDS, CONTROL_CLIENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.connection import Serving, Timer
    from initd.control import Control
    from initd.remote import Remote
    from initd.replies import Answer

SHORTAGE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
SHORTAGE_SECONDS = 1.0
"""Pause of accepting when there are no descriptors left; a level-triggered set would spin otherwise."""

BACKLOG = 64


class Listener:
    """See the module's docstring.  `say(text)` tells a person one line."""

    def __init__(self, loop: Serving, control: Control, remote: Remote, say: Callable[[str], object]) -> None:
        self._loop = loop
        self._control = control
        self._remote = remote
        self._say = say
        self._socket: socket.socket | None = None
        self._grouped = False
        self._clients: set[Connection] = set()
        self._timer: Timer | None = None
        self.address: str | None = None
        """Where it listens, None while it does not."""
        self.faults = 0
        """Errors of ours while answering."""
        self.refused = 0
        """Connections refused."""

    def open(self, given: str | None, group: int | None) -> str:
        """Listen at `given`, or where initd.address says; members of `group` may use it too.  Raises OSError."""
        self._grouped = group is not None
        for place in (given,) if given else _places():
            try:
                self._socket = _listen(place, group)
                self.address = place
                break
            except OSError as error:
                if given or error.errno == errno.EADDRINUSE:
                    raise OSError(error.errno, f"{error.strerror}: {place}") from error
        if self._socket is None or self.address is None:
            raise OSError(errno.EADDRNOTAVAIL, "no place for a control socket")
        self._loop.watch(self._socket.fileno(), select.EPOLLIN, self._on_connect)
        self._loop.menders.append(self._mend)
        return self.address

    def adopt(self, sock: socket.socket, carrier: Callable[[], Carrier] | None = None) -> Connection:
        """Serve the socketpair of one of our own children: of link, or as `carrier()` says."""
        speaker = carrier or (lambda: self._remote.carrier)
        connection = Connection(
            self._loop, sock, lambda request: self.answer(request, speaker()), self._clients.discard, None
        )
        self._clients.add(connection)
        return connection

    def answer(self, request: object, carrier: Carrier) -> Answer:
        """Let the control answer, whatever happens inside."""
        try:
            answer = self._control.handle(request, carrier, self._loop.now())
        except Exception as error:
            self.faults += 1
            self._say(f"cannot answer {carrier.actor}: {type(error).__name__}: {error}")
            return Reply(None, error=ControlError("failed", f"initd failed: {type(error).__name__}"))
        if isinstance(answer, Later):
            self._arm()
        return answer

    def close(self) -> None:
        """Stop serving; the name of the socket goes away with it."""
        for client in tuple(self._clients):
            client.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is None or self.address is None:
            return
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        self._socket = None
        if not self.address.startswith("@"):
            _unlink(self.address)

    def _on_connect(self, _mask: int) -> None:
        assert self._socket is not None
        try:
            peer, _ = self._socket.accept()
        except OSError as error:
            if error.errno in SHORTAGE:
                self._pause()
            return
        uid = _peer_uid(peer)
        actor = f"uid={uid}"
        connection = Connection(
            self._loop,
            peer,
            lambda request: self.answer(request, Carrier(actor, self._control.may[OPERATE])),
            self._clients.discard,
            CLIENT_SECONDS,
        )
        self._clients.add(connection)
        self._admit(connection, uid)

    def _admit(self, connection: Connection, uid: int) -> None:
        if not self._grouped and uid not in (0, os.geteuid()):
            self.refused += 1
            connection.refuse(ControlError("forbidden", f"uid {uid} may not control this initd", "ask as its own user"))
        elif len(self._clients) > CONTROL_CLIENTS:
            self.refused += 1
            connection.refuse(ControlError("busy", f"{CONTROL_CLIENTS} clients are connected", "try again"))

    def _pause(self) -> None:
        """No descriptors: look again in a moment."""
        assert self._socket is not None
        fd = self._socket.fileno()
        self._loop.forget(fd)
        self._loop.at(self._loop.now() + SHORTAGE_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._socket is not None and not self._loop.is_watched(self._socket.fileno()):
            self._loop.watch(self._socket.fileno(), select.EPOLLIN, self._on_connect)

    def _mend(self) -> None:
        """After an exception: watch for clients again, whatever became of a pause, and arm the next deadline."""
        self._resume()
        self._arm()

    def _arm(self) -> None:
        """Wake the control at its next deadline."""
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._control.deadline()
        self._timer = None if deadline is None else self._loop.at(deadline, self._on_deadline)

    def _on_deadline(self) -> None:
        self._control.expire(self._loop.now())
        self._arm()


def _places() -> tuple[str, ...]:
    """Where to listen by default, in order; making a directory may fail, then the next one is tried."""
    uid = os.geteuid()
    directories = (address.RUN_DIRECTORY, address.temporary_directory(uid))
    return (*(f"{directory}/{address.FILE_NAME}" for directory in directories), address.abstract_name(uid))


def _listen(place: str, group: int | None) -> socket.socket:
    """A listening socket at `place`.  Raises OSError."""
    if not place.startswith("@"):
        _prepare_directory(os.path.dirname(place), group)
        _clear(place)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        sock.bind(address.wire_form(place))
        if group is not None and not place.startswith("@"):
            os.chown(place, -1, group)
            os.chmod(place, 0o660)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _prepare_directory(directory: str, group: int | None) -> None:
    """Make it, private; one of our default ones must be ours already if it exists.  Raises OSError."""
    ours = directory in (address.RUN_DIRECTORY, address.temporary_directory(os.geteuid()))
    try:
        os.makedirs(directory, 0o700)
    except FileExistsError:
        if not ours:
            return
        if not address.is_private(directory, os.geteuid()):
            raise PermissionError(errno.EPERM, "is not a private directory of ours") from None
    os.chmod(directory, 0o700 if group is None else 0o750)
    if group is not None:
        os.chown(directory, -1, group)


def _clear(place: str) -> None:
    """Remove a dead socket of that name.  Raises OSError where something else has it."""
    try:
        if not stat.S_ISSOCK(os.lstat(place).st_mode):
            raise FileExistsError(errno.EEXIST, "is there and is no socket")
    except FileNotFoundError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        probe.connect(place)
    except ConnectionRefusedError:
        os.unlink(place)
    except BlockingIOError:
        raise OSError(errno.EADDRINUSE, "another initd listens there") from None
    else:
        raise OSError(errno.EADDRINUSE, "another initd listens there")
    finally:
        probe.close()


def _peer_uid(peer: socket.socket) -> int:
    """The uid of who connected, as of then (SO_PEERCRED, unix(7)): struct ucred is pid, uid, gid."""
    uid: int = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
    return uid


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
