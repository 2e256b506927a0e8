"""A store's file across releases: copied before a newer format takes it over, so that one can go back.

Theory.  `user_version` is the format.  Fields and tables that are only added need no new one (hub.store.packing leaves
out what it does not know, old code never looks at tables it does not know), so most releases open each other's files.
Where a release must change what is there, it raises the format and brings a step that leads from the one before.  Then,
at its first start, the whole file is copied beside it (FILE.format-N, with what the log still held, synced, renamed
into place), and only after that all steps are made in one transaction.  Power lost at any moment leaves the old format
and perhaps a copy, or the new format and a copy; the next start goes on from there.  A copy of an earlier attempt is
replaced, because the file may have been written to since.

An older release refuses the newer file and names the copy.  It does not take it by itself: a token or key that was
revoked since then would be good again, and who knows that must be a person.  Samples are not copied; their files carry
their own version (hub.store.segments) and nothing in them decides who may do what.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from urllib.parse import quote

from hub.store.errors import StoreError, Unwritable

__all__ = ["STEPS", "copy_of", "go_back", "newer", "take_over"]

STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""From each format to the next; the first format is 1."""


def copy_of(path: str, version: int) -> str:
    """Where the copy of a file in that format lies."""
    return f"{path}.format-{version}"


def newer(path: str, found: int, known: int) -> StoreError:
    """What an older release says of a newer file."""
    said = f"{path} was written by a newer pidone (format {found}, this one knows {known})"
    copy = copy_of(path, known)
    if not os.path.exists(copy):
        return StoreError(f"{said}; update")
    cure = f"hubctl store downgrade puts {copy}, made at the update, in its place"
    return StoreError(f"{said}; update, or go back: {cure}; what was revoked since then must be revoked again")


def take_over(
    path: str, found: int, known: int, steps: Mapping[int, Callable[[sqlite3.Connection], None]] = STEPS
) -> None:
    """Bring a file of format `found` to `known`, after a copy of it.  Raises StoreError; then the file is as it was."""
    if found == known:
        return
    missing = [number for number in range(found, known) if number not in steps]
    if missing:
        raise StoreError(f"{path} has format {found}, and this release has no step from format {missing[0]}")
    _copy(path, copy_of(path, found))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for number in range(found, known):
            steps[number](connection)
        connection.execute(f"PRAGMA user_version = {known}")
        connection.execute("COMMIT")
    finally:
        connection.close()  # rolls back what did not come to its end


def go_back(path: str, known: int) -> str:
    """Put the copy that an update made of format `known` in the place of the newer file; returns where that lies now.

    The copy stays, and the newer file is kept whole under the name of its own format.  The caller holds the lock.
    Raises StoreError; then nothing has changed.
    """
    found = _version(path)
    if found <= known:
        raise StoreError(f"{path} has format {found}, which this release reads: there is nothing to go back from")
    copy = copy_of(path, known)
    if not os.path.exists(copy):
        raise StoreError(f"{copy} is missing: the update made it there; without it only the newer release reads {path}")
    if _version(copy) != known:
        raise StoreError(f"{copy} has format {_version(copy)}, not {known}; it is no copy of {path}")
    aside, fresh = copy_of(path, found), f"{path}.new"
    _copy(path, aside)
    shutil.copyfile(copy, fresh)
    os.chmod(fresh, 0o600)
    _sync(fresh)
    for log in (f"{path}-wal", f"{path}-shm"):  # what they held is in the file that was set aside
        if os.path.exists(log):
            os.unlink(log)
    os.rename(fresh, path)
    _sync(os.path.dirname(path) or ".")
    return aside


def _version(path: str) -> int:
    """The format of a file, read without changing it.  Raises StoreError."""
    if not os.path.exists(path):
        raise StoreError(f"{path} is missing")
    connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read ({error})") from None
    finally:
        connection.close()


def _copy(path: str, target: str) -> None:
    """All that is committed in the file, as a file of its own, mode 0600, synced."""
    new = f"{target}.new"
    source = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True, isolation_level=None)
    try:
        if os.path.exists(new):
            os.unlink(new)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        source.execute("VACUUM INTO ?", (new,))  # takes an empty file that is there, and keeps user_version
        _sync(new)
        os.rename(new, target)
        _sync(os.path.dirname(target) or ".")
    except (OSError, sqlite3.Error) as error:
        raise Unwritable(
            f"{path} cannot be copied before its format is changed ({error}); nothing was changed"
        ) from None
    finally:
        source.close()


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
