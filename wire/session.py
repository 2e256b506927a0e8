"""The agent's side of the conversation with its hub, without any socket, clock or file.

Theory.  One request is under way at a time (REQ).  The owner asks `next(now)` and gets one of
    Send(message)       send it as a request; then the answer goes to `received`, a refused send to `unsent`
    Fetch(after, most)  get facts from PID 1, oldest first, and hand them to `bring`
    Wait(until)         nothing to do before then (monotonic seconds)
and calls `next` again after every event.  What is sent, the first that applies:
    not registered                      Register
    leaving, and facts told or time up  Goodbye
    a period after the last one         Heartbeat       before all that follows: a long replay must not cost liveness
    the hub lacks the present roster    Roster
    facts beyond what was sent          Facts
An answer that does not come within a period makes the request void; what is due then is sent anew.  All requests may be
repeated and all answers carry states, not steps, so that lost, doubled and late frames do no harm.

Facts.  `durable` is what the hub says it stored; `sent` is how far we told it.  Replay goes on after `sent`, without
waiting for the store; where `durable` falls (a store failed over), or the hub asks for what follows (the store was
away), or `durable` has not reached `sent` in two periods (twice as long after each vain try, so that a slow store is
not flooded), `sent` goes back to it and what follows is told again.
So each fact arrives at least once, and in order within a message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from wire import limits
from wire.batches import sendable
from wire.codec import DecodeError, decode
from wire.messages import (
    Ack,
    Beat,
    Facts,
    Goodbye,
    Heartbeat,
    HubAddress,
    Message,
    Refused,
    Register,
    Registered,
    Rekey,
    Rekeyed,
    Roster,
)
from wire.model import Fact

__all__ = ["AgentSession", "Fetch", "News", "Now", "Phase", "Send", "Wait"]

WATCHED_PERIOD = 1.0
"""Seconds between samples while somebody watches."""

LEAVE_SECONDS = 0.5
"""Facts are told for so long after `leave`; then Goodbye goes first, since PID 1 grants one second in all."""

PATIENCE = 16
"""Longest wait for a store that does not get on: this many times two periods.  It is slow, then, or its hub is of an
earlier release: one whose store was away asks by itself when it is back."""

VAIN = 3
"""So often the time that a registration may take is doubled: a hub to which a whole fleet comes answers late, and an
answer to a request that was given up is worth nothing."""

REFUSED_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses after each refused registration in a row."""


class Now(NamedTuple):
    """A moment on both clocks, seconds."""

    mono: float
    wall: float


class Send(NamedTuple):
    """Send this request."""

    message: Message


class Fetch(NamedTuple):
    """Get at most `most` facts with numbers above `after` from PID 1."""

    after: int
    most: int


class Wait(NamedTuple):
    """Do nothing before `until` (monotonic) unless something happens."""

    until: float


class Phase(StrEnum):
    """Where the session stands."""

    NEW = "new"
    REGISTERED = "registered"
    LEAVING = "leaving"
    LEFT = "left"


class News(NamedTuple):
    """What an answer told, for the owner: only what is set (not None) is new."""

    registered: Registered | None = None
    durable: int | None = None
    epoch: int | None = None
    hubs: tuple[HubAddress, ...] | None = None
    elsewhere: bool = False
    """The hub sends us away."""
    hello: bool = False
    refused: Refused | None = None
    garbage: str | None = None
    rekey: bool = False
    rekeyed: str | None = None


class Asked(NamedTuple):
    """The request under way."""

    kind: Any
    at: float
    until: float
    mark: int
    """Roster: its number.  Facts: the number told before them."""


