"""How samples reach the hub: the present one at once, behind it those that were kept while nobody took them.

Theory.  A sample means nothing without the roster that it names, so it goes off only once the hub has that one
(`AgentSession.has`).  The present sample waits for the present roster; an old one has its own roster told again first,
as one of the past, which changes nothing of what the hub shows.  So a hub that never saw this agent before gets the
whole history of the cut, with the processes that ended in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initd.link.backlog import Backlog, Kept
from initd.link.conversation import Conversation
from initd.link.loop import Loop
from wire.messages import Roster, Sample
from wire.session import AgentSession

CATCH_UP = 5.0
"""Kept samples are told so many times as fast as they were made."""

SILENT_PERIODS = 2.5
"""After so long without an answer it is not believed that samples arrived."""


class Showing:
    """The samples of one agent; `session` is that of its present boot, `talk` with the hub that serves it now."""

    def __init__(self, loop: Loop, session: AgentSession, talk: Callable[[], Conversation]) -> None:
        self._loop, self._session, self._talk = loop, session, talk
        self.backlog = Backlog()
        self._newest: Kept | None = None
        """The present sample, until it was sent."""
        self._telling: Any = None
        self._heard_at = loop.now()

    def take(self, sample: Sample, roster: Roster) -> None:
        """A new sample; the one before is kept if nobody took it."""
        if self._newest is not None:
            self.backlog.keep(self._newest)
        self._newest = Kept(sample, roster)
        self.show()

    def heard(self) -> None:
        """The hub answered: what arrived need not be kept, and what may be lost while it was silent has to be."""
        now = self._loop.now()
        if now - self._heard_at > SILENT_PERIODS * self._session.period:
            self.backlog.doubt()
        self._heard_at = now
        self.backlog.sure(now - self._talk().session.round_trip)

    def show(self) -> None:
        """Send the present sample if that can be; after it those that were kept."""
        if self._newest is None or not self._session.has(self._newest.roster):
            return
        if self._talk().publish(self._newest.sample):
            self.backlog.sent(self._newest)
            self._newest = None
            if self._telling is None and len(self.backlog):
                self._again()

    def _again(self) -> None:
        self._telling = self._loop.at(self._loop.now() + self._session.sample_period / CATCH_UP, self._tell_old)

    def _tell_old(self) -> None:
        """Send the oldest sample that was kept, or have its roster told before; else the next present one goes on."""
        self._telling, session = None, self._session
        if session.roster is None or not session.has(session.roster):
            return
        old = self.backlog.next(self._loop.now())
        if old is None:
            return
        if session.has(old.roster):
            if self._talk().publish(old.sample):
                self.backlog.sent(old)
                self._again()
                return
        elif not session.silent:
            session.recall(old.roster)
            self._talk().go_on()
            self._again()
        self.backlog.back(old)
