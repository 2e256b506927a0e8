"""One period of contact with an engine: from its first answer until it is lost or closed.

Theory.  The list is pulse and truth in one: it comes every PULSE seconds, sooner when an event touched something, and
the first that fails ends the contact.  Everything opened for this contact (events, statistics) is cut with it, so that
nothing of an old one outlives it.  Lists cost the engine at most a fifth of its time: the pause after one is at least
four times as long as it took, however many events ask for the next.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from hub.engines import listing
from hub.engines.api import ONE_SHOT, Api, Tls
from hub.engines.inventory import Inventory
from hub.engines.listing import MEASURED_STATES
from hub.engines.meter import Polls, Samples, Streams
from hub.engines.reasons import EngineError
from hub.engines.reports import ContainerList, EngineState, Report
from hub.engines.sizes import Sizes
from hub.engines.stats import Host
from hub.engines.values import NAN, mapping, moment, sequence, text, whole, within
from hub.engines.watch import Touched, Watch
from wire._record import Record
from wire.limits import ENGINE_LIST_BYTES, ENGINE_LIST_SECONDS

PULSE = 5.0
"""Seconds between two lists of a quiet engine: how late a change can be seen if its event was lost."""
COALESCE = 0.1
"""Seconds to wait after an event before the list is read: the engine tells it before its own list shows it."""
BURST = 1.0
"""Longest time that further events can put the list off, seconds."""
REST = 4.0
"""The pause after a list, in multiples of the time it took."""
DETAILS_SECONDS = 2.0
"""Longest time spent on details between two lists; the rest of them comes with the next."""
INTRODUCE = 60.0
"""Seconds between two looks at the engine's own figures (clock, memory, CPUs)."""


class Settings(Record):
    """One engine as configured."""

    name: str
    url: str
    tls: Tls | None
    mode: str
    """auto, poll, stream or agent."""
    sample_period: float


Inbox = queue.SimpleQueue[Touched | None]
"""To the engine's thread: what was touched; None = stop."""


_METERS: dict[str, type[Polls] | type[Streams]] = {"poll": Polls, "stream": Streams}


def kind_of(version: Mapping[str, object]) -> str:
    """`docker` or `podman`, from an engine's account of itself."""
    names = [text(within(part, "Name"), 64) for part in sequence(version.get("Components"))]
    return "podman" if any(name.startswith("Podman") for name in names) else "docker"


