"""The agent: joins enrolment, conversation, observer and commands; one for the life of the link process.

Theory.  Two states: *enrolling* (no valid key yet, or the hubs refused it) and *talking*.  It begins talking at once
where PID 1 or state_dir kept a membership.  Which hub it talks to is decided by wire.places
and done by initd.link.moves.  Where no hub knows the key it enrols again, with the same key; so it does where all are
silent, in the background, which also brings the addresses of hubs that were moved.  Facts that an earlier boot left
untold go first (initd.link.leftover), in a session of their own.  Nothing here ever touches the programs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from initd.link.commands import HubCommands
from initd.link.conversation import Ears
from initd.link.enrol import Enrolment
from initd.link.leftover import Leftover, Shelf
from initd.link.loop import Loop
from initd.link.membership import Keeper, Membership
from initd.link.moves import FIRST_SECONDS, Moves
from initd.link.observer import Observer
from initd.link.pid1 import Answer, Pid1
from initd.link.showing import Showing
from wire import limits
from wire.keys import JoinString, KeyPair
from wire.messages import Enrolled, Event, HubAddress, Register
from wire.model import Fact, FactKind, State
from wire.places import REACHED_SECONDS, Places
from wire.records import FACT
from wire.session import AgentSession, News, Phase
from wire.shapes import Wrong
from wire.sockets import Context

ALONE_SECONDS = 15.0
"""Without any hub for so long, the join string's hubs are asked again: the others may have moved.  Where one took our
connection it is busy, and is waited for first: of 10,000 agents that came at once half asked, each with a key exchange
at every hub, and made all others later still."""

LEAVE_SECONDS = 0.6
"""Longest wait for the goodbye's answer: a hub that is away does not hold up the end of a container."""

SOON, LEAST = 0.05, 0.5
"""After a change the container is looked at this soon, but not more often than that; seconds."""

Say = Callable[[str], object]


