"""An agent's session and a small model of a hub, joined in virtual time by a network that loses, doubles and delays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.facts import change
from wire.codec import decode, encode
from wire.messages import Ack, Beat, Facts, Goodbye, Heartbeat, Refused, Register, Registered, Remote, Roster
from wire.model import Fact
from wire.session import AgentSession, Fetch, News, Now, Phase, Send, Wait

OFFSET = 1_700_000_000.0


def register(boot: str = "boot1", **changes: Any) -> Register:
    """A Register as link would fill it in."""
    who = Register(
        boot, "", "none", "box", (), OFFSET, 0.0, 0.0, "0", Remote.OPERATE, {}, 0, 0, 1, "ipc:///run/initd/command", ""
    )
    return who._replace(**changes)


class ModelHub:
    """What a hub must do with requests: know agents, store facts without gaps, say what is durable."""

    def __init__(self, store_lag: int = 0) -> None:
        self.known: set[str] = set()
        self.facts: dict[int, Fact] = {}
        self.lost_below = 1
        self.roster: int | None = None
        self.gone = ""
        self.epoch = 1
        self.watch = self.again = False
        self.store_lag, self.lagging = store_lag, 0
        self.seen: list[Any] = []

    def durable(self) -> int:
        """The last number without a gap before it; while the store lags, an older one."""
        last = self.lost_below - 1
        while last + 1 in self.facts:
            last += 1
        if self.lagging:
            self.lagging -= 1
            return min(last, self.said)
        self.said = last
        return last

    said = 0

    def ask(self, message: Any) -> Any:
        """The answer to a request."""
        self.seen.append(message)
        if isinstance(message, Register):
            self.known.add(message.boot)
            return Registered("a1", "h1", self.epoch, 2.0, 5.0, self.durable(), 0.0, True, ())
        if message.boot not in self.known:
            if isinstance(message, Heartbeat):
                return Beat(0, 0.0, False, False, True, self.epoch, ())
            return Refused("", "unknown-agent", "register first")
        return self.answer(message)

    def answer(self, message: Any) -> Any:
        if isinstance(message, Heartbeat):
            wants = message.roster != (self.roster or 0)
            return Beat(self.durable(), 0.0, self.watch, wants, False, self.epoch, (), again=self.again)
        if isinstance(message, Roster):
            self.roster = message.number
        if isinstance(message, Facts):
            self.store(message)
        if isinstance(message, Goodbye):
            self.gone = message.reason
        return Ack(self.durable())

    def store(self, message: Facts) -> None:
        numbers = [fact.seq for fact in message.facts]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a gap within a message"
        self.lost_below = max(self.lost_below, message.first_seq)
        if not self.facts.keys() >= set(numbers):
            self.lagging = self.store_lag
        self.facts.update({fact.seq: fact for fact in message.facts})

    def forget(self) -> None:
        """Restart with an empty memory and a wiped store."""
        self.known, self.facts, self.roster, self.lost_below = set(), {}, None, 1


class Conversation:
    """Drives the session; `fate(request)` says what the network does: ok, request lost, answer lost, doubled, late."""

    def __init__(self, hub: ModelHub, fate: Callable[[], str] = lambda: "ok", **session: Any) -> None:
        self.hub, self.fate = hub, fate
        self.mono = 100.0
        self.session = AgentSession(register(), self.mono, **session)
        self.journal: list[Fact] = []
        self.news: list[News] = []
        self.late: list[bytes] = []
        self.turns = 0

    @property
    def now(self) -> Now:
        return Now(self.mono, OFFSET + self.mono)

    def happen(self, count: int = 1, keep: int = 10_000) -> None:
        """New facts at PID 1, whose ring keeps `keep` of them."""
        for _ in range(count):
            self.journal.append(change(self.journal[-1].seq + 1 if self.journal else 1))
        del self.journal[:-keep]
        last = self.journal[-1].seq
        self.session.noticed(self.journal[0].seq, last, self.journal[0].seq - 1)

    def run(self, seconds: float) -> None:
        """Let virtual time pass; fails where the session never comes to rest."""
        end = self.mono + seconds
        while self.mono < end:
            order = self.session.next(self.now)
            if isinstance(order, Wait):
                assert order.until > self.mono, "a wait for the past: the owner would spin"
                self.mono, self.turns = min(end, order.until), 0
            elif isinstance(order, Fetch):
                self.session.bring([fact for fact in self.journal if fact.seq > order.after][: order.most])
            else:
                self.carry(order)
            self.turns += 1
            assert self.turns < 2000, "no rest at one moment"

    def carry(self, order: Send) -> None:
        """One request over the network, and its answer back."""
        fate = self.fate()
        request = encode(order.message)
        self.mono += 0.001
        if fate == "no connection":
            self.session.unsent(self.now)
            self.mono += 0.5
            return
        if fate == "request lost":
            return
        answers = [encode(self.hub.ask(decode(request))) for _ in range(2 if fate == "doubled" else 1)]
        if fate == "late":
            self.late += answers
        elif fate != "answer lost":
            answers, self.late = self.late + answers, []
            self.news += [self.session.received(answer, self.now) for answer in answers]


def registered(**options: Any) -> Conversation:
    """A conversation that has come to rest after its registration."""
    talk = Conversation(ModelHub(), **options)
    talk.run(0.5)
    assert talk.session.phase is Phase.REGISTERED
    return talk
