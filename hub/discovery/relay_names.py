"""What relays are called, which of them are there, and whose key gives way to a new one.  Pure.

Theory.  The name of an engine behind a relay is chosen once, at enrolment: the host name the relay gave, with a number
where another engine has it.  A relay that lost its key (a container without a volume) enrols anew with the same token;
if its namesake of that token is gone it gets the name back, so that an engine keeps its name and its history.
"""

from __future__ import annotations

from collections import deque
from itertools import count

from hub.clock import Instant
from hub.engines.gate import Gate
from hub.engines.relayed import Clock
from hub.fleet import Fleet
from hub.store.rows import KeyRow, TokenRow
from hub.words import Route
from wire import limits
from wire import relay as R
from wire._record import Record
from wire.messages import HubAddress

LOST = 3.0
"""Periods of silence after which a relay's engine counts as unreachable."""
EXPECTED = 10.0
"""Periods after the hub's start, or an enrolment, in which a relay that was not heard yet may still come."""
LISTS = 5
"""Most lists a second that are read from one relay; an honest one sends one after each event, at most at a fifth
of its time."""


class Waiting(Record):
    """An order that its relay has not answered."""

    message: R.ContainerOrder
    deadline: float
    """Monotonic."""


class Relay:
    """One relay and what is known of it since the hub's start."""

    def __init__(self, key: str, engine: str, heard: float) -> None:
        self.key, self.engine, self.heard = key, engine, heard
        self.boot = ""
        """Of the start that was heard last; "" = not heard since the hub's start."""
        self.route: Route | None = None
        """The connection it presented itself on; None = it is lost, stopped, or was not heard yet."""
        self.verbs: frozenset[str] = frozenset()
        self.offsets: deque[float] = deque(maxlen=8)
        self.number = 0
        """Of the list that is being put together, or was last."""
        self.parts: list[tuple[R.RelayContainer, ...]] = []
        self.listed = False
        """Whether the hub has a list of this boot since it was heard again."""
        self.orders: dict[str, Waiting] = {}
        self.had: deque[str] = deque(maxlen=limits.RELAY_RESULTS)
        """Orders whose results have come."""
        self.events, self.lists = Gate(), Gate(LISTS)
        self.dropped = 0
        """Events and samples it had to drop because the hub did not read, of this boot."""
        self.told: tuple[Route | None, tuple[HubAddress, ...]] = (None, ())
        """The hubs it was told of, and over which connection."""
        self.refused = 0
        """Containers of its last list that another engine holds."""

    def clock(self, now: Instant) -> Clock:
        """Its clock: the quickest beats tell it best, since delay only adds."""
        return Clock(now.wall, min(self.offsets, default=0.0))


class RelayNames:
    """The relays of a fleet by the name of their key."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.relays: dict[str, Relay] = {}
        self.reserved: set[str] = set()
        """Names of keys that the store is writing."""

    def name(self, wanted: str, token: str, now: Instant) -> str:
        """The name of the key for a new relay; that of a relay of the same token that is gone may be taken over."""
        plain = "".join(char if char.isascii() and (char.isalnum() or char in "_.-") else "-" for char in wanted)
        base = (plain.lstrip("_.-") or "engine")[:48]
        names = (_numbered(base, number) for number in count(1))
        chosen = next(f"relay.{name}" for name in names if self._is_free(name, token, now))
        self.reserved.add(chosen)
        return chosen

    def _is_free(self, engine: str, token: str, now: Instant) -> bool:
        if f"relay.{engine}" in self.reserved:
            return False
        row = self.fleet.relay_keys.get(f"relay.{engine}")
        if row is not None:
            return row.token == token and not self.is_there(row.subject, now)
        return engine not in self.fleet.settings.engines and engine not in self.fleet.engines

    def is_there(self, key: str, now: Instant) -> bool:
        """Whether a relay counts as alive: heard of late, or not yet since it was enrolled or the hub was started."""
        relay = self.relays.get(key)
        if relay is None:
            return True
        patience = LOST if relay.boot else EXPECTED
        present = relay.route is not None or not relay.boot
        return present and now.attention - relay.heard < patience * self.fleet.settings.period

    def live(self, token: str, now: Instant) -> int:
        """How many relays of this token count as alive."""
        return sum(1 for row in self.of_token(token) if self.is_there(row.subject, now))

    def of_token(self, token: str) -> list[KeyRow]:
        """The keys of relays that came with this token."""
        return [row for row in self.fleet.relay_keys.values() if row.token == token]

    def superseded(self, name: str, token: TokenRow, now: Instant) -> list[KeyRow]:
        """Keys that give way to a new one: its namesake, and the oldest that are gone beyond the token's cap."""
        mine = self.of_token(token.id)
        namesakes = [row for row in mine if row.subject == name]
        gone = [row for row in mine if row.subject != name and not self.is_there(row.subject, now)]
        room = (token.live_cap or 1) - 1 - (len(mine) - len(namesakes))
        return [*namesakes, *(sorted(gone, key=lambda row: row.created_at)[:-room] if room < 0 else [])]


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"
