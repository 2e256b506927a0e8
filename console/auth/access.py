"""All that decides who may enter, put together over one store.

access = open_access(settings, say)      # prints the setup code where nobody has an account
app = Guard(app, access)                 # console.auth.guard
routes = access_routes(access)           # console.auth.routes
"""

from __future__ import annotations

import time
from collections.abc import Callable

from console.auth.accounts import Accounts
from console.auth.diary import Diary
from console.auth.lockout import Lockout
from console.auth.passwords import Passwords
from console.auth.sessions import Sessions, Tokens
from console.auth.settings import AuthSettings
from console.auth.store import Store, open_store

__all__ = ["Access", "open_access"]


class Access:
    """Accounts, sessions, tokens, the lockout and the diary of one store."""

    def __init__(self, settings: AuthSettings, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.store, self.clock = settings, store, clock
        self.accounts = Accounts(store, Passwords(), clock)
        self.sessions = Sessions(store, self.accounts, settings, clock)
        self.tokens = Tokens(store, self.accounts, clock)
        self.lockout, self.diary = Lockout(store, clock), Diary(store, clock)


def open_access(settings: AuthSettings, say: Callable[[str], object]) -> Access:
    """Opens the store; raises ValueError for an address that is none, StoreAway.

    Where nobody has an account yet, says the code for the first one: on the terminal, apart from the address, so that
    whoever sees an address in a chat does not have the code.
    """
    access = Access(settings, open_store(settings))
    if code := access.accounts.new_code():
        say(f"nobody has an account yet; the code for the first one, good for a day: {code}")
    return access
