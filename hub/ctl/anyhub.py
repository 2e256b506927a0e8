"""The hub of the key file, and where it does not answer any other one that shares its store.

Which others there are is asked of the first one that answers (`hubs`), over its authenticated connection; the key of
the person is known to all of them.  Nothing of this is written down: the next `hubctl` begins at its key file's hub.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wire.client import Client, RefusedError, Unreachable
from wire.keys import ClientKey, KeyFault, check_address, check_key

PATIENCE = 2.0
"""Longest wait for one hub where there are others, seconds."""
LEARN_SECONDS = 30.0
"""Between two questions for the others."""


class AnyHub:
    """Asks one hub after the other; `first` is the connection that is there already, and not closed here."""

    def __init__(self, first: Client) -> None:
        self._first = self.client = first
        self._places: list[ClientKey] = []
        self._learn_at = 0.0

    def query(self, op: str, /, **args: Any) -> Any:
        """The answer of this hub, else of the next one.  Raises Unreachable once all were tried, RefusedError."""
        failure: Unreachable | None = None
        for _ in range(max(1, len(self._others()) + 1)):
            try:
                patience = min(self.client.timeout, PATIENCE) if len(self._places) > 1 else None
                found = self.client.ask(op, args, patience)
            except Unreachable as error:
                failure = failure or error
                self.turn()
                continue
            if time.monotonic() >= self._learn_at:
                self._learn()
            return found
        assert failure is not None
        raise failure

    def turn(self) -> None:
        """On to the next hub, if there is one."""
        if not (others := self._others()):
            return
        timeout = self.client.timeout
        self.close()
        self.client = Client(others[0], timeout)

    def close(self) -> None:
        """Hang up, but for the first connection."""
        if self.client is not self._first:
            self.client.close()

    def _others(self) -> list[ClientKey]:
        """Where else to ask, the next one first."""
        here = [one.command for one in self._places]
        at = here.index(self.client.key.command) + 1 if self.client.key.command in here else 0
        turned = self._places[at:] + self._places[:at]
        return [one for one in turned if one.command != self.client.key.command]

    def _learn(self) -> None:
        key, self._learn_at = self.client.key, time.monotonic() + LEARN_SECONDS
        with suppress(RefusedError, Unreachable, KeyFault):
            rows = [row for row in self.client.query("hubs") if row.get("self") or (row.get("peer") and row.get("key"))]
            self._places = [key if row.get("self") else _place(key, row) for row in rows]


def _place(key: ClientKey, row: Mapping[str, Any]) -> ClientKey:
    """The same key at another hub, of which only the client port is known; raises KeyFault."""
    return key._replace(command=check_address(row["peer"]), server_key=check_key(row["key"]))
