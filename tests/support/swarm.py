"""Agents that only measure: link's own sockets, keys and packing, many in one process, samples of twelve columns.

Of ten processes three are at work (all their figures change each time), three stir now and then, four sleep.  All
agents show the same figures, each under a boot of its own.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator

import zmq

from initd.link.observer import pack
from tests.support.twelve import COUNTERS, GAUGES, TWELVE
from tests.support.waiting import until
from wire.codec import decode, encode
from wire.keys import KeyPair
from wire.messages import Ack, Register, Registered, Remote, Roster, Sample
from wire.model import CONTAINER_COLUMNS, RosterRow, State, Status, Want
from wire.sockets import PUBLISH, REQUESTS, Context, dial

PERIOD = 5.0
BUSY = "BBBSSSIIII"
"""What each of ten processes does: at work, stirring, idle."""


class Process:
    """The story of one process' figures."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self._kind = BUSY[number % len(BUSY)]
        self._counters = [self._random.randrange(1 << 30) / 64 for _ in COUNTERS]
        self._rss = float(self._random.randrange(1000, 100_000) * 4096)
        self._uptime, self._threads = self._random.uniform(1e3, 1e6), float(self._random.randrange(1, 40))

    def next(self) -> list[float]:
        """Its figures, in the order of TWELVE."""
        pick, cpu = self._random, 0.0
        if self._kind == "B" or (self._kind == "S" and pick.random() < 1 / 6):
            cpu = pick.randrange(1, 500) / 500
            self._counters = [value + pick.randrange(1, 1 << 20) / 64 for value in self._counters]
            self._rss += 4096.0 * pick.randrange(-20, 21)
        self._uptime += PERIOD
        fds = 20.0 + (pick.randrange(4) if self._kind == "B" else 0)
        gauges = [cpu, self._rss, self._rss / 2**33, self._threads, fds, self._uptime, 0.0, 3.0]
        return [*self._counters, *gauges[: len(GAUGES)]]


def story(processes: int) -> Iterator[dict[str, bytes]]:
    """The columns of one sample after the other, packed as link does it."""
    cast = [Process(number) for number in range(processes)]
    while True:
        columns = zip(*[one.next() for one in cast], strict=True)
        yield {column.name: pack(column.code, list(values)) for column, values in zip(TWELVE, columns, strict=True)}


class Member:
    """One agent."""

    def __init__(self, context: Context, pair: KeyPair, key: str, ends: tuple[str, str], wall: float) -> None:
        self.boot = secrets.token_hex(8)
        self._wall, self._requests = wall, dial(context, REQUESTS, ends[0], pair, key, first=0.05)
        self.publisher = dial(context, PUBLISH, ends[1], pair, key, first=0.05)

    def present(self, name: str, processes: int) -> None:
        """Registers and shows its roster; returns when somebody listens."""
        wall, mono = self._wall, time.monotonic()
        me = Register(
            self.boot, "", "none", name, (), wall, wall, mono, "0", Remote.OBSERVE, {}, 0, 0, 1, "ipc:///tmp/none", name
        )
        assert isinstance(self._ask(encode(me)), Registered)
        rows = tuple(RosterRow(100 + n, 7, 1, "program", f"p{n}", f"p{n}", 0) for n in range(processes))
        states = tuple(
            Status(f"p{n}", f"p{n}", f"p{n}", 0, State.RUNNING, Want.UP, 100 + n, 7, wall, 5.0, 0, "")
            for n in range(processes)
        )
        roster = Roster(self.boot, 1, 0, wall, mono, tuple(c.name for c in TWELVE), rows, states, ())
        assert isinstance(self._ask(encode(roster)), Ack)
        self._requests.close(0)
        assert self.publisher.poll(20_000), "nobody listens to the samples"
        self.publisher.recv()

    def _ask(self, payload: bytes) -> object:
        self._requests.send(payload)
        assert self._requests.poll(20_000), "no answer"
        return decode(self._requests.recv())

    def packed(self, sample: Sample) -> bytes:
        """The same sample as this agent's message."""
        return encode(sample._replace(boot=self.boot))

    def publish(self, payload: bytes) -> None:
        """Sends it."""
        self.publisher.send_multipart([b"s", payload], zmq.NOBLOCK)


class Swarm:
    """All of them, each with a key that the hub knows already."""

    def __init__(self, pairs: list[KeyPair], key: str, ends: tuple[str, str], processes: int, wall: float) -> None:
        self._context: Context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 3 * len(pairs) + 100)
        self.members = [Member(self._context, pair, key, ends, wall) for pair in pairs]
        for number, member in enumerate(self.members):
            member.present(f"agent-{number}", processes)
        self._story = story(processes)
        self._turn = 0

    def turn(self, wall: float) -> list[bytes]:
        """Everybody's next message, with the figures of this moment."""
        self._turn += 1
        values = [float(self._turn * (place + 1)) for place, _ in enumerate(CONTAINER_COLUMNS)]
        whole = pack("d", values)
        sample = Sample("x", 1, wall, time.monotonic(), PERIOD, next(self._story), whole)
        return [member.packed(sample) for member in self.members]

    def publish(self, payloads: list[bytes]) -> None:
        """All of them at once."""
        for member, payload in zip(self.members, payloads, strict=True):
            member.publish(payload)

    def close(self) -> None:
        """Ends all of them."""
        self._context.destroy(0)


def wait(condition: object, seconds: float, what: str) -> None:
    """As `until`, under a name that says what it is for here."""
    until(condition, seconds, what)  # type: ignore[arg-type]
