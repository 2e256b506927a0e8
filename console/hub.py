"""What the console needs of the hubs: to ask, and to follow; hubclient does it, with any hub that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, Protocol

from console.who import Who
from wire.messages import Feed


class Contact(NamedTuple):
    """How things stand with the hubs."""

    up: bool
    since: float
    """Wall seconds since when it is so."""
    hub: str
    """Name of the hub that answers, or the last one that did; empty before the first."""
    error: str
    """Why none answers; empty while one does."""


class Hub(Protocol):
    """The fleet, as one hub tells it."""

    @property
    def contact(self) -> Contact:
        """How things stand now."""

    async def ask(self, op: str, args: Mapping[str, Any], who: Who) -> Any:
        """The result of one operation, narrowed to what `who` may; raises console.errors.Problem."""

    def feed(self) -> AsyncIterator[Feed | Contact]:
        """Every item of the live feed from now on, and each change of contact; bounded, a gap shows in `Feed.seq`."""
