"""The event stream of one engine: parsed, bounded, and never trusted to be alive.

Theory.  A cut link leaves the stream silent, not ended.  So a stream is believed for SILENCE seconds only: then it is
opened again *since the last event seen*, which replays whatever was missed (the engine keeps its last 256 events), and
costs one request a minute on an idle engine.  The filter leaves the engine's own `exec_*` events out, of which a health
check makes three each time.  More than ENGINE_EVENTS a second are a flood: the stream is cut until the second is over,
the flood is reported, and the list, which is the truth anyway, makes up for what was lost.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from hub.engines.api import Api
from hub.engines.gate import Gate
from hub.engines.lines import Stream
from hub.engines.reasons import EngineError
from hub.engines.reports import ACTIONS, ContainerEvent
from hub.engines.values import CONTAINER_ID, labels, parsed, text, whole, within
from wire._record import Record

SILENCE = 60.0
"""Seconds after which a silent stream is opened again: the longest time an event can be late on a dead connection."""
FUTURE = 60.0
"""Events are continued from the stamp of the last one unless that lies further ahead than this, seconds."""
GAP = 1.0
"""Shortest time between two openings, seconds."""
PODMAN = {"died": "die", "remove": "destroy"}
"""Words of Podman's own: its filter knows only them, its events are told in either."""
_FILTER = json.dumps({"type": ["container"], "event": sorted(ACTIONS | PODMAN.keys())})


class Happened(Record):
    """An event and its place in the engine's stream."""

    container: str
    action: str
    attributes: dict[str, str]
    stamp: int
    """The engine's clock, nanoseconds since the epoch."""


class Touched(Record):
    """To the engine's own thread: something changed at this container; "" = somewhere, list all."""

    container: str
    flood: bool = False


def happened(line: bytes) -> Happened | None:
    """The event in one line; None for what is not passed on."""
    event = parsed(line)
    container = within(event, "Actor", "ID") or within(event, "id")
    action, _, state = text(within(event, "Action") or within(event, "status"), 64).partition(": ")
    action, stamp = PODMAN.get(action, action), whole(within(event, "timeNano"))
    known = action in ACTIONS and isinstance(container, str) and CONTAINER_ID.fullmatch(container)
    if not known or stamp is None:
        return None
    attributes = labels(within(event, "Actor", "Attributes"))
    state = state or (attributes.get("health_status", "") if action == "health_status" else "")
    return Happened(str(container), action, {**attributes, "health": state} if state else attributes, stamp)


class Watch:
    """Reads one engine's events in a thread of its own until it is cut."""

    def __init__(
        self,
        name: str,
        api: Api,
        since: int,
        offset: float,
        post: Callable[[ContainerEvent], None],
        tell: Callable[[Touched], None],
    ) -> None:
        """`since`: engine's clock in ns; `offset`: seconds that the hub's clock is ahead of the engine's."""
        self.since = since
        """Where to continue: the engine's clock, nanoseconds."""
        self.offset = offset
        self._name, self._api, self._post, self._tell = name, api, post, tell
        self._stream: Stream | None = None
        self._gate, self._cut = Gate(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"events {name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def cut(self) -> None:
        """End it; returns at once."""
        self._cut.set()
        if self._stream is not None:
            self._stream.cut()

    def _run(self) -> None:
        while not self._cut.is_set():
            opened = time.monotonic()
            try:
                self._read()
            except EngineError:  # whether the engine is gone is for the list to find out, which this asks for
                self._tell(Touched(""))
            self._cut.wait(max(opened + GAP - time.monotonic(), self._gate.wait(time.monotonic())))

    def _read(self) -> None:
        seconds, nanos = divmod(self.since, 10**9)
        parameters: dict[str, str | int] = {"filters": _FILTER, "since": f"{seconds}.{nanos:09d}"}
        stream = self._stream = self._api.lines("/events", parameters, SILENCE)
        lines = iter(stream)
        while not self._cut.is_set() and (line := next(lines, None)) is not None:
            if not self._gate.admit(time.monotonic()):
                self._tell(Touched("", flood=True))
                break
            self._take(happened(line))
        stream.cut()

    def _take(self, event: Happened | None) -> None:
        if event is None:
            return
        at = event.stamp / 1e9 + self.offset
        if at < time.time() + FUTURE:  # continuing from a stamp beyond would shut all later events out
            self.since = event.stamp + 1
        self._post(ContainerEvent(self._name, at, event.container, event.action, event.attributes))
        self._tell(Touched(event.container))