class Agent:
    """See the module's docstring."""

    def __init__(self, loop: Loop, context: Context, pid1: Pid1, who: Register, observer: Observer, say: Say) -> None:
        self.loop, self.pid1, self.observer, self.say = loop, pid1, observer, say
        self.session = AgentSession(who, loop.now() + random.uniform(0.0, FIRST_SECONDS))
        ears = Ears(self._heard, lambda data: self.commands.take(data), self._fetch, self._refused, _never)
        self.moves = Moves(loop, context, self.session, ears, say)
        self.talk = self.moves.talk
        self.commands = HubCommands(
            pid1,
            self.talk.report,
            lambda seconds, callback: loop.at(loop.now() + seconds, callback),
            lambda: self.talk.session.hub_wall(loop.now()),
        )
        self.enrolment: Enrolment | None = None
        self.keeper: Keeper | None = None
        self.membership: Membership | None = None
        self.join: JoinString | None = None
        self.showing = Showing(loop, self.session, lambda: self.talk)
        self._timer: Any = None
        self._looked_at = 0.0
        self._stopping_for = ""
        self._heard_at = loop.now()
        self._shelf = Shelf("", "")
        self._old: list[Leftover] = []
        self._durable = 0

    @property
    def places(self) -> Places | None:
        """Where to be, once that is known."""
        return self.moves.places

    # Joining.

    def start(self, enrolment: Enrolment, keeper: Keeper, shelf: Shelf, join: JoinString | None) -> None:
        """Begin to talk where a membership was kept for `join`, else to enrol."""
        self.enrolment, self.keeper, self.join = enrolment, keeper, join
        self._shelf, self._old = shelf, shelf.load()
        self._take_up()
        self.membership = keeper.load(join) if join else None
        if self.membership and self.membership.hubs:
            self.session.epoch = max(self.session.epoch, self.membership.epoch)
            self.session.fresh = self.membership.next.public if self.membership.next else ""
            self._settle(self.membership.hubs)
        else:
            enrolment.start()
        self._attend()
        self.moves.attend()
        self.follow()
        self._look_again(SOON)

    def _take_up(self) -> None:
        """The session of the oldest boot that has something to tell, at last our own."""
        if not self._old:
            self.talk.session = self.session
            return
        old, who = self._old[0], self.session.who
        first, last = old.facts[0].seq, old.facts[-1].seq
        who = who._replace(boot=old.boot, started_at=old.started_at, first_seq=first, last_seq=last)
        self.talk.session = AgentSession(who, self.loop.now())

    def enrolled(self, join: JoinString, pair: KeyPair, enrolled: Enrolled) -> None:
        """A hub knows us: remember it, and talk."""
        assert self.keeper is not None
        self.say(f"joined as {enrolled.agent}, {len(enrolled.hubs)} hub(s)")
        before, self.join = self.membership, join
        self.membership = Membership(pair, enrolled.agent, enrolled.hubs, self.session.epoch)
        self.keeper.save(self.membership, join)
        if self.talk.is_open and before and (before.pair, before.hubs) == (pair, enrolled.hubs):
            return  # they did not move, so they are slow: dialling anew would begin handshakes again that are under way
        self._settle(enrolled.hubs)

    def _settle(self, hubs: tuple[HubAddress, ...]) -> None:
        """Talk to one of these."""
        assert self.membership is not None
        self.moves.settle(hubs, self.membership.pair)

    def _refused(self) -> None:
        """No hub knows our key (any more)."""
        assert self.enrolment is not None and self.membership is not None
        self.say("the hub does not know this container's key any more: enrolling again")
        self.enrolment.start(self.membership.pair)

    def _renounce(self) -> None:
        """Another container has our key and was there first: join anew, with one of our own."""
        assert self.enrolment is not None
        self.moves.close()
        self.enrolment.start(KeyPair.generate())

    # What the hub said.

    def _heard(self, news: News) -> None:
        self._heard_at = self.loop.now()
        self.showing.heard()
        if self.enrolment is not None and news.refused is None:
            self.enrolment.stop()
        if self._old:
            self._heard_of_old()
        elif news.durable is not None:
            self.pid1.ask("ack", {"seq": news.durable}, _nothing)
        if news.refused is not None:
            self.say(f"the hub refused: {news.refused.message}")
            if news.refused.code == "unknown-key":
                self.moves.unknown()
            elif news.refused.code == "duplicate":
                self._renounce()
        if news.garbage:
            self.say(f"the hub answered with {news.garbage}")
        self._remember(news)
        self.moves.place(news, self.session.period)
        self._rekey(news)
        self.showing.show()
        self._look_again(self.session.pace)  # sooner than was meant, where somebody watches now

    def _rekey(self, news: News) -> None:
        """A new key: kept before it is offered, used once the hub has taken it."""
        if self.membership is None or self.keeper is None or self.join is None:
            return
        fresh = self.membership.next
        if news.rekey and not self.session.fresh:
            fresh = fresh or KeyPair.generate()
            self.membership = self.membership._replace(next=fresh)
            self.keeper.save(self.membership, self.join)
            self.session.fresh = fresh.public
            self.talk.go_on()
        elif fresh is not None and news.rekeyed == fresh.public:
            self.membership = self.membership._replace(pair=fresh, next=None)
            self.keeper.save(self.membership, self.join)
            self.moves.renew(fresh)
        elif fresh is not None and news.refused is not None and news.refused.code == "bad-key":
            self.membership = self.membership._replace(next=None)
            self.keeper.save(self.membership, self.join)

    def _heard_of_old(self) -> None:
        """An answer about an earlier boot: once all of it is stored, go on with the next one."""
        session = self.talk.session
        if session.phase is Phase.REGISTERED and session.durable >= session.last_seq:
            self._shelf.drop(self._old.pop(0).boot)
            self._take_up()
            self.talk.go_on()

    def _remember(self, news: News) -> None:
        if self.membership is None or self.keeper is None or self.join is None:
            return
        epoch, hubs = max(self.membership.epoch, self.session.epoch), news.hubs or self.membership.hubs
        if (epoch, hubs) != (self.membership.epoch, self.membership.hubs):
            self.membership = self.membership._replace(epoch=epoch, hubs=hubs)
            self.keeper.save(self.membership, self.join)

    def _attend(self) -> None:
        """Now and then: ask the join string's hubs where those we know are all silent."""
        now = self.loop.now()
        patience = ALONE_SECONDS + (REACHED_SECONDS if self.places is not None and self.places.reached else 0.0)
        alone = now - self._heard_at > patience
        if alone and self.membership is not None and self.enrolment is not None and not self.enrolment.active:
            self.enrolment.start(self.membership.pair)
        self.loop.at(now + self.session.period, self._attend)

    # Facts.

    def follow(self) -> None:
        """Hear of every new fact, and of those that were before."""
        self.pid1.ask("subscribe", {"facts": True}, _nothing, self._happened)
        self.pid1.ask("facts", {"after": 2**62, "limit": 1}, self._journal)
        self.pid1.ask("status", {}, self._programs)

    def _happened(self, row: Mapping[str, Any]) -> None:
        try:
            fact = FACT.read(row)
        except Wrong as wrong:
            self.say(f"PID 1 told a fact that cannot be read: {wrong}")
            return
        self.session.noticed(self.session.first_seq, fact.seq, self.session.dropped)
        self.talk.publish(Event(self.session.who.boot, fact))
        if fact.kind is FactKind.STATE and getattr(fact.body, "state", "") == State.STOPPING:
            self._stopping_for = getattr(fact.body, "by", "")
        self._look_again(SOON, changed=True)
        self.talk.go_on()

    def _journal(self, told: Answer) -> None:
        if told.error is None:
            row = told.result
            self._durable = row["durable"]
            if self._durable and self.places is not None:  # of this boot: link was started again
                self.places.returning()
            self.session.noticed(row["first"], row["last"], row["dropped"])
            self.talk.go_on()

    def _fetch(self, after: int, most: int) -> None:
        if self._old:
            self.talk.session.bring([fact for fact in self._old[0].facts if fact.seq > after][:most])
            return
        self.pid1.ask("facts", {"after": after, "limit": most}, lambda told: self._fetched(told, after, most))

    def _fetched(self, told: Answer, after: int, most: int) -> None:
        if told.error is not None:  # too many large ones for one reply
            if most > 1:
                self._fetch(after, most // 4)
            return
        try:
            facts = [FACT.read(row) for row in told.result["facts"]]
        except Wrong as wrong:
            self.say(f"PID 1 told a fact that cannot be read: {wrong}")
            return
        self._journal(told)
        self.session.bring(facts)
        self.talk.go_on()

    # Looking.

    def _look_again(self, seconds: float, changed: bool = False) -> None:
        """Look in so many seconds, or as soon as that is not too often."""
        due = max(self.loop.now() + seconds, self._looked_at + LEAST)
        if changed and not self._asking:
            self._asking = True
            self.loop.at(due - SOON, lambda: self.pid1.ask("status", {}, self._programs))
        if self._timer is not None and self._timer.callback is not None and self._timer.deadline <= due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.at(due, self._look)

    _asking = False

    def _programs(self, told: Answer) -> None:
        self._asking = False
        if told.error is None:
            self.observer.programs(told.result, self.loop.now())

    def _look(self) -> None:
        now = self.talk.now()
        self._looked_at = now.mono
        picture = self.observer.look(now, self.session.last_seq)
        if picture.roster is not None:
            self.session.offer(picture.roster)
            self.talk.go_on()
        if self.session.roster is not None:
            self.showing.take(picture.sample, self.session.roster)
        self._timer = None
        self._look_again(self._looked_at + self.session.pace - self.loop.now())

    # Leaving.

    def terminated(self) -> None:
        """SIGTERM: a shutdown of everything, or only of link, which then says no goodbye."""
        self.pid1.ask("about", {}, self._asked_why)

    def _asked_why(self, told: Answer) -> None:
        if told.error is None and told.result["state"] == "running":
            self.loop.end()
        else:
            self.leave()

    def leave(self) -> None:
        """PID 1 is stopping everything: tell what is left, say goodbye, keep what nobody took, end."""
        by = f" by {self._stopping_for}" if self._stopping_for else ""
        reason = f"shutdown{by}"[: limits.TEXT_CHARS]
        self.moves.stay()
        self.talk.session.leave(reason, self.talk.now())
        self.pid1.ask("facts", {"after": 2**62, "limit": 1}, self._journal)
        self.talk.go_on()
        self._await_leave(self.loop.now() + LEAVE_SECONDS)

    def _await_leave(self, deadline: float) -> None:
        if self.talk.left or self.loop.now() > deadline:
            self.pid1.ask("facts", {"after": 2**62, "limit": 1}, self._left)
        else:
            self.loop.at(self.loop.now() + 0.02, lambda: self._await_leave(deadline))

    def _left(self, told: Answer) -> None:
        self._journal(told)
        self._keep_rest(self._durable, [])

    def _keep_rest(self, after: int, kept: list[Fact]) -> None:
        """Fetch what the hub has not stored, and put it on the shelf."""

        def more(told: Answer) -> None:
            rows = [] if told.error is not None else told.result["facts"]
            kept.extend(FACT.read(row) for row in rows)
            if rows and kept[-1].seq < told.result["last"]:
                self._keep_rest(kept[-1].seq, kept)
                return
            who = self.session.who
            self._shelf.put(Leftover(who.boot, who.started_at, tuple(kept)))
            self.loop.end()

        self.pid1.ask("facts", {"after": after, "limit": limits.FACTS_PER_MESSAGE}, more)


def _nothing(answer: Answer) -> None:
    """Nobody waits for this answer."""


def _never() -> None:
    """That a hub's machine took a connection concerns initd.link.moves alone."""
