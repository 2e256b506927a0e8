"""Whom `user=` means: a name of the passwd database, or a number, which needs no entry there.

Containers run under numbers that no /etc/passwd knows (`docker run --user 12345`, OpenShift's random uids), so a number
is taken at its word: where it has no entry, the process keeps our own group and has no supplementary ones, as
`docker run --user NUMBER` does it.  supervisord refuses such numbers.
"""

from __future__ import annotations

import os
import pwd

from wire._record import Record

LAST_UID = (1 << 32) - 2
"""The largest there is: 2**32 - 1 means "leave unchanged" to the kernel (setuid(2), chown(2))."""


class Identity(Record):
    """A resolved user."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def identity_of(user: str) -> Identity | None:
    """Who that is, None where there is no such user."""
    number = int(user) if user.isascii() and user.isdecimal() else None
    try:
        entry = pwd.getpwnam(user) if number is None else pwd.getpwuid(number)
    except (KeyError, OverflowError, ValueError):  # ValueError: a NUL byte in the name
        return Identity(number, os.getgid(), ()) if number is not None and number <= LAST_UID else None
    return Identity(entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)))


def uid_of(user: str) -> int | None:
    """The uid alone."""
    identity = identity_of(user)
    return identity.uid if identity else None
