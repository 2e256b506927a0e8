"""Every death in a real container leaves exactly one record, and no record has a wrong cause.

Containers with a memory limit run programs that die in every way there is (tests.support.fates): each class of exit
status, each deadly signal, the OOM killer, stop, restart, escalation, failed starts, hooks, probes, dependencies; round
after round, until the count is reached; at the end `docker stop` ends what is left.  The claim holds if each life has
one record, with the cause, status, signal, step and actor that its fate demands, and the container's log tells of the
last ones.

With the fault switched on, initd calls every stop a signal.
"""

from __future__ import annotations

import json
import py_compile
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from images import build
from tests.support.containers import ROOT, Container, Yard, need_engine, until
from tests.support.fates import STAY, Fate, every

DEATHS = 1000
INITD = "/opt/initd/initd"
LAST = "last"
"""The program that runs until the shutdown."""


class Dying:
    """One container, and the deaths in it."""

    def __init__(self, box: Container, fates: list[Fate]) -> None:
        self.box, self.fates = box, fates
        self.after = 0
        self.counted: Counter[str] = Counter()
        self.wrongs: list[str] = []
        until(lambda: box.states().get(LAST) == "RUNNING", f"the container's initd: {box.logs()}")

    def round(self) -> None:
        """Let everybody die once: all at once, then those who must be alone."""
        together = [fate for fate in self.fates if not fate.alone]
        self._die(together)
        for fate in self.fates:
            if fate.alone:
                self._die([fate])

    def _die(self, fates: list[Fate]) -> None:
        self._inside(f"{INITD} start {' '.join(fate.name for fate in fates)} >/dev/null")
        rows = {row["full_name"]: row for row in json.loads(self._inside(f"{INITD} status --json"))}
        deeds = [
            fate.deed.format(pid=rows[fate.name]["pid"], name=fate.name).replace("initd ", f"{INITD} ")
            for fate in fates
            if fate.deed
        ]
        self._inside("\n".join(f"{deed} >/dev/null" for deed in deeds) or ":")
        names = {fate.name for fate in fates}
        found: list[dict[str, Any]] = []

        def all_dead() -> bool:
            found[:] = self._records()
            return names <= {record["name"] for record in found} and not self._alive(names)

        until(all_dead, f"records of {len(names)} deaths")
        self._judge(fates, found)

    def _alive(self, names: set[str]) -> list[str]:
        rows = json.loads(self._inside(f"{INITD} status --json"))
        return [row["name"] for row in rows if row["name"] in names and row["pid"] is not None]

    def _records(self) -> list[dict[str, Any]]:
        rows = json.loads(self._inside(f"{INITD} exits --json --after {self.after} --limit 1000"))
        return [{**row["body"], "seq": row["seq"]} for row in rows]

    def _judge(self, fates: list[Fate], records: list[dict[str, Any]]) -> None:
        for fate in fates:
            own = [record for record in records if record["name"] == fate.name]
            due = (fate.expect, *fate.then)
            if len(own) != len(due):
                self.wrongs.append(f"{fate.name}: {len(own)} records of {len(due)} deaths")
            for record, expect in zip(own, due, strict=False):
                self.counted[record["cause"]] += 1
                differs = {key: record[key] for key, value in expect.items() if record[key] != value}
                if differs:
                    self.wrongs.append(f"{fate.name}: {differs} where {expect} was due")
        self.after = max([self.after, *(record["seq"] for record in records)])

    def _inside(self, script: str) -> str:
        return self.box.exec("/bin/sh", "-c", script, check=False).stdout

    def end(self) -> None:
        """`docker stop`: the last death is told by the container's log."""
        self.box.stop()
        told = [line for line in self.box.logs().splitlines() if f"initd: {LAST} (pid " in line]
        if len(told) != 1 or "stopped by signal TERM" not in told[0]:
            self.wrongs.append(f"the shutdown's death is told as {told}")
        self.counted["stopped"] += 1


def configuration(fates: list[Fate]) -> str:
    """The container's file."""
    last = f"[program:{LAST}]\ncommand={STAY}\n"
    return "[initd]\npidfile=/tmp/pid\n" + "".join(fate.section() for fate in fates) + last


def sabotaged(folder: Path) -> list[str]:
    """Options that put an initd with a fault into the container."""
    place = folder / "initd"
    shutil.copytree(ROOT / "initd", place, ignore=shutil.ignore_patterns("__pycache__"))
    py_compile.compile(str(place / "__main__.py"), str(place / "__main__.pyc"), doraise=True)  # what the launcher runs
    exits = place / "exits.py"
    text = exits.read_text()
    honest = "        return ended.cause\n"
    assert honest in text
    exits.write_text(text.replace(honest, honest.replace("ended.cause", "Cause.SIGNAL")))
    return ["-v", f"{place}:/opt/initd/site/initd:ro"]


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim holds."""
    need_engine()
    fates, yard, begun = every(), Yard(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="deaths-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "initd.ini").write_text(configuration(fates))
        shutil.copy(ROOT / "tests/e2e/images/Dockerfile", folder)
        image = build.build(
            folder, "pidone-test/deaths:proof", BASE=build.local_base("demo"), INITD=build.product("initd")
        )
        options = [
            "--memory",
            "64m",
            "--memory-swap",
            "64m",
            "--network",
            "none",
            *(sabotaged(folder) if mutate else []),
        ]
        rounds, dying = 0, None
        try:
            dying = Dying(yard.run(image, options=options), fates)
            while rounds == 0 or (not quick and sum(dying.counted.values()) < DEATHS):
                dying.round()
                rounds += 1
            dying.end()
        finally:
            yard.clear()
    return {
        "deaths": sum(dying.counted.values()),
        "ways_to_die": len(fates) + 1,
        "rounds": rounds,
        **{f"cause_{cause.replace(' ', '_')}": count for cause, count in sorted(dying.counted.items())},
        "seconds_dying": round(time.monotonic() - begun, 1),
        "wrongs": len(dying.wrongs),
        "first_wrongs": "; ".join(dying.wrongs[:3]),
    }, not dying.wrongs and sum(dying.counted.values()) >= (len(fates) if quick else DEATHS)
