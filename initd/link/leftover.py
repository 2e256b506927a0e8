"""Facts that no hub had stored when the container stopped, kept in state_dir for the next start.

Theory.  PID 1's ring dies with it.  What the hub did not call durable by then goes into one file for each boot, bound
to the container id like the key.  At the next start the old boots are told first, oldest first, each in a registration
of its own boot, and their files are removed once the hub has stored everything; then the present boot registers.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, NamedTuple

from initd.jsontext import dumps, loads
from wire import limits
from wire.keys import write_private
from wire.model import Fact
from wire.records import FACT
from wire.shapes import IDENT, Wrong

PREFIX, SUFFIX = "facts-", ".json"


class Leftover(NamedTuple):
    """The untold facts of one boot, at least one, without gaps."""

    boot: str
    started_at: float
    facts: tuple[Fact, ...]

    def text(self, container: str) -> str:
        """As text to keep."""
        facts = [FACT.write(fact) for fact in self.facts]
        return dumps({"v": 1, "container": container, "boot": self.boot, "started_at": self.started_at, "facts": facts})

    @classmethod
    def of_text(cls, text: str, container: str) -> Leftover | None:
        """What `text` made; None for another container, another version, or nonsense."""
        try:
            found: Any = loads(text.encode())
            if (found["v"], found["container"]) != (1, container) or not IDENT.fullmatch(found["boot"]):
                return None
            facts = tuple(FACT.read(row) for row in found["facts"])
            return cls(found["boot"], float(found["started_at"]), facts) if facts else None
        except (ValueError, KeyError, TypeError, AttributeError, Wrong):
            return None


class Shelf:
    """The files, where state_dir and container id are known; else nothing is kept."""

    def __init__(self, state_dir: str, container: str) -> None:
        self._folder, self._container = state_dir if container else "", container

    def load(self) -> list[Leftover]:
        """What earlier boots left, oldest first, at most LEFTOVERS of them."""
        texts = (self._read(name) for name in self._names())
        found = [one for text in texts if (one := Leftover.of_text(text, self._container))]
        return sorted(found, key=lambda one: one.started_at)[-limits.LEFTOVERS :]

    def put(self, leftover: Leftover) -> bool:
        """Keep it; whether that was possible."""
        if not self._folder or not leftover.facts:
            return False
        with suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            write_private(self._path(leftover.boot), leftover.text(self._container))
            return True
        return False

    def drop(self, boot: str) -> None:
        """A hub has stored it."""
        with suppress(OSError):
            os.unlink(self._path(boot))

    def _path(self, boot: str) -> str:
        return f"{self._folder}/{PREFIX}{boot}{SUFFIX}"

    def _names(self) -> list[str]:
        with suppress(OSError):
            if self._folder:
                return [n for n in os.listdir(self._folder) if n.startswith(PREFIX) and n.endswith(SUFFIX)]
        return []

    def _read(self, name: str) -> str:
        with suppress(OSError), open(f"{self._folder}/{name}", "rb") as file:
            return file.read(limits.LEFTOVER_BYTES).decode("utf-8", "replace")
        return ""
