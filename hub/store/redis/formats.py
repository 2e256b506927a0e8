"""The ledger's format across releases: a number, and copies made before a newer one takes it over: one can go back.

Theory.  As hub.store.releases has it for files: fields and keys that are only added need no new format.  Where a
release must change what is there it raises VERSION and brings a step.  The first hub of it that starts makes, in one
script, copies of all keys (`{pidone}:format-N:...`) and the changes of the steps; so there is the old format, or the
new one and a copy.  Hubs of the release before that still run are refused with their next write (hub.store.redis.books
reads the number with the pen), and become blind.  A store without a number is of the first format, or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.store.errors import StoreError
from hub.store.redis.books import FORMAT, META, WRITTEN, Books, Page, key
from hub.store.redis.link import Link

__all__ = ["STEPS", "go_back", "take_over"]

FIRST = 1
STEPS: dict[int, Callable[[Page], None]] = {}
"""From each format to the next."""

SAID = "what was revoked since then must be revoked again"


def take_over(link: Link, books: Books, steps: Mapping[int, Callable[[Page], None]] = STEPS) -> None:
    """Bring the ledger to the format that the books write.  Raises StoreError; then nothing has changed."""
    known, found = books.version, _format(link, books.version)
    if found > known:
        raise _newer(link, found, known)
    missing = [number for number in range(found, known) if number not in steps]
    if missing:
        raise StoreError(f"{link} has format {found}, and this release has no step from format {missing[0]}")
    if found == known:
        return
    with books.batch(), books.write() as page:
        found = int(page.get(META, FORMAT) or FIRST)
        if found < known:  # no other hub was quicker
            _copy(page, link, found)
            for number in range(found, known):
                steps[number](page)
            page.put(META, FORMAT, str(known).encode())


def go_back(link: Link, books: Books) -> str:
    """Put the copies of this format in the place of a newer one, of which copies are kept; returns where those lie.

    No hub may run.  Raises StoreError; then nothing has changed.
    """
    known, found = books.version, _format(link, books.version)
    if found <= known:
        raise StoreError(f"{link} has format {found}, which this release reads: there is nothing to go back from")
    below = _below(known)
    copies = link.keys(below, META)
    if not copies:
        raise StoreError(f"{link} holds no copy of format {known}; without it only the newer release reads it")
    books.version = found
    with books.batch(), books.write() as page:
        page.get(META, FORMAT)
        for name in _copy(page, link, found):
            page.change("DEL", name)
        for name in copies:
            page.change("COPY", name, key(name.removeprefix(below)), "REPLACE")
    books.version = known
    return _below(found) + "*"


def _copy(page: Page, link: Link, number: int) -> list[str]:
    names = [name for name in link.keys(key(""), META) if not name.startswith(key("format-")) and name != WRITTEN]
    for name in names:
        page.change("COPY", name, _below(number) + name.removeprefix(key("")), "REPLACE")
    return names


def _below(number: int) -> str:
    return key(f"format-{number}", "")


def _format(link: Link, known: int) -> int:
    """The number; that of this release where nothing is kept yet."""
    number = link.call("HGET", META, FORMAT)
    if number is not None:
        return int(number)
    return FIRST if link.call("EXISTS", META) else known


def _newer(link: Link, found: int, known: int) -> StoreError:
    said = f"{link} was written by a newer pidone (format {found}, this one knows {known})"
    if not link.keys(_below(known), META):
        return StoreError(f"{said}; update")
    return StoreError(f"{said}; update, or stop all hubs and go back: hubctl store downgrade; {SAID}")
