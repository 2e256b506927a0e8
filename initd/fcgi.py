"""[fcgi-program:x]: one listening socket for all processes of a section, which each of them finds as descriptor 0.

Theory.  As in supervisord the socket is made before the first process starts and closed when the last one has ended;
the name of a unix socket stays, and what has that name is replaced when the socket is made again.  Where it cannot be
made (the address is in use, the directory is not there) the start of that process has failed: it is said, tried again
after a while, and given up after startretries, where supervisord does not start at all.
"""

from __future__ import annotations

import os

from initd.errors import StartFailed
from initd.program import is_alive
from initd.sockets import socket
from initd.users import identity_of
from wire.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.config.records import Config
    from initd.events import Changed
    from initd.process import Process, Run
    from initd.spawn import Order
    from initd.supervisor import Supervisor

KIND = "fcgi-program"
GONE = (State.EXITED, State.STOPPED, State.BACKOFF, State.FATAL)
MODE = 0o700
"""Of a unix socket where socket_mode= says nothing."""


class Shared:
    """The socket of one section."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.users: set[str] = set()
        """Processes that have it, or are being started with it."""
        self._socket: socket.socket | None = None

    def open(self, user: str | None) -> int:
        """Its descriptor; `user` owns a unix socket that nobody else is said to own.  Raises StartFailed."""
        if self._socket is None:
            try:
                self._socket = _listen(self.settings, user)
            except OSError as error:
                raise StartFailed("socket", error.errno, self.settings["socket"]) from error
        return self._socket.fileno()

    def close(self) -> None:
        """Until it is needed again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Sockets:
    """Every section's; gives each process its own at its start."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._shared: dict[str, Shared] = {}
        supervisor.fittings.append(self._fit)
        supervisor.changes(self._on_change)

    def adopt(self, config: Config) -> None:
        """Sections come and go; one whose socket changed makes the new one when its processes start again."""
        found = {group.name: dict(group.settings) for group in config.groups if group.kind == KIND}
        for name in [name for name in self._shared if name not in found]:
            self._shared.pop(name).close()
        for name, settings in found.items():
            shared = self._shared.setdefault(name, Shared(settings))
            if shared.settings != settings:
                shared.close()
                shared.settings = settings

    def _fit(self, process: Process, order: Order) -> Order:
        shared = self._shared.get(process.config.group)
        if shared is None or process.config.kind != KIND:
            return order
        shared.users.add(process.name)
        return order._replace(stdin=shared.open(process.config.user))

    def _on_change(self, process: Process, change: Changed, _run: Run) -> None:
        shared = self._shared.get(process.config.group)
        # Changes are told after what they brought about: a successor may have the socket already.
        if shared is not None and change.state in GONE and not is_alive(process.program):
            shared.users.discard(process.name)
            if not shared.users:
                shared.close()


def _listen(settings: dict[str, Any], user: str | None) -> socket.socket:
    """A listening socket.  Raises OSError."""
    address: str = settings["socket"]
    backlog = settings["socket_backlog"] or socket.SOMAXCONN
    if address.startswith("unix://"):
        return _listen_unix(address.removeprefix("unix://"), settings, user, backlog)
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host.lower(), int(port)))
        made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made


def _listen_unix(path: str, settings: dict[str, Any], user: str | None, backlog: int) -> socket.socket:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        made.bind(path)
        _give(path, settings["socket_owner"], user)
        os.chmod(path, MODE if settings["socket_mode"] is None else settings["socket_mode"])
        made.listen(backlog)
    except OSError:
        made.close()
        _forget(path)
        raise
    finally:
        os.umask(before)
    return made


def _give(path: str, owner: str | None, user: str | None) -> None:
    """To the owner that is named, `user` or `user:group`, else to the user of the programs.  Raises OSError."""
    name, colon, group = (owner or user or "").partition(":")
    if not name:
        return
    identity = identity_of(name)
    if identity is None:
        raise OSError(22, f"there is no user {name!r}")
    gid = _gid(group) if colon else identity.gid if owner is None else -1
    if identity.uid != os.geteuid() or gid not in (-1, os.getegid()):
        os.chown(path, identity.uid, gid)


def _gid(group: str) -> int:
    if group.isdecimal():
        return int(group)
    import grp  # of stage 2 (initd.serve); here only for a socket_owner= with a group

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(22, f"there is no group {group!r}") from None


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