class AgentSession:
    """See the module's docstring.  `who` is a template of Register whose clocks and numbers are filled in."""

    def __init__(self, who: Register, first_at: float, period: float = 2.0) -> None:
        self.who, self.period, self.sample_period = who, period, 5.0
        self.phase, self.watched, self.epoch = Phase.NEW, False, who.epoch
        self.last_seq, self.first_seq, self.dropped = who.last_seq, who.first_seq, 0
        self.durable = self.sent = 0
        self.sent_at = self.beat_at = first_at
        self.fetch_until = 0.0
        self.register_at, self.refusals = first_at, 0
        self.round_trip, self.silent, self.patience = 0.0, 0, 1
        self.asked: Asked | None = None
        self.roster: Roster | None = None
        self.roster_told = 0
        self.past: Roster | None = None
        """An earlier roster, which samples name that are told late."""
        self.past_told = 0
        self.batch: tuple[Fact, ...] = ()
        self.reason, self.leave_at = "", 0.0
        self.fresh = ""
        """Public key that is offered until the hub has taken or refused it."""
        self._ahead = deque[float](maxlen=16)
        """How far the hub's wall clock was ahead of our monotonic one, by its last answers."""

    # What the owner tells.

    def noticed(self, first_seq: int, last_seq: int, dropped: int) -> None:
        """PID 1's journal holds these numbers now."""
        self.first_seq, self.last_seq, self.dropped = first_seq, last_seq, dropped

    def offer(self, roster: Roster) -> None:
        """This is the present roster; its number grows with each change."""
        self.roster = roster

    def recall(self, roster: Roster) -> None:
        """An earlier roster is to be told again, behind all else."""
        self.past = roster._replace(past=True)

    def has(self, roster: Roster) -> bool:
        """Whether the hub can tell the rows of samples that name this roster."""
        return roster.number in (self.roster_told, self.past_told)

    def bring(self, facts: Sequence[Fact]) -> None:
        """The answer to Fetch.  What PID 1 lacks at its beginning is lost; what came too late is ignored."""
        if not facts or facts[0].seq <= max(self.sent, self.first_seq - 1):
            return
        self.first_seq = max(self.first_seq, facts[0].seq) if facts[0].seq > self.sent + 1 else self.first_seq
        self.batch, self.fetch_until = tuple(facts), 0.0

    def leave(self, reason: str, now: Now) -> None:
        """The container stops: tell what is left, then say goodbye."""
        self.reason, self.leave_at = reason, now.mono + LEAVE_SECONDS
        self.phase = Phase.LEAVING if self.phase is Phase.REGISTERED else Phase.LEFT
        if self.asked is not None:
            self.asked = self.asked._replace(until=min(self.asked.until, self.leave_at))

    def unsent(self, now: Now) -> None:
        """The last Send could not be sent: there is no connection.  Call `next` again when there is one."""
        self._void()
        self.beat_at, self.register_at = min(self.beat_at, now.mono), min(self.register_at, now.mono)

    def restart(self, first_at: float) -> None:
        """Another hub, or a new key: begin with Register, not before `first_at` (monotonic)."""
        self.asked, self.register_at, self.roster_told, self.past_told = None, first_at, 0, 0
        self._ahead.clear()
        if self.phase is Phase.REGISTERED:
            self.phase = Phase.NEW

    def knocking(self, now: Now) -> AgentSession:
        """A session that does no more than register, at another hub, while this one goes on; see `admitted`."""
        who = self.who._replace(epoch=self.epoch, last_seq=self.last_seq, first_seq=self.first_seq)
        return AgentSession(who, now.mono, self.period)

    def admitted(self, answer: Registered, other: AgentSession, now: Now) -> News:
        """The other hub let us in, and this session is the one with it from now on."""
        self.restart(now.mono)
        self.silent, self.round_trip = 0, other.round_trip
        return self._take_registered(answer, None, now)

    def hub_wall(self, mono: float) -> float | None:
        """The hub's wall clock now, or a little earlier: the quickest answer tells it best, since delay takes away."""
        return mono + max(self._ahead) if self._ahead else None

    @property
    def pace(self) -> float:
        """Seconds between samples now."""
        return min(WATCHED_PERIOD, self.sample_period) if self.watched else self.sample_period

    # What the owner does next.

    def next(self, now: Now) -> Send | Fetch | Wait:
        """The next thing to do; see the module's docstring."""
        if self.asked is not None:
            if now.mono < self.asked.until:
                return Wait(self.asked.until)
            self._void()
            self.silent += 1
        if self.phase is Phase.LEFT:
            return Wait(now.mono + self.period)
        if self.phase is Phase.NEW:
            return self._register(now)
        return self._leaving(now) if self.phase is Phase.LEAVING else self._registered(now)

    def _register(self, now: Now) -> Send | Wait:
        if now.mono < self.register_at:
            return Wait(self.register_at)
        self.register_at = now.mono + self.period
        return self._send(self.who._replace(
            wall=now.wall, mono=now.mono, epoch=self.epoch, last_seq=self.last_seq, first_seq=self.first_seq,
        ), now)  # fmt: skip

    def _registered(self, now: Now) -> Send | Fetch | Wait:
        if now.mono >= self.beat_at:
            return self._heartbeat(now)
        if self.fresh:
            return self._send(Rekey(self.fresh), now)
        if self.roster is not None and self.roster.number > self.roster_told:
            return self._send(self.roster, now, self.roster.number)
        return self._replay(now, self.beat_at) or self._recalled(now) or Wait(self.beat_at)

    def _recalled(self, now: Now) -> Send | None:
        """The earlier roster that is wanted; the present one was told before it."""
        if self.past is None or self.past.number in (self.roster_told, self.past_told):
            return None
        return self._send(self.past, now, self.past.number)

    def _leaving(self, now: Now) -> Send | Fetch | Wait:
        telling = self._replay(now, self.leave_at) if now.mono < self.leave_at else None
        return telling or self._send(Goodbye(self.who.boot, self.reason, self.last_seq), now)

    def _heartbeat(self, now: Now) -> Send:
        self.beat_at = now.mono + self.period
        number = self.roster.number if self.roster else 0
        return self._send(Heartbeat(
            self.who.boot, self.last_seq, self.first_seq, now.wall, now.mono, number, self.dropped, self.round_trip,
        ), now)  # fmt: skip

    def _replay(self, now: Now, latest: float) -> Send | Fetch | Wait | None:
        """The next batch of facts, or the wish for one, or None where everything was told."""
        if self.sent >= self.last_seq:
            return None
        after = max(self.sent, self.first_seq - 1)
        if self.batch and self.batch[0].seq == after + 1:
            facts = sendable(self.who.boot, self.batch)
            self.batch = self.batch[len(facts) :]
            before, self.sent = self.sent, facts[-1].seq
            if before <= self.durable:  # else something before is not stored yet, and that is what is waited for
                self.sent_at = now.mono
            return self._send(Facts(self.who.boot, self.first_seq, facts), now, before)
        if now.mono < self.fetch_until:
            return Wait(min(self.fetch_until, latest))
        self.fetch_until = now.mono + self.period
        return Fetch(after, limits.FACTS_PER_MESSAGE * 4)

    def _send(self, message: Message, now: Now, mark: int = 0) -> Send:
        patience = self.period * (1 << min(self.silent, VAIN) if isinstance(message, Register) else 1)
        until = now.mono + patience if self.phase is not Phase.LEAVING else max(self.leave_at, now.mono + 0.2)
        self.asked = Asked(type(message), now.mono, until, mark)
        return Send(message)

    def _void(self) -> None:
        """The request under way came to nothing: what it told counts as untold."""
        if self.asked is not None and self.asked.kind is Facts:
            self.sent, self.batch = min(self.sent, self.asked.mark), ()
        self.asked = None

    # What the hub tells.

    def received(self, data: bytes, now: Now) -> News:
        """Take an answer; says what is new in it."""
        try:
            message = decode(data)
        except DecodeError as error:
            return News(garbage=str(error))
        asked, self.asked = self.asked, None
        if asked is not None:
            self.round_trip = now.mono - asked.at
        self.silent = 0
        take = self.ANSWERS.get(type(message))
        return News(garbage=f"unexpected {type(message).__name__}") if take is None else take(self, message, asked, now)

    def _take_registered(self, answer: Registered, asked: Asked | None, now: Now) -> News:
        if self.phase is Phase.NEW:
            self.phase = Phase.REGISTERED
        self.period, self.sample_period, self.refusals = answer.period, answer.sample_period, 0
        self._ahead.append(answer.wall - now.mono)
        self.beat_at = now.mono + self.period
        self.durable = self.sent = min(answer.durable, self.last_seq)
        self.batch = ()
        self.roster_told = 0 if answer.want_roster else self.roster_told
        epoch, hubs = self._epoch(answer.epoch), answer.hubs or None
        return News(registered=answer, durable=self.durable, epoch=epoch, hubs=hubs, hello=True)

    def _take_beat(self, beat: Beat, asked: Asked | None, now: Now) -> News:
        self.watched = beat.watch
        self._ahead.append(beat.wall - now.mono)
        self.period, self.sample_period = beat.period or self.period, beat.sample_period or self.sample_period
        if beat.want_roster:
            self.roster_told = 0
        if beat.register and self.phase is Phase.REGISTERED:
            self.restart(now.mono)
        durable, epoch = self._stored(beat.durable, now, beat.again), self._epoch(beat.epoch)
        return News(
            durable=durable,
            epoch=epoch,
            hubs=beat.hubs or None,
            elsewhere=beat.elsewhere,
            hello=beat.want_hello,
            rekey=beat.rekey,
        )

    def _take_ack(self, ack: Ack, asked: Asked | None, now: Now) -> News:
        if asked is not None and asked.kind is Roster:
            self.roster_told = max(self.roster_told, asked.mark)
            if self.past is not None and asked.mark == self.past.number:
                self.past, self.past_told = None, asked.mark
        if asked is not None and asked.kind is Goodbye:
            self.phase = Phase.LEFT
        return News(durable=self._stored(ack.durable, now))

    def _take_rekeyed(self, answer: Rekeyed, asked: Asked | None, now: Now) -> News:
        if answer.public != self.fresh:
            return News()
        self.fresh = ""
        return News(rekeyed=answer.public)

    def _take_refused(self, refused: Refused, asked: Asked | None, now: Now) -> News:
        if asked is not None and asked.kind is Rekey and refused.code != "unknown-key":
            self.fresh = ""
            return News(refused=refused)
        pause = REFUSED_SECONDS[min(self.refusals, len(REFUSED_SECONDS) - 1)]
        self.refusals += 1
        if self.phase is Phase.LEAVING:
            self.phase = Phase.LEFT
        self.restart(now.mono + pause)
        return News(refused=refused)

    def _stored(self, durable: int, now: Now, again: bool = False) -> int | None:
        """Note the hub's durable number; go back to it where it stays behind what was sent, or the hub asks for it."""
        durable = min(durable, self.last_seq)
        fell, rose = durable < self.durable, durable > self.durable
        self.durable = durable
        if rose or again:
            self.patience, self.sent_at = 1, now.mono
        late = now.mono - self.sent_at >= 2 * self.period * self.patience
        if durable > self.sent or fell or (durable < self.sent and (late or again)):
            self.sent, self.batch = durable, ()
            self.patience = min(2 * self.patience, PATIENCE)
        return durable if fell or rose else None

    def _epoch(self, epoch: int) -> int | None:
        if epoch <= self.epoch:
            return None
        self.epoch = epoch
        return epoch

    ANSWERS: dict[type, Any] = {
        Registered: _take_registered, Beat: _take_beat, Ack: _take_ack, Rekeyed: _take_rekeyed,
        Refused: _take_refused,
    }  # fmt: skip
