"""The words between the loop and the core: what happened (events), and what is to be done about it (effects).

Theory.  The core is pure; everything it wants done it returns as effects, in order, and the loop carries them out.  A
store call carries `then`, a function of the core that turns the outcome into further effects when it arrives, so a
request that waits for the disk reads as one story in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.alerts.notices import Notice
from hub.clock import Instant
from hub.engines.reports import EngineCommand, Report
from wire._record import Record
from wire.messages import Message


class Route(Record):
    """The way back to one requester."""

    port: str
    """`agents`, `clients` or `enrol`."""
    envelope: tuple[bytes, ...]


class Asked(Record):
    """A message from an authenticated peer."""

    route: Route
    user: str
    """User-Id of the gate: agent id, client name, or the public key on the enrolment port."""
    peer: str
    message: Message


class Garbled(Record):
    """Bytes from an authenticated peer that are no message."""

    route: Route
    user: str
    reason: str


class Published(Record):
    """A sample or a live event of an agent."""

    user: str
    message: Message


class Watched(Record):
    """Somebody subscribed to a topic of the feed, or the last one left it."""

    topic: str
    on: bool


class Reported(Record):
    """A report of an engine."""

    report: Report


class Stored(Record):
    """The outcome of a store call with its continuation."""

    then: Then
    value: Any
    error: str
    """"" where it succeeded."""


class StoreNews(Record):
    """The store went away, came back, or is not what it was."""

    away_since: float | None
    """Wall time; None while it is there."""
    renewed: str
    """Why writes that it acknowledged last may be missing; "" where they are not."""


class Undelivered(Record):
    """A Send to an agent's command route failed: the route is dead."""

    agent: str


class Tick(Record):
    """Time has passed."""


class Send(Record):
    """Send one message; `agent` names whose command route it is, for Undelivered."""

    route: Route
    message: Message
    agent: str = ""


class Publish(Record):
    """One item of the feed."""

    topic: str
    body: Any


class Store(Record):
    """One call of the store."""

    method: str
    args: tuple[Any, ...]
    then: Then | None = None


class Order(Record):
    """One order for an engine."""

    engine: str
    command: EngineCommand


class Admit(Record):
    """Who may come in from now on: (domain, public key) -> User-Id."""

    table: Mapping[tuple[str, str], str]


class Renew(Record):
    """Bind the feed anew: its readers come back in a moment, those whose key was revoked do not."""


class Rotate(Record):
    """Listen under a next key too until this time; None = under that alone.  `then` gets a rotation.Standing."""

    until: float | None
    then: Then


class Notify(Record):
    """Tell the sinks; a test of them answers with a map for each of them what became of it."""

    notice: Notice
    then: Then | None = None


class Poll(Record):
    """The engines to keep contact with from now on; the others are left alone."""

    engines: frozenset[str]


class Leave(Record):
    """The hub has drained: it ends."""


class Say(Record):
    """One line for the hub's log."""

    line: str


Event = Asked | Garbled | Published | Watched | Reported | Stored | StoreNews | Undelivered | Tick
Effect = Send | Publish | Store | Order | Admit | Renew | Rotate | Notify | Poll | Leave | Say
Effects = list[Effect]
Then = Callable[[Any, str, Instant], Effects]
"""(value, error, now) -> effects; `error` is "" where the call succeeded."""
