"""The words between the loop and the core: what happened (events), and what is to be done about it (effects).

Theory.  The core is pure; everything it wants done it returns as effects, in order, and the loop carries them out.  A
store call carries `then`, a function of the core that turns the outcome into further effects when it arrives, so a
request that waits for the disk reads as one story in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.alerts.notices import Notice
from hub.alerts.rules import Sink
from hub.clock import Instant
from hub.engines.reports import EngineCommand, Report
from wire._record import Record
from wire.messages import Beat, Heartbeat, Message, Query, Sample


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


class Beaten(Record):
    """Heartbeats, as they came one after the other."""

    beats: tuple[tuple[Route, str, Heartbeat], ...]
    """From where, by whom, and what it says."""


class Garbled(Record):
    """Bytes from an authenticated peer that are no message."""

    route: Route
    user: str
    reason: str


class Published(Record):
    """A sample or a live event of an agent."""

    user: str
    message: Message


class Sampled(Record):
    """Samples of many agents, as they came."""

    samples: tuple[tuple[str, Sample], ...]
    """User and sample."""


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

    busy: float | None = None
    """How much of it the loop did not sleep, 0 to 1, where that was looked at."""


class Send(Record):
    """Send one message; `agent` names whose command route it is, for Undelivered."""

    route: Route
    message: Message
    agent: str = ""


class Answer(Record):
    """Answer the heartbeats of many agents, each with its own `durable`."""

    beat: Beat
    routes: tuple[tuple[Route, int], ...]


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


class Reread(Record):
    """Read the file of alert rules again; `then` gets a Book, or an error that names every problem."""

    then: Then


class Employ(Record):
    """The sinks to tell of alerts from now on."""

    sinks: tuple[Sink, ...]


class Dial(Record):
    """The hubs to have a link to from now on: name -> where it serves clients, and its key."""

    peers: Mapping[str, tuple[str, str]]


class Ask(Record):
    """Ask another hub; a Replied follows, unless it does not answer."""

    hub: str
    query: Query


class Replied(Record):
    """Another hub's answer."""

    hub: str
    message: Message


class Poll(Record):
    """The engines to keep contact with from now on; the others are left alone."""

    engines: frozenset[str]


class Leave(Record):
    """The hub has drained: it ends."""


class Say(Record):
    """One line for the hub's log."""

    line: str


Requested = Asked | Beaten | Garbled
Event = Requested | Published | Sampled | Watched | Reported | Stored | StoreNews | Undelivered | Tick | Replied
Effect = (
    Send | Answer | Publish | Store | Order | Admit | Renew | Rotate | Notify | Reread | Employ | Poll | Leave | Say
    | Dial | Ask
)  # fmt: skip
Effects = list[Effect]
Then = Callable[[Any, str, Instant], Effects]
"""(value, error, now) -> effects; `error` is "" where the call succeeded."""
