"""How fast an init relays a program's output to its own stdout, and whether every line arrives whole.

A program writes numbered lines of 100 bytes as fast as it can; a reader on the init's stdout, a pipe, checks each one
(init_lines.c).  Beside it the same lines through cat(1): the least that a relay between two pipes costs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.init_measures import SETTLED
from bench.init_peers import Peer, Program
from bench.init_space import Space

LINE = 100
"""Bytes of a line as the program writes it."""


class Relayed(NamedTuple):
    """`rate` is bytes a second of what the program wrote, whatever was added to it."""

    rate: float
    lost: int
    broken: int


def through_init(peer: Peer, probe: Path, lines: int, options: str = "") -> Relayed:
    """From the first write to the last line read, through PID 1; `options` are further lines of the [program:x]."""
    writer = str(probe.with_name("init_lines"))
    with tempfile.TemporaryDirectory(prefix="relay-", dir=probe.parent) as name:
        directory = Path(name)
        fifo = str(directory / "words")
        argv = peer.prepare(directory, [Program("p0", (writer, "write", fifo, "p0", str(lines)))])
        with (directory / "programs.ini").open("a") as file:
            file.write(options)
        source, sink = os.pipe()
        with Space(probe, directory, argv, stdout=sink) as space:
            os.close(sink)
            reader = read(writer, fifo, lines, source)
            try:
                space.wait("S", 1)
                space.settle(SETTLED)
                os.kill(space.pid_of("p0"), signal.SIGUSR1)
                return relayed(space, lines)
            finally:
                reader.kill()
                reader.wait()


def through_cat(probe: Path, lines: int) -> Relayed:
    """The same through `cat`, with the same pipes."""
    writer = str(probe.with_name("init_lines"))
    with tempfile.TemporaryDirectory(prefix="relay-", dir=probe.parent) as name:
        directory = Path(name)
        fifo = str(directory / "words")
        source, sink = os.pipe()
        shell = f"{writer} write {fifo} p0 -{lines} | exec cat"
        with Space(probe, directory, ["/bin/sh", "-c", shell], stdout=sink) as space:
            os.close(sink)
            reader = read(writer, fifo, lines, source)
            try:
                return relayed(space, lines)
            finally:
                reader.kill()
                reader.wait()


def read(program: str, fifo: str, lines: int, source: int) -> subprocess.Popen[bytes]:
    """Start the reader on a pipe, which becomes its alone."""
    try:
        return subprocess.Popen([program, "read", fifo, "reader", str(lines)], stdin=source)
    finally:
        os.close(source)


def relayed(space: Space, lines: int) -> Relayed:
    """What the reader says.  Raises GaveUp."""
    last = space.wait("R", 1)[0]
    lost, broken = map(int, last.name.split(","))
    return Relayed(lines * LINE / (last.at - space.said("B")[0].at), lost, broken)
