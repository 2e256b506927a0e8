"""A fleet of real agents survives two kills of its hub: nobody is reported lost, each fact arrives exactly once.

Every agent is link's own code with a CURVE key of its own, many in a process (tests.support.crew); one real hubd.  All
enrol at once, make exit records all the time, and go on while the hub is killed with SIGKILL and is away.  The claim
holds if all register, all are back within two periods of the hub's return each time, no agent was ever reported late
or lost, and the hub's store holds exactly the facts that were made, each once and unaltered.

With the fault switched on, one agent forgets to replay what happened before it registered again.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hub.store.embedded import Embedded
from hub.store.rows import FactRow
from tests.support import crew
from tests.support.livehub import LiveHub
from wire.errors import Unreachable
from wire.model import Exit

AGENTS, QUICK_AGENTS = 1000, 100
CREW, QUICK_CREW = 125, 50
"""Agents in one process."""

PERIOD = 2.0
"""Seconds between heartbeats: hubd's default."""

LIFE_SECONDS, QUICK_LIFE_SECONDS = 10.0, 2.0
"""Between the troubles."""

AWAY_SECONDS = (0.5, 2.0)
"""The hub is away for some time between these."""

PATIENCE, QUICK_PATIENCE = 120.0, 15.0
"""Seconds after which something that did not come is given up."""
FUTILE = 3.0
"""Seconds after which facts are given up where the fault is switched on, so that some are never told."""

TICKS = os.sysconf("SC_CLK_TCK")


class Fleet:
    """The crews of agents, each in a process of its own."""

    def __init__(self, join: str, agents: int, mutate: bool) -> None:
        context, each = multiprocessing.get_context("spawn"), CREW if agents > QUICK_AGENTS else QUICK_CREW
        self.ends, self.processes = [], []
        for first in range(0, agents, each):
            ours, theirs = context.Pipe()
            arguments = (theirs, join, first, min(each, agents - first), mutate and first == 0)
            self.processes.append(context.Process(target=crew.run, args=arguments, daemon=True))
            self.ends.append(ours)
            self.processes[-1].start()
            theirs.close()

    def tell(self, pace: float) -> None:
        """Something happens to each agent every `pace` seconds; 0: nothing more."""
        for end in self.ends:
            end.send(pace)

    def ask(self, question: str) -> list[Any]:
        """Every crew's answer."""
        for end in self.ends:
            end.send(question)
        return [end.recv() for end in self.ends]

    def close(self) -> None:
        """End them, without a goodbye."""
        for end, process in zip(self.ends, self.processes, strict=True):
            end.close()
            process.kill()
            process.join()


class Course:
    """What is measured on the way."""

    def __init__(self, hub: LiveHub, agents: int) -> None:
        self.hub, self.agents = hub, agents
        self.patience = PATIENCE if agents > QUICK_AGENTS else QUICK_PATIENCE
        self.figures: dict[str, float] = {}
        self.resident = 0.0
        self.used = 0.0
        """CPU seconds of the hubs that were killed."""

    def all_live(self) -> bool:
        """Whether the hub hears every agent."""
        with suppress(Unreachable):  # it has more to do than to answer us
            return bool(self.hub.client.about()["agents"] == {"live": self.agents})
        return False

    def wait_until(self, true: Callable[[], bool]) -> float:
        """Seconds until it was true; infinite where it never was."""
        begun = time.monotonic()
        while not true():
            if time.monotonic() - begun > self.patience:
                return float("inf")
            time.sleep(0.05)
        return round(time.monotonic() - begun, 2)

    def kill_and_return(self, number: int) -> None:
        """SIGKILL; some time later the hub is started again; measured is how long it takes until all are back."""
        self.used += cpu_seconds(self.hub)
        self.hub.kill(signal.SIGKILL)
        time.sleep(random.uniform(*AWAY_SECONDS))
        self.hub.start()
        self.figures[f"back_seconds_{number}"] = self.wait_until(self.all_live)
        self.resident = max(self.resident, resident(self.hub))

    def live(self, seconds: float) -> None:
        """Nothing special; measured is what the hub takes."""
        before, begun = cpu_seconds(self.hub), time.monotonic()
        time.sleep(seconds)
        cores = (cpu_seconds(self.hub) - before) / (time.monotonic() - begun)
        self.figures["hub_cores"] = round(max(cores, self.figures.get("hub_cores", 0.0)), 3)
        self.resident = max(self.resident, resident(self.hub))


