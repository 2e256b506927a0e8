"""What bench/init.py measures, each scenario with an init of its own in a namespace of its own.

`MEASURES` is the table of figures; a scenario returns some of them for one init and one round.  Less is better in all.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.init_peers import Peer, Program
from bench.init_space import GaveUp, Space, until

SETTLED = 1.6
"""Seconds after which a program counts as up everywhere: supervisord's startsecs is 1, s6 and runit wait as long."""

KILLS = 3
"""Programs killed in each round; the round's figure is their median."""


class Measure(NamedTuple):
    """One figure.  `scale` turns what was measured (seconds, bytes, times a second) into `unit`."""

    name: str
    unit: str
    scale: float
    text: str


class Size(NamedTuple):
    """How much of everything."""

    many: int = 20
    some: int = 10
    orphans: int = 2000
    idle: float = 4.0


MEASURES = (
    Measure("start_one", "ms", 1e3, "execve of the init to the first instruction of its only program"),
    Measure("start_many", "ms", 1e3, "... to the first instruction of the last of many programs"),
    Measure("restart", "ms", 1e3, "kill -9 of a running program to the first instruction of its replacement"),
    Measure("reap", "ms", 1e3, "orphans that die at once: until none is left, not even as a zombie"),
    Measure("wakings", "1/s", 1, "idle: voluntary context switches of the supervisors, a second"),
    Measure("cpu", "ms/s", 1e3, "idle: CPU time of the supervisors, a second"),
    Measure("pss", "MiB", 2**-20, "idle: memory of the supervisors, shared pages divided among who maps them"),
    Measure("anonymous", "MiB", 2**-20, "idle: the part of it that is never shared"),
    Measure("stop", "ms", 1e3, "SIGTERM to PID 1 until the namespace is gone"),
    Measure("stop_many", "ms", 1e3, "... with many programs"),
    Measure("untold", "", 1, "programs that were killed at the stop without having been told to end"),
)

Figures = dict[str, float]


class Bench:
    """The scenarios, with what they share: the probe and the sizes."""

    def __init__(self, probe: Path, size: Size) -> None:
        self.probe = probe
        self.size = size

    def scenarios(self) -> list[Callable[[Peer], Figures]]:
        """In the order of a round."""
        return [self.start_one, self.start_many, self.at_rest, self.reap]

    def start_one(self, peer: Peer) -> Figures:
        """One program, nothing else."""
        with self.space(peer, 1) as space:
            return {"start_one": space.wait("S", 1)[-1].at - space.executed}

    def start_many(self, peer: Peer) -> Figures:
        """Many programs at once."""
        if peer.single:
            return {}
        with self.space(peer, self.size.many) as space:
            figures = {"start_many": space.wait("S", self.size.many)[-1].at - space.executed}
            space.settle(SETTLED)
            return {**figures, "stop_many": space.end()}

    def at_rest(self, peer: Peer) -> Figures:
        """Some programs, idle; then some are killed; then all are stopped."""
        count = 1 if peer.single else self.size.some
        with self.space(peer, count) as space:
            space.wait("S", count)
            space.settle(SETTLED)
            figures = {**idle(space, self.size.idle)}
            if not peer.single:
                figures["restart"] = restart(space)
                space.settle(SETTLED)
            figures["stop"] = space.end()
            figures["untold"] = count - len(space.said("T"))
            return figures

    def reap(self, peer: Peer) -> Figures:
        """Many orphans die at once beside one quiet program."""
        with self.space(peer, 1, "orphans", str(self.size.orphans)) as space:
            space.wait("S", 1)
            space.settle(SETTLED)
            os.kill(space.pid_of("p0"), signal.SIGUSR1)
            gone = space.wait("Z", 1)[0].at
            return {"reap": gone - space.said("O")[0].at}

    @contextmanager
    def space(self, peer: Peer, count: int, what: str = "run", *more: str) -> Iterator[Space]:
        """A namespace with this init as PID 1 and so many programs, to which `what` and `more` are given."""
        with tempfile.TemporaryDirectory(prefix="init-", dir=self.probe.parent) as name:
            directory = Path(name)
            fifo = str(directory / "words")
            names = [f"p{i}" for i in range(count)]
            programs = [Program(name, (str(self.probe), what, fifo, name, *more)) for name in names]
            with Space(self.probe, directory, peer.prepare(directory, programs)) as space:
                yield space


def idle(space: Space, seconds: float) -> Figures:
    """Wakings a second over so many seconds in which nothing happens, and the memory after them."""
    before, busy, began = space.wakings(), space.busy(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    woken, worked = (space.wakings() - before) / took, (space.busy() - busy) / took
    memory = space.memory()
    return {"wakings": woken, "cpu": worked, "pss": memory.pss, "anonymous": memory.anonymous}


def restart(space: Space) -> float:
    """Median of KILLS programs killed one after the other."""
    found = []
    for number in range(KILLS):
        name = f"p{number}"
        pid = space.pid_of(name)
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        until(lambda name=name, killed=killed: started(space, name) > killed, f"{name} is not replaced")  # type: ignore[misc]
        found.append(started(space, name) - killed)
    return median(found)


def started(space: Space, name: str) -> float:
    """When the latest process of a program began; 0 where it never did."""
    return max((word.at for word in space.said("S") if word.name == name), default=0.0)


def taken(scenario: Callable[[Peer], Figures], peer: Peer) -> tuple[Figures, str]:
    """A scenario's figures, and what went wrong where it gave up."""
    try:
        return scenario(peer), ""
    except (GaveUp, OSError) as error:
        return {}, f"{peer.name}: {scenario.__name__}: {error}"
