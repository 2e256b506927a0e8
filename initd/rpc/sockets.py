"""Listening sockets of the rpc server: unix files with mode and owner, and TCP addresses.

Theory.  supervisord makes a socket file under another name, sets its mode and owner, and links it to its place, so that
nobody can connect before.  The same here with rename, which also takes the place of a file left over from an earlier
life.  Whether it is left over shows when nobody accepts; a live one belongs to another daemon and is left alone.
"""

from __future__ import annotations

import errno
import os
import stat

from initd.sockets import socket
from initd.users import identity_of

BACKLOG = 64
LOCAL = "localhost"
"""Is 127.0.0.1, as everywhere, and needs no file to say so."""


class Taken(OSError):
    """Somebody else listens there."""


def listen(address: str, mode: int | None = None, owner: str | None = None) -> socket.socket:
    """A listening socket as a [unix_http_server] or [inet_http_server] asks for it.  Raises OSError, Taken."""
    if address.startswith("/"):
        return _listen_unix(address, mode, owner)
    host, _, port = address.rpartition(":")
    return _listen_inet(host, int(port))


def is_looked_up(address: str) -> bool:
    """Whether somebody has to be asked what it means, which may take long."""
    host = address.rpartition(":")[0]
    if address.startswith("/") or host in ("", LOCAL):
        return False
    try:
        socket.inet_aton(host)
    except OSError:
        return True
    return False


def is_exposed(address: str) -> bool:
    """Whether other machines can reach it."""
    return not address.startswith("/") and address.rpartition(":")[0] not in (LOCAL, "127.0.0.1")


def _listen_inet(host: str, port: int) -> socket.socket:
    """As supervisord: IPv4; a name is looked up."""
    host = "127.0.0.1" if host == LOCAL else host
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise Taken(errno.EADDRINUSE, "another program listens there") from None
        raise
    return sock


def _listen_unix(path: str, mode: int | None, owner: str | None) -> socket.socket:
    _check_free(path)
    made = f"{path}.{os.getpid()}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _unlink(made)
        sock.bind(made)
        os.chmod(made, 0o700 if mode is None else mode)
        _give(made, owner)
        sock.listen(BACKLOG)
        os.rename(made, path)
    except OSError:
        sock.close()
        _unlink(made)
        raise
    return sock


def _check_free(path: str) -> None:
    """Raises OSError where the name is taken by anything but a dead socket."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Taken(errno.EEXIST, "is there and is no socket: remove it, or choose another file=")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(path) not in (errno.ECONNREFUSED, errno.ENOENT):
            raise Taken(errno.EADDRINUSE, "another daemon listens there")


def _give(path: str, owner: str | None) -> None:
    """Hand a file over to `user`, `user:group` or `user.group`, by name or number.  Raises OSError."""
    if owner is None:
        return
    user, _, group = owner.replace(".", ":", 1).partition(":") if ":" not in owner else owner.partition(":")
    identity = identity_of(user)
    if identity is None:
        raise OSError(errno.EINVAL, f"chown={owner}: there is no user {user!r}")
    os.chown(path, identity.uid, identity.gid if not group else _gid(group))


def _gid(group: str) -> int:
    if group.isdecimal():
        return int(group)
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(errno.EINVAL, f"there is no group {group!r}") from None


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
