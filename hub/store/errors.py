"""What can go wrong in a store, by whose fault it is.

StoreError          base of all; the text is one line for a person
 +- BadRow          the caller's: a row or an argument that no back end would take; nothing was changed
 +- Damaged         the files': cannot be read as what they should be; names the file and the cure, changes nothing
 +- Unwritable      the disk's: full, read-only or failing; nothing of the batch is durable, a later try may succeed
 +- Overtaken       nobody's: another hub wrote meanwhile; nothing of the batch was, made again it decides anew
 +- Busy            the worker's queue is full; nothing was queued
"""

from __future__ import annotations

__all__ = ["BadRow", "Busy", "Damaged", "Overtaken", "StoreError", "Unwritable"]


class StoreError(Exception):
    """Base of everything a store raises on purpose."""


class BadRow(StoreError, ValueError):
    """A row or argument outside the bounds of the interface; nothing was changed."""


class Damaged(StoreError):
    """A file of the store is not what it should be.  The text names it, says what was found, and what to do."""

    def __init__(self, path: str, found: str, cure: str) -> None:
        super().__init__(f"{path}: {found}; {cure}")
        self.path = path


class Unwritable(StoreError):
    """The store could not write; nothing of the batch became durable.  Trying again later is right."""


class Overtaken(StoreError):
    """What the batch took for granted is not so (any more); made again at once, it waits for its turn."""


class Busy(StoreError):
    """More work is queued than the store can keep; the caller keeps its own copy and tries later."""
