"""Where the control socket is: the same search for who listens and who connects.

`PIDONE_SOCKET` names it for both sides.  Else it lies in a directory that only its owner can enter: /run/initd, or
where /run cannot be written (another user, read-only root) /tmp/initd-UID, or where nothing can be written at all the
abstract name @initd-UID, which everybody in the network namespace can reach, so that peers are told by SO_PEERCRED.
UID is that of PID 1, so that root finds the socket of an initd that runs as somebody else.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "PIDONE_SOCKET"
RUN_DIRECTORY = "/run/initd"
FILE_NAME = "control.sock"


def temporary_directory(uid: int) -> str:
    """The directory where /run cannot be used."""
    return f"/tmp/initd-{uid}"


def abstract_name(uid: int) -> str:
    """The name where no directory can be used; @ stands for the NUL byte (unix(7))."""
    return f"@initd-{uid}"


def named(environ: Mapping[str, str]) -> str | None:
    """What PIDONE_SOCKET says, None where it is not set."""
    return environ.get(VARIABLE) or None


def candidates(environ: Mapping[str, str], uids: tuple[int, ...]) -> tuple[str, ...]:
    """Where a client looks, in order; `uids` are those that PID 1 may have."""
    given = named(environ)
    if given is not None:
        return (given,)
    places = [f"{RUN_DIRECTORY}/{FILE_NAME}"]
    for uid in dict.fromkeys(uids):
        places += [f"{temporary_directory(uid)}/{FILE_NAME}", abstract_name(uid)]
    return tuple(places)


def wire_form(address: str) -> str:
    """The address as socket(2) takes it: a leading @ becomes a NUL byte."""
    return "\0" + address[1:] if address.startswith("@") else address


def is_private(directory: str, uid: int) -> bool:
    """Whether it is a directory of `uid` that nobody else can write to; a link or another's directory is a trap."""
    try:
        found = os.lstat(directory)
    except OSError:
        return False
    return (found.st_mode & 0o170022) == 0o040000 and found.st_uid == uid
