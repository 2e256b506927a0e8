"""What the supervisor has still to do: events for the machines first, then the news of what was done.

Theory.  Two queues.  Events that arise while one is being handled (a listener that reacts to a change) wait in the
first, so every event meets a settled machine.  What is to be written down and told of what was done (initd.effects)
waits in the second until no event is left, and for what is done `together` (all starts, all deaths of a moment) until
all of it is done: of two hundred programs the last would else wait for two hundred lines, and a restart for the
obituary of its predecessor.  What is told may bring new events; they come before the rest of the news.
"""

from __future__ import annotations

from initd.native import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.events import Event
    from initd.process import Process

    Telling = Callable[..., object]


class Agenda:
    """`handle(process, event)` and `tell(what, process, *about)` do the work; they never raise."""

    def __init__(self, handle: Callable[[Process, Event], object], tell: Callable[..., object]) -> None:
        self._handle = handle
        self._tell = tell
        self._events: deque[tuple[Process, Event]] = deque()
        self._news: deque[tuple[object, ...]] = deque()
        self._busy = False
        self._together = 0
        """How many of `together` are under way, one inside the other."""

    def feed(self, process: Process, event: Event) -> None:
        """Present an event to a machine, now or after those that are being handled."""
        self._events.append((process, event))
        self._settle()

    def later(self, what: Telling, process: Process, *about: object) -> None:
        """Put something on the list of news."""
        self._news.append((what, process, *about))

    def together(self, act: Callable[[], object]) -> None:
        """Do something, and tell the news of it when all of it is done."""
        self._together += 1
        try:
            act()
        finally:
            self._together -= 1
            self._settle()

    def tell_news(self) -> None:
        """Tell all there is to tell now; events that this brings wait."""
        while self._news:
            self._tell(*self._news.popleft())

    def _settle(self) -> None:
        """Handle all events and tell all news, unless that is being done already."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._events or (self._news and not self._together):
                if self._events:
                    self._handle(*self._events.popleft())
                else:
                    self._tell(*self._news.popleft())
        finally:
            self._busy = False
