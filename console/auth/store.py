"""Where accounts, sessions and the audit are kept: one small contract, in a file or in Redis.

Theory.  *Books* hold what stays until it is dropped; *notes* end by themselves; the *log* only grows.  Whatever must
not happen twice is one call here: `add` and `swap` in books, `note` with a condition, `take`, `count`.  Calls block;
the console makes them in threads.  All raise `StoreAway` where the store does not answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from console.auth.settings import AuthSettings
from console.errors import Problem

__all__ = ["Store", "StoreAway", "When", "open_store"]


class StoreAway(Problem):
    """Nobody can be told from anybody now; nothing is allowed."""

    def __init__(self, why: str) -> None:
        super().__init__(503, "store-away", f"the console cannot reach its store: {why}", "try again in a moment")


class When(StrEnum):
    """Condition of a note."""

    ALWAYS = "always"
    ABSENT = "absent"
    PRESENT = "present"


class Store(Protocol):
    """One store; safe to use from several threads."""

    def get(self, book: str, key: str) -> bytes | None:
        """What the book holds under this key."""

    def add(self, book: str, key: str, value: bytes) -> bool:
        """Put it there unless something is; whether it was put."""

    def swap(self, book: str, key: str, old: bytes, new: bytes) -> bool:
        """Put the new value in the place of this old one; whether it was still there."""

    def drop(self, book: str, key: str) -> bool:
        """Take it out; whether it was there."""

    def all(self, book: str) -> dict[str, bytes]:
        """The whole book."""

    def note(self, book: str, key: str, value: bytes, seconds: float, when: When = When.ALWAYS) -> bool:
        """Put a note that ends after so many seconds; whether the condition held."""

    def noted(self, book: str, key: str) -> bytes | None:
        """The note, unless it has ended."""

    def take(self, book: str, key: str) -> bytes | None:
        """The note, for one taker only: it is gone then."""

    def count(self, book: str, key: str, seconds: float) -> int:
        """One more; the count ends so many seconds after the last call."""

    def forget(self, book: str, key: str) -> None:
        """The note or count is gone."""

    def append(self, row: bytes, keep: float) -> None:
        """Add to the log; rows older than `keep` seconds may go."""

    def log(self, before: str, limit: int) -> list[tuple[str, bytes]]:
        """Rows with their positions, newest first, before a position (empty = from the newest)."""

    def close(self) -> None:
        """Let go of it."""


def open_store(settings: AuthSettings) -> Store:
    """The store that the settings name.  Raises ValueError for a name that is none, StoreAway."""
    kind, _, rest = settings.store.partition(":")
    if kind == "sqlite":
        from console.auth.sqlite import SqliteStore

        return SqliteStore(rest)
    from console.auth.shared import open_redis  # here, for the client takes 90 ms and 20 MiB

    return open_redis(settings)
