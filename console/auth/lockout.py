"""How guessing is slowed down: counts of tries, and from each count how long nobody may try again.

Theory.  A try is counted *before* the password is compared, so that a thousand tries at once are a thousand counts.
Three counts stand for three attackers: one that guesses one account's password from one place (PAIR), one place that
tries many accounts (PLACE; IPv6 gives everybody 2^64 addresses, so a place is a /64), many places that share the work
on one account (ACCOUNT).  Beyond its free tries each further one locks for twice as long.  A success forgives the
pair only: else an attacker with one account of its own could wash its place clean.  The lock of an account is short,
so that strangers cannot shut somebody out for long (OWASP, Authentication Cheat Sheet, "Account lockout").
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import NamedTuple

from console.auth.store import Store
from console.errors import Problem

__all__ = ["ACCOUNT", "PAIR", "PLACE", "Lockout", "Rule", "pause", "place"]


class Rule(NamedTuple):
    """One kind of count."""

    name: str
    free: int
    """Tries without any pause."""
    longest: float
    """Seconds."""


PAIR, PLACE, ACCOUNT = Rule("pair", 5, 900.0), Rule("place", 30, 900.0), Rule("account", 50, 30.0)
WINDOW = 3600.0
"""Seconds after the last try in which tries count."""


def pause(rule: Rule, tries: int) -> float:
    """Seconds for which nobody may try again after so many tries: 0, then 1, 2, 4 ... up to the rule's longest."""
    beyond = tries - rule.free
    return 0.0 if beyond < 0 else min(float(1 << min(beyond, 30)), rule.longest)


def place(address: str) -> str:
    """The address, or the /64 that it is in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


class Lockout:
    """The counts, in the store that all consoles share."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def enter(self, user: str, address: str) -> None:
        """One more try; raises Problem (429) where none is allowed now."""
        keys = self._keys(user, address)
        left = max(self._left(key) for _, key in keys)
        if left > 0:
            raise Problem(429, "locked", "too many tries", f"try again in {max(1, round(left))} s")
        for rule, key in keys:
            seconds = pause(rule, self._store.count("tries", key, WINDOW))
            if seconds:
                self._store.note("locked", key, repr(self._clock() + seconds).encode(), seconds)

    def forgive(self, user: str, address: str) -> None:
        """It was the right one."""
        _, key = self._keys(user, address)[0]
        for book in ("tries", "locked"):
            self._store.forget(book, key)

    def _left(self, key: str) -> float:
        found = self._store.noted("locked", key)
        return float(found) - self._clock() if found else 0.0

    def _keys(self, user: str, address: str) -> list[tuple[Rule, str]]:
        here, name = place(address), user.lower()
        return [(PAIR, f"pair {here} {name}"), (PLACE, f"place {here}"), (ACCOUNT, f"account {name}")]
