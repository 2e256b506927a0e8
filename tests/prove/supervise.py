"""initd loses no death: under random kills, stops, restarts and orphan bursts each has exactly one right exit record.

Ten programs of every restart policy live and die as their plans say (tests.support.mortals); a killer signals them from
outside, asks initd to stop, start and restart them, and one program leaves bursts of orphans.  The claim holds if, when
all is quiet, every life has exactly one exit record with the code or signal that ledger and killer know of, every
restart, back-off and giving up follows its policy, initd has reaped each program and each orphan and nothing else, and
no zombie was seen for longer than a second or is left.  As root initd is PID 1 of a namespace, else a subreaper.

With the fault switched on, initd's reaper forgets one death (tests.support.forgetful).
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support import forgetful
from tests.support.inquest import misjudged, records, uncounted, unlawful
from tests.support.mortals import BROOD, DEADLY, Birth, Ledger, mortals, settle
from tests.support.pid1 import INITD, Pid1
from tests.support.procfs import descendants, status

SECONDS, QUICK_SECONDS = 300.0, 6.0
PAUSE = 0.01
"""Between two deeds of the killer, seconds."""

LOOK_SECONDS = 0.25
"""Between two looks at facts and zombies; initd keeps 4,096 facts, ten times what happens meanwhile."""

ZOMBIE_SECONDS = 1.0
"""A dead process waits for its reaping at most so long, on a machine that others use too."""

QUIET_SECONDS = 15.0
STARTED = re.compile(r"initd: (\S+) started \(pid (\d+)\)")


class Ordeal:
    """One initd, and everything that is done to it."""

    def __init__(self, folder: Path, dice: random.Random, mutate: bool) -> None:
        self.folder, self.dice = folder, dice
        self.programs = mortals(dice)
        launcher = (sys.executable, "-IS", forgetful.__file__) if mutate else (INITD,)
        config, namespace = settle(folder, self.programs), os.geteuid() == 0
        self.init = Pid1(folder, config, namespace=namespace, wrapper=("prlimit", "--core=0"), launcher=launcher)
        self.before = self.init.ask("about")["counters"]
        self.ledger = Ledger(folder)
        self.aimed: dict[int, int] = {}
        self.facts: list[dict[str, Any]] = []
        self.deeds = {"signals": 0, "stops": 0, "restarts": 0, "starts": 0}
        self.zombies: dict[int, float] = {}
        self.oldest_zombie = 0.0

    # Deeds

    def rage(self, seconds: float) -> None:
        """Do random things for so long."""
        names = [one.name for one in self.programs]
        wild = [one.name for one in self.programs if not one.is_left_alone]
        self.init.ask("start", names=names)
        end, look = time.monotonic() + seconds, 0.0
        deeds: list[Callable[[], object]] = [self.kill, self.kill, self.kill, *(
            lambda verb=verb: self.ask(verb, self.dice.choice(wild)) for verb in ("stop", "restart", "start")  # type: ignore[misc]
        )]  # fmt: skip
        while time.monotonic() < end:
            self.dice.choice(deeds)()
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_SECONDS
                self.look()
                rows = self.init.ask("status")
                self.ask("start", *(row["name"] for row in rows if row["state"] in ("FATAL", "EXITED")))
            time.sleep(PAUSE)

    def ask(self, verb: str, *names: str) -> None:
        """Ask initd for something, if there is somebody to ask it for."""
        if names:
            self.init.ask(verb, names=list(names))
            self.deeds[f"{verb}s"] += 1

    def kill(self) -> None:
        """Signal somebody who waits for it, whom nobody signalled yet."""
        newest = {birth.name: index for index, birth in enumerate(self.ledger.read())}
        waiting = [
            (index, birth)
            for index in newest.values()
            if (birth := self.ledger.births[index]).fate in ("stay", "deaf") and index not in self.aimed
        ]
        if waiting:
            index, birth = self.dice.choice(waiting)
            number = self.dice.choice([one for one in DEADLY if birth.fate == "stay" or one != signal.SIGTERM])
            self._aim(index, birth, number)

    def _aim(self, index: int, birth: Birth, number: int) -> None:
        pid = next((pid for pid in self.init.children() if inner(pid) == birth.pid), None)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                self.aimed[index] = number
                self.deeds["signals"] += 1

    # Looking

    def look(self) -> None:
        """Take in the new facts, and how long zombies have been there."""
        after = self.facts[-1]["seq"] if self.facts else 0
        self.facts += self.init.ask("events", after=after, limit=1000)
        now, dead = time.monotonic(), [pid for pid in self.init.children() if is_zombie(pid)]
        self.zombies = {pid: self.zombies.get(pid, now) for pid in dead}
        self.oldest_zombie = max([self.oldest_zombie, *(now - since for since in self.zombies.values())])

    def calm(self) -> bool:
        """End it all and wait until nothing is left; whether that came."""
        (self.folder / "over").touch()
        calm = self.await_quiet(lambda: self.last_fates("brood", "flapper") == {"stay"})
        self.init.ask("stop", names=["all"])
        return self.await_quiet(lambda: not list(descendants(self.init.pid))) and calm

    def last_fates(self, *names: str) -> set[str]:
        """What the newest lives of these have in mind."""
        return set({birth.name: birth.fate for birth in self.ledger.read() if birth.name in names}.values())

    def await_quiet(self, condition: Callable[[], bool]) -> bool:
        """Wait for something, but not for ever: it may be what is broken."""
        end = time.monotonic() + QUIET_SECONDS
        while not (quiet := condition()) and time.monotonic() < end:
            self.look()
            time.sleep(0.05)
        self.look()
        return quiet

    # The verdict

    def wrongs(self) -> list[str]:
        """Everything that should not be."""
        births, found = list(enumerate(self.ledger.read())), []
        lives = [(name, int(pid)) for name, pid in STARTED.findall(self.init.said())]
        for one in self.programs:
            told = records(self.facts, one.name)
            found += uncounted(one.name, [pid for name, pid in lives if name == one.name], told)
            found += misjudged([pair for pair in births if pair[1].name == one.name], told, self.aimed)
            found += unlawful(one, self.facts)
        if [fact["seq"] for fact in self.facts] != list(range(1, len(self.facts) + 1)):
            found.append("facts are missing between those that were read")
        if self.oldest_zombie > ZOMBIE_SECONDS:
            found.append(f"a zombie was left for {self.oldest_zombie:.1f} s")
        return found + self.miscounted(len(lives))

    def miscounted(self, lives: int) -> list[str]:
        """Whether initd reaped as many as there were."""
        orphans, reaped = (self.count(which) for which in ("orphans", "reaped"))
        made = BROOD * sum(birth.fate == "brood" for birth in self.ledger.births)
        wrong = [f"{made} orphans were left behind, {orphans} were reaped"] if made != orphans else []
        return wrong + ([f"{lives + made} processes ended, {reaped} were reaped"] if reaped != lives + made else [])

    def count(self, which: str) -> int:
        """By how much one of initd's counters has risen."""
        return int(self.init.ask("about")["counters"][which] - self.before[which])

    def figures(self) -> dict[str, object]:
        """What happened."""
        ended = [fact["body"] for fact in self.facts if fact["kind"] == "exit"]
        return {
            "deaths_of_programs": len(ended),
            "of_these_by_a_signal": sum(one["signal"] is not None for one in ended),
            "of_these_stopped": sum(one["cause"] == "stopped" for one in ended),
            "exit_codes_and_signals_met": len({(one["code"], one["signal"]) for one in ended}),
            "orphans_reaped": self.count("orphans"),
            **{f"{deed}_from_outside": count for deed, count in self.deeds.items()},
            "oldest_zombie_seconds": round(self.oldest_zombie, 2),
        }

    def close(self) -> None:
        """End initd."""
        self.ledger.close()
        self.init.destroy()


def inner(pid: int) -> int:
    """A process's number in its own namespace, 0 where it is gone."""
    try:
        return int(status(pid, "NSpid").rpartition("\t")[2] or 0)
    except (OSError, StopIteration):
        return 0


def is_zombie(pid: int) -> bool:
    """Whether it is dead and not reaped."""
    try:
        return status(pid, "State").startswith("Z")
    except (OSError, StopIteration):
        return False


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim holds; the seed is among them, so that the same deeds can be tried again."""
    seed = random.randrange(2**32)
    with tempfile.TemporaryDirectory(prefix="supervise-") as folder:
        ordeal = Ordeal(Path(folder), random.Random(seed), mutate)
        try:
            ordeal.rage(QUICK_SECONDS if quick else SECONDS)
            calm = ordeal.calm()
            wrongs = ordeal.wrongs() + ([] if calm else ["something did not come to its end"])
            first = wrongs[0] if wrongs else None
            figures = {"seed": seed, **ordeal.figures(), "wrongs": len(wrongs), "first_wrong": first}
        finally:
            ordeal.close()
    return figures, not wrongs and figures["deaths_of_programs"] != 0
