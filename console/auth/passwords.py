"""Passwords: what is one, and its slow hash (Argon2id, RFC 9106), of which few are made at a time.

A hash takes 64 MiB and a tenth of a second on purpose, so who logs in without end could take the whole machine: two
are made beside each other, some wait, and the rest is told to come again.
"""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from console.auth import limits
from console.errors import Problem

__all__ = ["Passwords", "check_password"]


def check_password(text: str, name: str = "") -> str:
    """The text, if it can be a password; raises Problem that says what is wrong."""
    if not limits.PASSWORD_LEAST_CHARS <= len(text) <= limits.PASSWORD_CHARS:
        bounds = f"{limits.PASSWORD_LEAST_CHARS} to {limits.PASSWORD_CHARS}"
        raise Problem(422, "password", f"a password has {bounds} characters", "four random words are a good one")
    if len(set(text)) < limits.PASSWORD_KINDS or (name and name.lower() in text.lower()):
        raise Problem(422, "password", "this password is easy to guess", "four random words are a good one")
    return text


class Passwords:
    """Makes and compares hashes; calls block, so they are made in threads."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._room = threading.BoundedSemaphore(limits.HASHES_AT_A_TIME)
        self._waiting, self._lock = 0, threading.Lock()
        self._nobody = self._hasher.hash("nobody has this password")

    def hashed(self, text: str) -> str:
        """The hash, with its salt and parameters."""
        self._enter()
        try:
            return self._hasher.hash(text)
        finally:
            self._room.release()

    def fits(self, kept: str, text: str) -> bool:
        """Whether it is the password of this hash; of nobody's (""), it takes as long to say no."""
        self._enter()
        try:
            return self._hasher.verify(kept or self._nobody, text) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False
        finally:
            self._room.release()

    def _enter(self) -> None:
        with self._lock:
            if self._waiting >= limits.HASHES_WAITING:
                raise Problem(503, "busy", "too many log in at this moment", "try again in a few seconds")
            self._waiting += 1
        self._room.acquire()
        with self._lock:
            self._waiting -= 1
