"""A thousand agents and more in one process: link's own Agent, sessions and sockets, enrolled beforehand.

As tests.support.crew, for more of them: the loop asks epoll which sockets have something, where link's own asks every
socket; the keys were made and kept beforehand, so that none enrols; and the figures of a sample are drawn from a few.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import resource
import secrets
import select
import time
from collections.abc import Callable, Sequence
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
from initd.link.membership import SLOT, Keeper, Membership
from initd.link.observer import Picture, pack
from initd.link.showing import Showing
from tests.support.crew import JournalPid1
from wire.keys import JoinString, KeyPair
from wire.messages import HubAddress, Register, Remote, Roster, Sample
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, RosterRow
from wire.session import News, Now
from wire.sockets import Context

PROCESSES = 10
"""Rows of a roster, and so of a sample."""
SOCKETS = 8
"""ZeroMQ sockets that an agent may need at once: requests, commands, samples, a monitor with its end, and a change."""
NICE = 5
"""A fleet has processors of its own; here it shares the hubs'."""
CANNED = 64
TOGETHER = 10
"""Agents that set out in one turn."""

Enrolled = tuple[str, KeyPair, tuple[HubAddress, ...]]
"""(agent id, its key pair, its hubs, home first)."""


class WideLoop(Loop):
    """Link's loop with epoll on the sockets' descriptors instead of a poll over all of them.

    Such a descriptor tells that something may have changed; what, only ZMQ_EVENTS says, and it may change without it
    when the socket is used (zmq_getsockopt(3)).  So a socket that was served, or watched anew, is looked at once more.
    """

    def __init__(self) -> None:
        self._epoll, self._again = select.epoll(), dict[Any, None]()
        self._sources: dict[int, Any] = {}
        self._fds: dict[Any, int] = {}
        self._wanted: dict[Any, int] = {}
        super().__init__()

    def watch(self, source: Any, callback: Callable[[], object], writable: bool = False) -> None:
        """As Loop.watch."""
        if source not in self._fds:
            fd = source.getsockopt(zmq.FD) if isinstance(source, zmq.Socket) else source.fileno()
            self._fds[source], self._sources[fd] = fd, source
            self._epoll.register(fd, select.EPOLLIN)
        self._wanted[source] = int(zmq.POLLIN | (zmq.POLLOUT if writable else 0))
        self._callbacks[source] = callback
        if isinstance(source, zmq.Socket):
            self._again[source] = None

    def forget(self, source: Any) -> None:
        """As Loop.forget."""
        fd = self._fds.pop(source, None)
        if fd is not None:
            self._epoll.unregister(fd)
            del self._sources[fd], self._callbacks[source], self._wanted[source]
            self._again.pop(source, None)

    def turn(self) -> None:
        """As Loop.turn."""
        due = self._timers.next()
        left = 0.0 if self._again else 1.0 if due is None else min(1.0, max(0.0, due - self.now()))
        again, self._again = self._again, {}
        found = [self._sources[fd] for fd, _ in self._epoll.poll(left, 512)]
        for source in [*again, *found]:
            self._serve(source)
        now, most = self.now(), 256
        while most and (due_now := self._timers.pop_due(now)) is not None:
            due_now()
            most -= 1

    def _serve(self, source: Any) -> None:
        if source not in self._callbacks:
            return
        if not isinstance(source, zmq.Socket):
            self._callbacks[source]()
        elif source.getsockopt(zmq.EVENTS) & self._wanted[source]:
            self._callbacks[source]()
            if source in self._callbacks:
                self._again[source] = None


class Sights:
    """What an agent sees: ten processes for ever; figures out of a few that were packed beforehand."""

    whole = pack("d", [random.random() for _ in CONTAINER_COLUMNS])
    packed = tuple(
        {column.name: pack(column.code, [random.random() for _ in range(PROCESSES)]) for column in PROCESS_COLUMNS}
        for _ in range(CANNED)
    )
    columns = tuple(column.name for column in PROCESS_COLUMNS)
    rows = tuple(RosterRow(pid, 7, 1, "unmanaged", "", "worker", 0) for pid in range(100, 100 + PROCESSES))

    def __init__(self, boot: str) -> None:
        self._boot, self._number, self._at = boot, 0, time.monotonic()

    def programs(self, rows: Any, mono: float) -> None:
        """There are none."""

    def look(self, now: Now, last_seq: int) -> Picture:
        """A sample; the roster the first time."""
        first, self._number = self._number == 0, 1
        roster = Roster(self._boot, 1, last_seq, now.wall, now.mono, self.columns, self.rows, (), ()) if first else None
        period, self._at = now.mono - self._at, now.mono
        sample = Sample(self._boot, 1, now.wall, now.mono, period, random.choice(self.packed), self.whole)
        return Picture(roster, sample)


