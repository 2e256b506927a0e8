"""hubctl store check, export, import, migrate: works on stores whose hubs are stopped, through the stores' interface.

Nothing is ever merged: what is written to must be empty.  What was written is read again and must give the same digest
as what it came from (hub.store.moving); only then is it well.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.ctl.tables import print_json
from hub.ctl.text import safe
from hub.opening import directory_of, downgrade_redis, open_place
from hub.store.archive import MAGIC, Archive, spooled, write
from hub.store.base import Store
from hub.store.chained import chained
from hub.store.errors import StoreError
from hub.store.moving import Row, Summary, Tally, emptiness, put, rows
from hub.store.releases import go_back
from hub.store.rows import AuditRow, Retention
from hub.store.sqlite import VERSION, lock

PLACES = ("/etc/pidone/hubd.ini", "/var/lib/pidone")
WHICH = "hubd.ini, state_dir, or redis://... (an address keeps samples as long as the defaults; hubd.ini as it says)"
LEASE_SECONDS = 4.5
"""A hub that lives renews its lease within this time."""


def declare(
    verb: Callable[..., argparse.ArgumentParser], action: Callable[..., argparse.ArgumentParser]
) -> argparse.ArgumentParser:
    """The verb's command line."""
    words, example = "what a stopped hub keeps: check it, move it", "hubctl store migrate --from old.ini --to hubd.ini"
    parser = verb("store", alone, words, example)
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|export|import|migrate|downgrade")
    check = action(actions, "check", "read all of a store, or of an exported file; exit 0 sound, 1 not")
    check.add_argument("place", nargs="?", help=f"a file of export, or {WHICH}")
    for name, words in {
        "export": "everything into one file; - for standard output",
        "import": "such a file into an empty store; - for standard input",
    }.items():
        one = action(actions, name, words)
        one.add_argument("file")
        one.add_argument("--store", metavar="PLACE", help=WHICH)
    migrate = action(actions, "migrate", "everything from one store into another, empty one")
    migrate.add_argument("--from", dest="source", metavar="PLACE", required=True, help=WHICH)
    migrate.add_argument("--to", dest="target", metavar="PLACE", required=True, help=WHICH)
    back = action(actions, "downgrade", "with an older release: take the copy that an update made")
    back.add_argument("place", nargs="?", help="hubd.ini, state_dir, or redis://...")
    parser.set_defaults(alone=alone)
    return parser


def alone(options: Namespace) -> int:
    """store check | export | import | migrate | downgrade; needs no hub."""
    verbs = {"check": check, "export": export, "import": restore, "migrate": migrate, "downgrade": downgrade}
    return verbs[options.action](options)


def check(options: Namespace) -> int:
    """Reads everything; 0 where it is sound."""
    place, progress = _place(options.place), Progress("checked")
    problems: tuple[str, ...] = ()
    if _exported(place):
        with open(place, "rb") as file:
            found = Archive(file, place, progress).summary
    else:
        with opened(place) as store:
            found, problems = _read(store, progress), store.stats().problems
    progress.end()
    if found["audit_broken"]:
        problems = (*problems, f"audit: {found['audit_broken']}")
    for line in problems:
        print(f"hubctl: {safe(line)}", file=sys.stderr)
    words = f"{place}: {_told(found)}" + ("" if not problems else f"; {len(problems)} problems")
    return _said(options, {"place": place, "sound": not problems, "problems": problems, **found}, words, not problems)


def export(options: Namespace) -> int:
    """Writes the file, mode 0600; an existing one is never overwritten."""
    place, progress = _place(options.store), Progress("exported")
    with opened(place) as store:
        _refuse_live(store, place)
        if options.file == "-":
            found = write(store, time.time(), sys.stdout.buffer, None, progress)
            progress.end()
            return _broken(found, place)
        found = _export_file(store, Path(options.file), progress)
    progress.end()
    return _said(options, {"file": options.file, **found}, f"{options.file}: {_told(found)}") or _broken(found, place)


def _export_file(store: Store, path: Path, progress: Progress) -> Summary:
    new = path.with_name(path.name + ".new")
    if path.exists():
        raise StoreError(f"{path} exists; choose another name, an export is never overwritten")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as out:
            found = write(store, time.time(), out, str(path.absolute().parent), progress)
            os.fsync(out.fileno())
        os.link(new, path)
    finally:
        new.unlink()
    return found


def restore(options: Namespace) -> int:
    """Checks the file whole, then writes it into an empty store."""
    place, progress = _place(options.store), Progress("checked")
    with sys.stdin.buffer if options.file == "-" else open(options.file, "rb") as given:
        archive = Archive(spooled(given), options.file, progress)
        progress.end()
        with opened(place, make=True) as store:
            _fill(store, place, archive.rows(), archive.summary, f"import of {options.file}")
    told = {"store": place, "file": options.file, **archive.summary}
    return _said(options, told, f"{place}: {_told(archive.summary)}")


