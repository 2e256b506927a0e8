"""Many real agents in one process: link's own Agent, sessions, sockets and keys, above a PID 1 that is only a journal.

What is missing of a container is what the hub never sees: the programs and /proc.  Each member makes exit records at
random moments, samples at the hub's pace, and remembers nothing but its journal.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import zmq

from initd.facts import Journal
from initd.joining import JOIN
from initd.link.agent import Agent
from initd.link.enrol import Enrolment
from initd.link.identity import Claim
from initd.link.leftover import Shelf
from initd.link.loop import Loop
from initd.link.membership import Keeper
from initd.link.observer import Picture, pack
from initd.link.pid1 import Answer
from initd.reports import fact_row
from tests.support.facts import exit_record
from wire import limits
from wire.keys import JoinString
from wire.messages import Register, Registered, Remote, Roster, Sample
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, FactKind, RosterRow
from wire.session import AgentSession, News, Now
from wire.sockets import Context

PROCESSES = 5
"""Rows of a member's roster."""


class ForgetfulSession(AgentSession):
    """The fault: told of a hub's durable number, it never goes back to what came before its registration."""

    def _take_registered(self, answer: Registered, asked: Any, now: Now) -> News:
        news = AgentSession.ANSWERS[Registered](self, answer, asked, now)
        self.sent = self.durable = self.last_seq
        return news

    def _stored(self, durable: int, now: Now, again: bool = False) -> int | None:
        return durable

    ANSWERS = {**AgentSession.ANSWERS, Registered: _take_registered}


class JournalPid1:
    """PID 1 as far as link asks it; answers in the loop's next turn."""

    def __init__(self, loop: Loop, journal: Journal) -> None:
        self._loop, self._journal = loop, journal

    def ask(self, verb: str, args: dict[str, Any], then: Callable[[Answer], object], item: Any = None) -> int:
        """As initd.link.pid1.Pid1.ask."""
        if verb == "subscribe":
            self._journal.subscribe(lambda fact: item(fact_row(fact)))
        if verb == "ack":
            self._journal.acknowledge(args["seq"])
        found = [fact_row(one) for one in self._journal.since(args["after"], args["limit"])] if verb == "facts" else []
        result: Any = [] if verb == "status" else {"facts": found, **self.stand()}
        self._loop.at(self._loop.now(), lambda: then(Answer(result, None)))
        return 0

    def stand(self) -> dict[str, int]:
        """Where the journal stands."""
        journal = self._journal
        return {"first": journal.first, "last": journal.last, "durable": journal.durable, "dropped": journal.dropped}


class StillObserver:
    """Sees the same few processes for ever, with figures that change."""

    def __init__(self, boot: str) -> None:
        self._boot, self._number, self._at = boot, 0, time.monotonic()

    def programs(self, rows: Any, mono: float) -> None:
        """There are none."""

    def look(self, now: Now, last_seq: int) -> Picture:
        """A sample; the roster the first time."""
        columns = tuple(column.name for column in PROCESS_COLUMNS)
        rows = tuple(RosterRow(pid, 7, 1, "unmanaged", "", "worker", 0) for pid in range(100, 100 + PROCESSES))
        first, self._number = self._number == 0, 1
        roster = Roster(self._boot, 1, last_seq, now.wall, now.mono, columns, rows, (), ()) if first else None
        packed = {c.name: pack(c.code, [random.random()] * PROCESSES) for c in PROCESS_COLUMNS}
        whole = pack("d", [random.random() for _ in CONTAINER_COLUMNS])
        return Picture(roster, Sample(self._boot, 1, now.wall, now.mono, now.mono - self._at, packed, whole))


class Member:
    """One agent with its journal."""

    def __init__(self, loop: Loop, context: Context, join: str, name: str, say: Callable[[str], object]) -> None:
        self.journal, self.boot, self._loop = Journal(), secrets.token_hex(8), loop
        who = Register(
            self.boot, "", "none", name, ("10.0.0.1",), time.time(), 0.0, 0.0, "0", Remote.OPERATE, {}, 0, 0, 1,
            "ipc:///run/initd/command", name,
        )  # fmt: skip
        pid1: Any = JournalPid1(loop, self.journal)
        observer: Any = StillObserver(self.boot)
        self.agent = Agent(loop, context, pid1, who, observer, say)
        enrolment = Enrolment(loop, context, {JOIN: join}, (Claim("", "none"), name, "0"), say, self.agent.enrolled)
        self.agent.start(enrolment, Keeper(pid1, {}, "", "", say), Shelf("", ""), JoinString.parse(join))

    def forget(self) -> None:
        """Switch the fault on."""
        self.agent.session.__class__ = ForgetfulSession

    def live(self, pause: float) -> None:
        """Something happens every `pause` seconds on average, from now on; 0: no more."""
        self._pause = pause
        if pause:
            self._happen_soon()

    def _happen_soon(self) -> None:
        self._loop.at(self._loop.now() + random.uniform(0.0, 2 * self._pause), self._happen)

    def _happen(self) -> None:
        if self._pause:
            body = exit_record(self.journal.last + 1, code=random.randrange(256), signal=None).body
            self.journal.append(FactKind.EXIT, body, time.time(), time.monotonic())  # type: ignore[arg-type]
            self._happen_soon()

    def codes(self) -> list[int]:
        """What happened: the exit codes of all its facts."""
        return [fact.body.code for fact in self.journal.since(0, limits.FACTS)]  # type: ignore[union-attr, misc]

    @property
    def told(self) -> bool:
        """Whether the hub has stored everything."""
        return self.agent.membership is not None and self.journal.durable == self.journal.last


def run(end: Connection, join: str, first: int, count: int, forgetful: bool) -> None:
    """A process of `count` members; does what it is told through `end` until that is closed.

    Told a number, members live at that pace; told "told", it answers how many are untold; told "journals", it answers
    {boot: exit codes of its facts in order}.
    """
    os.nice(5)  # a thousand containers have processors of their own; here they share the hub's
    context: Context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 10 * count + 100)
    loop, said = Loop(), list[str]()
    members = [Member(loop, context, join, f"member-{number}", said.append) for number in range(first, first + count)]
    if forgetful:
        members[0].forget()
    answers: dict[str, Callable[[], object]] = {
        "untold": lambda: sum(not one.told for one in members),
        "journals": lambda: {one.boot: one.codes() for one in members},
        "said": lambda: said[-100:],
        "places": lambda: [(one.agent.places.at, one.agent._heard_at) for one in members if one.agent.places],
    }  # fmt: skip

    def obey() -> None:
        order = end.recv()
        if isinstance(order, str):
            end.send(answers[order]())
            return
        for one in members:
            one.live(order)

    loop.watch(end, obey)
    try:
        while True:
            loop.turn()
    except (EOFError, KeyboardInterrupt):
        context.destroy(0)