def cpu_seconds(hub: LiveHub) -> float:
    """CPU time of the hub's process so far."""
    assert hub.process is not None
    fields = Path(f"/proc/{hub.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(hub: LiveHub) -> float:
    """Resident MiB of the hub's process."""
    assert hub.process is not None
    return int(Path(f"/proc/{hub.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def kept(folder: Path) -> Iterator[FactRow]:
    """Every fact in the store of a hub that has ended."""
    store, after = Embedded(str(folder / "state" / "store")), 0
    try:
        while page := store.facts(after=after, limit=5000):
            yield from page
            after = page[-1].position
    finally:
        store.close(time.time())


def differences(made: dict[str, list[int]], rows: list[FactRow]) -> tuple[int, int, int]:
    """Facts that are missing, that came twice, and that nobody made."""
    wanted = Counter((boot, seq, code) for boot, codes in made.items() for seq, code in enumerate(codes, 1))
    found = Counter((row.boot, row.seq, row.body.code) for row in rows if isinstance(row.body, Exit))
    twice = sum(count - 1 for count in found.values())
    return len(wanted.keys() - found.keys()), twice, len(found.keys() - wanted.keys())


def silences(rows: list[FactRow]) -> dict[str, int]:
    """How often an agent was reported late, lost and gone."""
    notes = [row.body for row in rows if isinstance(row.body, dict) and row.body.get("note") == "presence"]
    told = Counter(str(note["presence"]) for note in notes)
    return {f"reported_{presence}": told[presence] for presence in ("late", "lost", "gone")}


@contextmanager
def sailing(folder: Path, agents: int, mutate: bool) -> Iterator[tuple[Course, Fleet]]:
    """A hub, and a fleet that begins to join it."""
    hub = LiveHub(folder, period=PERIOD, sample_period=5)
    try:
        join = hub.start().join(cap=2 * agents).format()
        fleet = Fleet(join, agents, mutate)
        try:
            yield Course(hub, agents), fleet
        finally:
            fleet.close()
    finally:
        hub.stop()


def voyage(folder: Path, agents: int, seconds: float, mutate: bool) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """All that happens; figures, and the exit codes of each agent's facts."""
    with sailing(folder, agents, mutate) as (course, fleet):
        course.figures["register_seconds"] = course.wait_until(course.all_live)
        fleet.tell(agents / 100)
        for number in (1, 2):
            course.live(seconds)
            course.kill_and_return(number)
        course.live(seconds)
        fleet.tell(0.0)
        course.patience = FUTILE if mutate else course.patience
        course.figures["untold_seconds"] = course.wait_until(lambda: sum(fleet.ask("untold")) == 0)
        made = {boot: codes for journals in fleet.ask("journals") for boot, codes in journals.items()}
        course.figures["hub_cpu_seconds"] = round(course.used + cpu_seconds(course.hub), 2)
        course.figures["hub_resident_mib"] = round(course.resident, 1)
        course.hub.kill(signal.SIGTERM)
        return course.figures, made


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim holds."""
    agents, seconds = (QUICK_AGENTS, QUICK_LIFE_SECONDS) if quick else (AGENTS, LIFE_SECONDS)
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        figures, made = voyage(Path(folder), agents, seconds, mutate)
        rows = list(kept(Path(folder)))
    missing, twice, invented = differences(made, rows)
    silent, count = silences(rows), sum(map(len, made.values()))
    back = max(figures["back_seconds_1"], figures["back_seconds_2"])
    holds = len(made) == agents and count > agents and not any((missing, twice, invented, *silent.values()))
    told = {"facts": count, "facts_missing": missing, "facts_twice": twice, "facts_invented": invented}
    return {"agents": agents, **figures, **told, **silent}, holds and back <= 2 * PERIOD
