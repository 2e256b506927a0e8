"""Thousands of simulated agents in a few processes: real sockets and keys, heartbeats and samples on time, no polling.

Each agent has the three connections of a real one.  Its moments are spread evenly over the period; at each it takes in
what the hub has answered meanwhile and says what is due, so an idle crowd costs what its messages cost.  The agents
called `obedient` carry out commands at once: their routes are polled between two moments.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import zmq

from hub.store.base import Store
from hub.store.rows import KeyRow
from wire.codec import decode, encode
from wire.keys import KeyPair
from wire.messages import Beat, Command, Heartbeat, Hello, HubAddress, Progress, Register, Registered, Remote, Roster
from wire.messages import Sample as Figures
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, CommandState, RosterRow, State, Status, Want
from wire.sockets import COMMAND_ROUTE, PUBLISH, QUERIES, dial

PROCESSES = 10
RECONNECT = 2.0
FEW = 100
"""So many in a process need not be spread while they join."""
COUNTED = ("shown", "beats", "carried_out", "busy")


class Seat(NamedTuple):
    """One agent as the hub knows it before it comes."""

    name: str
    public: str
    secret: str


def seats(count: int, prefix: str) -> list[Seat]:
    """So many agents with keys."""
    pairs = (KeyPair.generate() for _ in range(count))
    return [Seat(f"{prefix}-{number}", pair.public, pair.secret) for number, pair in enumerate(pairs)]


def enrol(store: Store, crowd: Sequence[Seat]) -> None:
    """Have a store know their keys, as if they had enrolled."""
    now = time.time()
    for first in range(0, len(crowd), 500):
        with store.batch():
            for seat in crowd[first : first + 500]:
                store.put_key(KeyRow(seat.public, "agent", seat.name, now))


class Simulated:
    """One agent."""

    def __init__(self, context: Any, hub: HubAddress, seat: Seat, programs: int) -> None:
        pair = KeyPair(seat.public, seat.secret)
        self.name, self.programs, self.boot = seat.name, programs, f"boot{random.randrange(10**9)}"
        self.requests, self.route, self.publisher = (
            dial(context, role, end, pair, hub.key, RECONNECT, random.uniform(0.1, 0.5))
            for role, end in ((QUERIES, hub.command), (COMMAND_ROUTE, hub.command), (PUBLISH, hub.samples))
        )
        self.known = self.shown = self.open = False
        self.beats = self.carried_out = 0
        self.sample_at, self.busy = 0.0, 0.0
        self.packed = {c.name: array(c.code, [random.random()] * PROCESSES).tobytes() for c in PROCESS_COLUMNS}
        self.whole = array("d", [random.random()] * len(CONTAINER_COLUMNS)).tobytes()

    def turn(self, now: float, sample_period: float) -> None:
        """Hear what came, say what is due."""
        self._hear()
        with suppress(zmq.Again):
            self._speak(now, sample_period)

    def _speak(self, now: float, sample_period: float) -> None:
        if not self.known:
            self._ask(self._presentation())
        elif not self.shown:
            self._ask(self._picture())
        else:
            self._ask(Heartbeat(self.boot, 0, 1, time.time(), now, 1, 0, 0.0))
            if now >= self.sample_at:
                self.sample_at = now + sample_period
                figures = Figures(self.boot, 1, time.time(), now, sample_period, self.packed, self.whole)
                self.publisher.send_multipart([b"s", encode(figures)], zmq.NOBLOCK)
        if not self.open and self.known:
            self.route.send(encode(Hello(self.boot)), zmq.NOBLOCK)
            self.open = True

    def _ask(self, message: Any) -> None:
        self.requests.send_multipart([b"", encode(message)], zmq.NOBLOCK)

    def _presentation(self) -> Register:
        ends = ("ipc:///run/initd/command", self.name)
        now = time.time()
        return Register(
            self.boot, "", "none", self.name, ("10.0.0.1",), now, now, 0.0, "0", Remote.OPERATE, {}, 0, 0, 1, *ends
        )

    def _picture(self) -> Roster:
        now, columns = time.time(), tuple(column.name for column in PROCESS_COLUMNS)
        names = [f"p{number}" for number in range(self.programs)]
        rows = tuple(RosterRow(100 + n, 7, 1, "unmanaged", "", "worker", 0) for n in range(PROCESSES))
        states = tuple(
            Status(name, name, name, 0, State.RUNNING, Want.UP, 100 + n, 7, now, 5.0, 0, "")
            for n, name in enumerate(names)
        )
        return Roster(self.boot, 1, 0, now, time.monotonic(), columns, rows, states, ())

    def _hear(self) -> None:
        with suppress(zmq.Again):
            while True:
                answer = decode(self.requests.recv_multipart(zmq.NOBLOCK)[-1])
                if isinstance(answer, Registered):
                    self.known, self.shown, self.open = True, False, False
                elif isinstance(answer, Beat):
                    self.beats += 1
                    self.known = not answer.register
                    self.open = self.open and not answer.want_hello
                    self.shown = self.shown and not answer.want_roster
                elif self.known:
                    self.shown = True
        with suppress(zmq.Again):
            while True:
                self.publisher.recv(zmq.NOBLOCK)

    def obey(self) -> None:
        """Carry out the commands that came."""
        with suppress(zmq.Again):
            while True:
                data = self.route.recv_multipart(zmq.NOBLOCK)[-1]
                begun = time.perf_counter()
                command = decode(data)
                assert isinstance(command, Command)
                self.route.send(encode(Progress(command.id, CommandState.DELIVERED, None, None, time.time())))
                rows = [{"name": name, "outcome": "done"} for name in command.args.get("names", ())]
                result = {"command": command.id, "outcome": "done", "processes": rows}
                self.route.send(encode(Progress(command.id, CommandState.DONE, result, None, time.time())))
                self.carried_out += 1
                self.busy += time.perf_counter() - begun


class Pace(NamedTuple):
    """How they live."""

    period: float = 2.0
    sample_period: float = 5.0
    programs: int = 1
    obedient: bool = False


def run(end: Connection, hub: HubAddress, crowd: Sequence[Seat], pace: Pace) -> None:
    """A process of them, until `end` is closed; whatever is sent through it is answered as `Crowd.count` tells."""
    os.nice(2)  # they stand for machines of their own
    context: Any = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 4 * len(crowd) + 100)
    agents = [Simulated(context, hub, seat, pace.programs) for seat in crowd]
    poller = zmq.Poller()
    for one in agents if pace.obedient else ():
        poller.register(one.route, zmq.POLLIN)
    by_route = {one.route: one for one in agents}
    due, number = time.monotonic(), 0
    step = pace.period / len(agents)
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            left = due - time.monotonic()
            if left > 0.001:
                for route, _ in poller.poll(int(left * 1000)) if pace.obedient else _nap(min(left, 0.02)):
                    by_route[route].obey()
            if time.monotonic() >= due:
                agents[number % len(agents)].turn(time.monotonic(), pace.sample_period)
                number += 1
                joining = len(agents) <= FEW and not all(one.shown for one in agents)
                due += step / 10 if joining else step
            if end.poll(0):
                end.recv()
                live = sum(one.shown for one in agents)
                end.send(
                    (live, *(sum(getattr(one, what) for one in agents) for what in ("beats", "carried_out", "busy")))
                )
    context.destroy(0)


def _nap(seconds: float) -> Sequence[Any]:
    time.sleep(seconds)
    return ()


class Crowd:
    """Simulated agents of one hub in `processes` processes."""

    def __init__(self, hub: HubAddress, crowd: Sequence[Seat], pace: Pace, processes: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self.size, self.ends, self.processes = len(crowd), [], []
        for number in range(processes):
            ours, theirs = context.Pipe()
            part = list(crowd[number::processes])
            self.processes.append(context.Process(target=run, args=(theirs, hub, part, pace), daemon=True))
            self.processes[-1].start()
            theirs.close()
            self.ends.append(ours)

    def count(self) -> tuple[int, int, int, float]:
        """Agents that are registered and shown, beats answered, commands done, seconds spent on these."""
        for end in self.ends:
            end.send("")
        live, beats, done, busy = zip(*(end.recv() for end in self.ends), strict=True)
        return sum(live), sum(beats), sum(done), sum(busy)

    def close(self) -> None:
        """End them, without a goodbye."""
        for end, process in zip(self.ends, self.processes, strict=True):
            end.close()
            process.kill()
            process.join()