class Restraint(Showing):
    """Shows nothing while all are to be quiet."""

    def take(self, sample: Sample, roster: Roster) -> None:
        """As Showing.take."""
        if not Recruit.quiet:
            super().take(sample, roster)


class Recruit(Agent):
    """Link's agent; its registrations are counted, and it keeps its samples back while all are to be quiet."""

    tally: dict[str, float]
    quiet = True
    restless = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.showing = Restraint(self.loop, self.session, lambda: self.talk)

    def _heard(self, news: News) -> None:
        if news.registered is not None:
            self.tally["registered"] += 1
        elif Recruit.restless:
            self.session.restart(self.loop.now())
        super()._heard(news)


def recruit(
    loop: Loop, context: Context, one: Enrolled, join: JoinString, tally: dict[str, float]
) -> Callable[[], object]:
    """An agent that was enrolled; what starts it."""
    name, pair, hubs = one
    boot = secrets.token_hex(8)
    who = Register(
        boot, "", "none", f"member-{name}", ("10.0.0.1",), time.time(), 0.0, 0.0, "0", Remote.OPERATE, {}, 0, 0, 1,
        "ipc:///run/initd/command", f"member-{name}",
    )  # fmt: skip
    pid1: Any = JournalPid1(loop, Journal())
    sights: Any = Sights(boot)

    def say(text: str) -> None:
        tally[text[:60]] = tally.get(text[:60], 0) + 1

    agent = Recruit(loop, context, pid1, who, sights, say)
    agent.tally = tally
    enrolment = Enrolment(loop, context, {JOIN: join.format()}, (Claim("", "none"), name, "0"), say, agent.enrolled)
    kept = {SLOT: Membership(pair, name, hubs, 0).text(join, "")}
    return lambda: agent.start(enrolment, Keeper(pid1, kept, "", "", say), Shelf("", ""), join)


def run(end: Connection, join: str, members: Sequence[Enrolled], restless: bool) -> None:
    """A process of these agents; does what it is told through `end` until that is closed.

    "go" starts them; "loud" has them send samples; "tally" answers what happened, with this process's CPU seconds.
    `restless` switches the fault on: they register again instead of beating.
    """
    os.nice(NICE)
    Recruit.restless = restless
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    context: Context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, SOCKETS * len(members) + 100)
    loop, tally = WideLoop(), {"registered": 0.0}
    parsed = JoinString.parse(join)
    waiting = [recruit(loop, context, one, parsed, tally) for one in members]
    gc.collect()
    gc.freeze()
    gc.disable()

    def set_out() -> None:
        for _ in range(min(TOGETHER, len(waiting))):
            waiting.pop()()
        if waiting:
            loop.at(loop.now(), set_out)

    def obey() -> None:
        order = end.recv()
        if order == "go":
            set_out()
        elif order == "loud":
            Recruit.quiet = False
        else:
            end.send({**tally, "cpu": time.process_time()})

    loop.watch(end, obey)
    end.send("ready")
    try:
        while True:
            loop.turn()
    except (EOFError, KeyboardInterrupt):
        os._exit(0)  # closing ten thousand sockets one by one takes longer than all that was measured


class Crowd:
    """Agents in processes of at most `each`."""

    def __init__(self, join: str, members: Sequence[Enrolled], each: int, restless: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self.ends: list[Any] = []
        self.processes: list[Any] = []
        for first in range(0, len(members), each):
            ours, theirs = context.Pipe()
            mine = (theirs, join, list(members[first : first + each]), restless)
            self.processes.append(context.Process(target=run, args=mine, daemon=True))
            self.processes[-1].start()
            theirs.close()
            self.ends.append(ours)
        for end in self.ends:
            end.recv()

    def tell(self, order: str) -> None:
        """To all of them."""
        for end in self.ends:
            end.send(order)

    def tally(self) -> dict[str, float]:
        """What happened to all of them."""
        self.tell("tally")
        total: dict[str, float] = {}
        for end in self.ends:
            for key, count in end.recv().items():
                total[key] = total.get(key, 0) + count
        return total

    def close(self) -> None:
        """End them, without a goodbye."""
        for end in self.ends:
            end.close()
        for process in self.processes:
            process.kill()
            process.join()
