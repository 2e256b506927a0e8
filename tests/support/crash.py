"""A real writer process that is killed with SIGKILL at a random moment, and what its store must hold afterwards.

The writer runs a Worker as the hub does and tells every acknowledgement through a pipe: `f 17` fact 17 is durable,
`e 3` epoch 3 is mine, `c c17` command c17 is claimed, `s 1700000400.0` samples up to then are written.  What it said
before it died is a promise; `broken` lists the promises that the store does not keep when it is opened again.
"""

from __future__ import annotations

import os
import random
import select
import signal
import threading
import time
from typing import NamedTuple

from hub.store.base import Store
from hub.store.embedded import Embedded
from hub.store.worker import Worker
from tests.support import rows
from tests.support.rows import T0

AGENT, BOOT = "a", "b"
FACTS = 32
"""Facts in one call."""

READ_SECONDS = 30.0
"""How long the first word of a writer may take on a busy machine."""


class Round(NamedTuple):
    """One writer's life."""

    said: dict[str, list[str]]
    """Acknowledgements by letter."""
    broken: list[str]


def note(seq: int) -> dict[str, object]:
    """The body of fact `seq`: the check can tell a wrong one."""
    return {"n": seq, "text": f"fact {seq}" * 5}


def write(directory: str, fd: int, kind: type[Worker], start: float) -> None:
    """Write until killed."""
    store, woken = Embedded(directory), threading.Event()
    worker, seq = kind(store, woken.set, lambda: start), store.durable(AGENT, BOOT)
    worker.start()
    worker.submit("next_epoch", (), "e")
    worker.submit("put_roster", (AGENT, BOOT, 1, [rows.process(1)]), "")
    for turn in range(1_000_000):
        for _ in range(20):
            facts = [rows.fact(n, note(n)) for n in range(seq + 1, seq + FACTS + 1)]
            seq += FACTS
            worker.submit("append_facts", (AGENT, BOOT, facts), "f")
        worker.submit("claim_command", (rows.command(f"c{seq}"),), f"c{seq}")
        at = start + turn / 1000
        worker.submit("put_samples", (AGENT, BOOT, 1, at, rows.columns([{"rss": 1.0}])), "")
        worker.submit("flush", (at,), f"s{at!r}")
        woken.wait()
        woken.clear()
        tell(fd, worker)
        while worker.backlog > 200:
            woken.wait(0.1)
            tell(fd, worker)


def tell(fd: int, worker: Worker) -> None:
    """One line for each outcome that is a promise."""
    for outcome in worker.drain():
        tag = str(outcome.tag)
        if outcome.error is not None:
            os.write(fd, f"x {outcome.error}\n".encode())
        elif tag in ("f", "e"):
            os.write(fd, f"{tag} {outcome.value}\n".encode())
        elif tag[:1] in ("c", "s"):
            os.write(fd, f"{tag[0]} {tag if tag[0] == 'c' else tag[1:]}\n".encode())


def crash(directory: str, dice: random.Random, number: int, kind: type[Worker] = Worker) -> Round:
    """Start a writer, kill it at a random moment after its first word, open the store again and compare."""
    start = T0 + 10 * number
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            write(directory, writer, kind, start)
        finally:
            os._exit(70)
    os.close(writer)
    said = listen(reader, dice.uniform(0.0, 0.3), pid)
    return Round(said, broken(directory, said, start))


def listen(reader: int, seconds: float, pid: int) -> dict[str, list[str]]:
    """Everything the writer says; it is killed `seconds` after its first word."""
    heard = b""
    select.select([reader], [], [], READ_SECONDS)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        part = os.read(reader, 65536)
        heard += part
        if not part:
            break
    os.kill(pid, signal.SIGKILL)
    while part := os.read(reader, 65536):
        heard += part
    os.close(reader)
    os.waitpid(pid, 0)
    said: dict[str, list[str]] = {"f": [], "e": [], "c": [], "s": [], "x": []}
    for line in heard.decode().splitlines(keepends=True):
        if line.endswith("\n"):
            said[line[0]].append(line[2:-1])
    return said


def broken(directory: str, said: dict[str, list[str]], start: float) -> list[str]:
    """The promises that do not hold."""
    store = Embedded(directory)
    try:
        return [f"writer failed: {text}" for text in said["x"]] + [
            *_facts(store, max(map(int, said["f"]), default=0)),
            *(f"command {id} is lost" for id in said["c"] if store.command(id) is None),
            *(f"command {id} was claimed twice" for id in said["c"] if store.claim_command(rows.command(id))),
            *(f"epoch {epoch} is lost" for epoch in said["e"] if store.epoch() < int(epoch)),
            *_samples(store, max(map(float, said["s"]), default=0.0), start),
        ]
    finally:
        store.close(start)


def _facts(store: Store, acknowledged: int) -> list[str]:
    durable = store.durable(AGENT, BOOT)
    found, after = [], 0
    while page := store.facts(after=after, limit=5000):
        found += [(fact.seq, fact.body) for fact in page]
        after = page[-1].position
    wrong = [] if found == [(seq, note(seq)) for seq in range(1, durable + 1)] else [f"facts differ from 1..{durable}"]
    return wrong + ([f"acknowledged {acknowledged}, durable {durable}"] if durable < acknowledged else [])


def _samples(store: Store, until: float, start: float) -> list[str]:
    times = store.process_history(AGENT, start, start + 10, pid=1).times
    return [f"samples up to {until} are lost"] if until and (not times or times[-1] < until) else []


def rounds(directory: str, count: int, seed: int, kind: type[Worker] = Worker) -> list[Round]:
    """Several lives over one store; also that no epoch is given twice."""
    dice, done, epochs = random.Random(seed), [], [0]
    for number in range(count):
        one = crash(directory, dice, number, kind)
        again = [epoch for epoch in map(int, one.said["e"]) if epoch <= epochs[-1]]
        epochs += map(int, one.said["e"])
        done.append(one._replace(broken=[*one.broken, *(f"epoch {epoch} was given twice" for epoch in again)]))
    return done
