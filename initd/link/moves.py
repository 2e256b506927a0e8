"""The connections to hubs: to the one that serves us, and beside it, while we mean to move, to the one where we knock.

Theory.  wire.places says where to be.  A hub that served us is left only when another one has let us in: until then its
conversation goes on with heartbeats, facts and commands, and the next hub's is one of its own that does no more than
register.  Once that is answered, the session goes over to it and the old connections are dropped.  Where no hub serves
us there is one conversation, which goes from hub to hub.  Each move is said, with its reason; but where moves are many
(a bad network, a fleet without hubs) only so many in a time are, since what we say is in the container's log.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from initd.link.conversation import Conversation, Ears
from initd.link.identity import addresses
from initd.link.loop import Loop
from wire.keys import KeyPair
from wire.messages import HubAddress
from wire.places import Places
from wire.session import AgentSession, News, Phase
from wire.sockets import Context

FIRST_SECONDS = 0.2
"""Shortest pause between tries to connect, and the longest random wait before the first registration."""

LINES, LINE_SECONDS = 12, 30.0
"""So many lines about moves at once, and one more after each such pause."""


class Diary:
    """Says what happens on the way, within bounds; what was left out is counted in the next line."""

    def __init__(self, say: Callable[[str], object], now: float) -> None:
        self._say, self._room, self._at, self._left_out = say, float(LINES), now, 0

    def tell(self, line: str, now: float) -> None:
        """One line, if there is room for it."""
        self._room, self._at = min(self._room + (now - self._at) / LINE_SECONDS, LINES), now
        if self._room < 1.0:
            self._left_out += 1
            return
        more = f" ({self._left_out} lines about moves before this one were left out)" if self._left_out else ""
        self._room, self._left_out = self._room - 1.0, 0
        self._say(line + more)


class Moves:
    """`ears` hear what the hub that serves us says; `refused` that no hub knows our key."""

    def __init__(
        self, loop: Loop, context: Context, session: AgentSession, ears: Ears, say: Callable[[str], object]
    ) -> None:
        self._loop, self._context, self._ears = loop, context, ears
        self._diary = Diary(say, loop.now())
        self.places: Places | None = None
        self._pair: KeyPair | None = None
        own = ears._replace(refused=self.unknown, reached=lambda: self._reached(self.talk))
        self.talk = Conversation(loop, context, session, own)
        """With the hub that serves us, or is to."""
        self.door: Conversation | None = None
        """With the one where we knock."""
        self._since = loop.now()
        self._timer: Any = None

    # -- going -------------------------------------------------------------------------------------------------------

    def settle(self, hubs: tuple[HubAddress, ...], pair: KeyPair) -> None:
        """Talk to one of these, under this key; what there was before is dropped."""
        self.places, self._pair = Places(hubs, self._loop.now()) if hubs else None, pair
        self.visit()

    def renew(self, pair: KeyPair) -> None:
        """Talk under another key."""
        self._pair = pair
        self.visit()

    def visit(self) -> None:
        """Talk to the hub where we are to be, and to no other."""
        if self.places is None or self._pair is None:
            return
        self.stay()
        self._introduce()
        self.talk.session.restart(self._loop.now() + random.uniform(0.0, FIRST_SECONDS))
        hub = self.places.visit(self._loop.now())
        self.talk.open(hub, self._pair, random.uniform(FIRST_SECONDS / 2, FIRST_SECONDS))

    def knock(self) -> None:
        """Ask the hub where we are to be to let us in, while the present one goes on."""
        assert self.places is not None and self._pair is not None
        self.stay()
        self._introduce()
        self._since = self._loop.now()
        hub = self.places.knock(self._since)
        door = Conversation(self._loop, self._context, self.talk.session.knocking(self.talk.now()), self._ears._replace(
            news=lambda news: self._at_the_door(door, news), refused=lambda: self._not_here(door),
            reached=lambda: self._reached(door),
        ))  # fmt: skip
        self.door = door
        door.open(hub, self._pair, random.uniform(FIRST_SECONDS / 2, FIRST_SECONDS))

    def _introduce(self) -> None:
        self.talk.session.who = self.talk.session.who._replace(addresses=addresses())

    def stay(self) -> None:
        """Knock no more."""
        if self.door is not None:
            self.door.close()
            self.door = None

    def close(self) -> None:
        """Drop all connections."""
        self.stay()
        self.talk.close()

    def attend(self) -> None:
        """Go where we are to be, now and whenever that is due from now on."""
        now, period = self._loop.now(), self.talk.session.period
        if self.places is not None and self.talk.session.phase not in (Phase.LEAVING, Phase.LEFT):
            here = self._here()
            if self.places.look(now, period):
                met = self.places.met and self.talk.is_open
                (self.knock if met else self.visit)()
                self._diary.tell(f"hub {here}: {self.places.why}; {'knocking at' if met else 'to'} {self._here()}", now)
            self._tidy()
        self._look_again()

    def _look_again(self) -> None:
        """At the next moment that matters; what a hub says may have brought it nearer."""
        now, period = self._loop.now(), self.talk.session.period
        due = self.places.next(now, period) if self.places is not None else now + period
        if self._timer is not None:
            if self._timer.callback is not None and self._timer.deadline <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.at(due, self.attend)

    def _here(self) -> str:
        """The address that we turned to last."""
        place = (self.door or self.talk).place
        return place.command if place is not None else "(none)"

    def _tidy(self) -> None:
        """Where we turned back there is nothing to knock at any more."""
        if self.door is not None and self.places is not None and self.places.kept is None:
            self._diary.tell(f"hub {self._here()} did not let us in: staying where we are", self._loop.now())
            self.stay()

    # -- hearing -----------------------------------------------------------------------------------------------------

    def _at_the_door(self, door: Conversation, news: News) -> None:
        """What the hub says at which we knock."""
        if door is not self.door or self.places is None:
            return
        now, period = self._loop.now(), self.talk.session.period
        if news.registered is not None:
            self._let_in(door, news)
            return
        if news.hubs:
            self.places.told(news.hubs, now)
        if news.elsewhere:
            self.places.away(now, period)
            self._tidy()
        elif news.refused is not None and news.refused.code == "unknown-key":
            self._not_here(door)
        elif news.refused is not None:
            self.places.refused(now, f"it refuses: {news.refused.message}")
            door.close()
        self._look_again()

    def _let_in(self, door: Conversation, news: News) -> None:
        """The session goes on there; who hears of the registration finds the new hub to be the present one."""
        assert news.registered is not None
        told = self.talk.session.admitted(news.registered, door.session, self.talk.now())
        self.door = None
        self.talk.take_over(door)
        self._diary.tell(f"hub {self._here()} let us in after {self._loop.now() - self._since:.1f} s", self._loop.now())
        self._ears.news(told)
        self.talk.go_on()

    def place(self, news: News, period: float) -> None:
        """What an answer of the hub that serves us means for where we are."""
        if self.places is None or news.refused is not None or not self.talk.is_open:
            return
        now = self._loop.now()
        if news.hubs:
            self.places.told(news.hubs, now)
        if self.door is not None:
            if not self.places.still(now, not news.elsewhere):
                return
            self._tidy()
        if news.elsewhere:
            self.places.away(now, period)
            self._look_again()
        else:
            self.places.answered(now)

    def unknown(self) -> None:
        """The hub that serves us, or is to, does not know our key (any more)."""
        if self.door is None:
            self._not_here(self.talk)
            return
        door, self.door = self.door, None
        if self.places is not None:
            self.places.lost()
        self.talk.session.restart(self._loop.now())
        self.talk.take_over(door)
        self.talk.go_on()

    def _not_here(self, talk: Conversation) -> None:
        """Nor does the one that we turned to."""
        talk.close()
        if self.places is not None and self.places.several and self.places.unknown(self._loop.now()):
            self._look_again()
            return
        self.close()
        self._ears.refused()

    def _reached(self, talk: Conversation) -> None:
        """The machine of the hub that we turned to took our connection: it may be busy, but we are not alone."""
        if self.places is not None and talk is (self.door or self.talk):
            self.places.connected(self._loop.now())