def migrate(options: Namespace) -> int:
    """Copies a store into an empty one, and compares."""
    tally = Tally()
    with opened(options.source) as source, opened(options.target, make=True) as target:
        _refuse_live(source, options.source)
        _fill(target, options.target, tally.through(rows(source)), tally, f"migrate from {options.source}")
    found = tally.summary()
    told = {"source": options.source, "target": options.target, **found}
    words = f"{options.target}: {_told(found)}; {options.source} was not changed"
    return _said(options, told, words) or _broken(found, options.source)


def downgrade(options: Namespace) -> int:
    """Puts the copy of this release's format in the place of a newer file, which is kept beside it."""
    place = _place(options.place)
    directory = directory_of(place)
    if directory is None:
        aside = downgrade_redis(place, LEASE_SECONDS)
        words = f"{place}: as it was before the update; what came since is in {aside}; revoke again what was revoked"
        return _said(options, {"store": place, "newer": aside}, words)
    held = lock(str(directory))
    try:
        aside = go_back(str(directory / "facts.sqlite"), VERSION)
    finally:
        os.close(held)
    told = {"store": str(directory), "format": VERSION, "newer": aside}
    words = f"{directory}: as it was before the update; what came since is in {aside}; revoke again what was revoked"
    return _said(options, told, words)


def _fill(store: Store, place: str, stream: Iterable[Row], wanted: Summary | Tally, what: str) -> None:
    """Writes and compares; the audit tells of it afterwards."""
    held = emptiness(store)
    if held:
        raise StoreError(f"{place} is not empty (it holds rows of the kind {held}); nothing is ever merged")
    progress = Progress("written")
    put(store, progress.through(stream))
    progress.end()
    found = _read(store, compared := Progress("compared"))
    compared.end()
    expected = wanted.summary() if isinstance(wanted, Tally) else wanted
    if found != expected:
        wrong = ", ".join(name for name in expected if found[name] != expected[name])
        raise StoreError(f"{place}: what was written is not what was read ({wrong}); do not use it, empty it")
    row = AuditRow(time.time(), "local", "store " + what.partition(" ")[0], place[:200], "done", what[:200])
    chained(store, Retention().audit).append_audit(row)


def _read(store: Store, progress: Progress) -> Summary:
    tally = Tally(progress)
    for _ in tally.through(rows(store)):
        pass
    return tally.summary()


@contextmanager
def opened(place: str, make: bool = False) -> Iterator[Store]:
    """The store of a place, closed at the end.  Raises StoreError."""
    try:
        store = open_place(place, make)
    except ValueError as error:
        raise StoreError(f"{place}: {error}") from None
    try:
        yield store
    finally:
        store.close(time.time())


def _refuse_live(store: Store, place: str) -> None:
    """A store that hubs write to gives no picture of one moment (an embedded one is locked by its hub)."""
    before = store.leases()
    if before:
        time.sleep(LEASE_SECONDS)
        living = {row.hub for row in store.leases()} if store.leases() != before else set()
        if living:
            raise StoreError(f"{place} is in use by hubs ({', '.join(sorted(living))}); stop them first")


def _place(given: str | None) -> str:
    return given or next((place for place in PLACES if Path(place).exists()), PLACES[-1])


def _exported(place: str) -> bool:
    if not Path(place).is_file():
        return False
    with open(place, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _told(found: Summary) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in found["rows"].items() if count)
    return f"{counts or 'nothing'}; {found['samples']} raw process samples; sha256 {found['sha256'][:16]}"


def _said(options: Namespace, told: dict[str, object], words: str, sound: bool = True) -> int:
    print_json(told) if options.json else print(safe(words))
    return 0 if sound else 1


def _broken(found: Summary, place: str) -> int:
    """A copy of a broken chain is a true copy, but not well."""
    if found["audit_broken"]:
        print(f"hubctl: {safe(place)}: audit: {safe(found['audit_broken'])}; it was copied as it is", file=sys.stderr)
    return 1 if found["audit_broken"] else 0


class Progress:
    """How far it is, in one line of a terminal; nothing anywhere else."""

    def __init__(self, what: str) -> None:
        self._what, self._at, self._count = what, 0.0, 0
        self._on = sys.stderr.isatty()

    def __call__(self, kind: str, count: int) -> None:
        self._count += 1
        if self._on and time.monotonic() - self._at > 0.1:
            self._at = time.monotonic()
            print(f"\r{self._what} {self._count} rows ({kind})\x1b[K", end="", file=sys.stderr, flush=True)

    def through(self, stream: Iterable[Row]) -> Iterator[Row]:
        """The same rows."""
        for row in stream:
            self(row[0], 0)
            yield row

    def end(self) -> None:
        """Take the line away."""
        if self._on:
            with suppress(OSError):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