class Contact:
    """Lists, watches and measures one engine; used by one thread."""

    def __init__(
        self, settings: Settings, post: Callable[[Report], None], inbox: Inbox, sizes: Sizes, before: EngineState
    ) -> None:
        """Connects to nothing yet; `before` is what was last known of the engine."""
        self.state = before
        self._settings, self._post, self._inbox, self._sizes = settings, post, inbox, sizes
        self._api = Api(settings.url, settings.tls)
        self._inventory = Inventory()
        self._watch: Watch | None = None
        self._meter: Polls | Streams | None = None
        self._samples = Samples(settings.name, post)
        self._introduced = 0.0

    def open(self, since: int | None) -> None:
        """Introduce both sides and begin to watch; events from `since` (engine's clock, ns) are replayed."""
        version = self._api.negotiate()
        kind = kind_of(version)
        self.state = self.state._replace(
            version=text(version.get("Version"), 64),
            api="{}.{}".format(*self._api.version),
            kind=kind,
            stats=self._mode(kind),
        )
        now_there, offset = self._introduce()
        name, post = self._settings.name, self._post
        self._watch = Watch(name, self._api, now_there if since is None else since, offset, post, self._inbox.put)
        self._watch.start()
        meter = _METERS.get(self.state.stats)
        if meter is not None:
            self._meter = meter(name, self._api, self._samples, self._settings.sample_period)

    def _mode(self, kind: str) -> str:
        """Podman answers one-shots at once in every version; its streams bring a sample each 5 s."""
        if self._settings.mode != "auto":
            return self._settings.mode
        return "poll" if kind == "podman" or self._api.version >= ONE_SHOT else "stream"

    def _introduce(self) -> tuple[int, float]:
        """The engine's clock (ns) and how far ours is ahead of it (seconds); its own figures go to the state."""
        asked = time.time()
        answer = mapping(self._api.get("/info", seconds=ENGINE_LIST_SECONDS))
        wall = (asked + time.time()) / 2
        there = moment(answer.get("SystemTime"))
        clock = wall if there is None else there
        self.state = self.state._replace(
            host=text(answer.get("Name"), 253),
            cpus=whole(answer.get("NCPU")) or 0,
            memory=whole(answer.get("MemTotal")) or 0,
            clock_ahead=wall - clock,
        )
        self._introduced = time.monotonic()
        return int(clock * 1e9), wall - clock

    def _refresh(self, now: float) -> None:
        """Its own figures once in a while; if they do not come, the list decides whether it is still there."""
        if now - self._introduced > INTRODUCE and self._watch is not None:
            self._introduced = now
            with suppress(EngineError):
                self._watch.offset = self._introduce()[1]

    def follow(self) -> bool:
        """One list and the wait for the next; False when asked to stop.  Raises EngineError when contact is lost."""
        begun = time.monotonic()
        self._refresh(begun)
        self._list()
        self._sizes.measure(self._api, begun)
        ended = time.monotonic()
        return self._wait(ended + REST * (ended - begun), ended + PULSE)

    def _list(self) -> None:
        answer = self._api.get("/containers/json", {"all": "true"}, ENGINE_LIST_BYTES, ENGINE_LIST_SECONDS)
        at = time.time()
        if not isinstance(answer, list):
            raise EngineError("/containers/json: the answer is no list: is it a Docker engine?")
        briefs, left_out = listing.briefs(answer)
        self._inventory.replace(briefs)
        self._ask_details()
        rows = self._inventory.rows(self._sizes.known)
        self.state = self.state._replace(
            at=at, up=True, error="", seen_at=at, containers=len(rows) + left_out, left_out=left_out
        )
        self._post(self.state)
        self._post(ContainerList(self._settings.name, at, rows))
        if self._meter is not None:
            memory = self.state.memory
            running = [row for row in rows if row.state in MEASURED_STATES]
            targets = {row.id: Host(memory, NAN if row.cpu_limit is None else row.cpu_limit) for row in running}
            self._samples.keep(targets)
            self._meter.aim(targets)

    def _ask_details(self) -> None:
        begun = time.monotonic()
        for brief in self._inventory.wanted(begun):
            now = time.monotonic()
            try:
                answer = self._api.get(f"/containers/{brief.id}/json")
            except EngineError as error:
                if error.status == 404:
                    self._inventory.drop(brief)
                    continue
                self._inventory.shy(brief, now)
                return  # one stuck container costs one time-out between two lists
            self._inventory.learn(brief, listing.detail(answer), now)
            if now - begun > DETAILS_SECONDS:
                self._inbox.put(Touched(""))
                return

    def _wait(self, soonest: float, latest: float) -> bool:
        """Until `latest`, or until `soonest` if something is touched; monotonic seconds."""
        until = last = latest
        while (left := until - time.monotonic()) > 0:
            try:
                touched = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            if touched is None:
                return False
            now = time.monotonic()
            last = min(last, max(soonest, now + BURST))
            until = min(max(soonest, now + COALESCE), last)
            self._note(touched)
        return True

    def _note(self, touched: Touched) -> None:
        if touched.container:
            self._inventory.touch(touched.container)
        if touched.flood:
            self.state = self.state._replace(floods=self.state.floods + 1)

    def close(self) -> int | None:
        """Cut everything, at once; where the next contact should continue to read events."""
        if self._meter is not None:
            self._meter.stop()
        if self._watch is not None:
            self._watch.cut()
        self._api.close()
        return None if self._watch is None else self._watch.since
