"""No fault that memory, disk, descriptors, processes or clock can have disturbs a program or ends PID 1.

In a namespace of its own initd (tests.support.faulty) keeps steady programs, loud ones that write to a file and to the
container's stdout, one that is killed again and again, and a link that cannot reach its hub and is killed as soon as
it is there.  While the storm lasts, allocations, pipes, forks, opens and writes fail by chance and the wall clock jumps
by months, and people ask for status.  The claim holds if PID 1 lives, no steady program was ever restarted, and in the
calm after the storm everything answers, the killed program runs again, a new kill is recorded as it should be, and
initd ends in order.

With the fault switched on, initd's loop lets the first exception through.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support import faulty
from tests.support.pid1 import Pid1, signal_quietly
from tests.support.procfs import children, command_line
from tests.support.waiting import until

LINK_DEATHS, QUICK_LINK_DEATHS = 1000, 25
SECONDS, QUICK_SECONDS = 60.0, 4.0
"""The storm lasts at least so long, and until link has died so often."""

STEADY = 8
CALM_SECONDS = 60.0
CONFIG = """\
[initd]
pidfile={folder}/pid
loglevel=error
{steady}
[program:loud]
startsecs=0
command=sh -c "while :; do echo a line; sleep 0.01; done"
[program:filed]
startsecs=0
stdout_logfile={folder}/filed.log
stdout_logfile_maxbytes=64KB
stdout_logfile_backups=2
command=sh -c "while :; do echo a line of some length; sleep 0.01; done"
[program:probed]
startsecs=0
command=sleep 2000
readiness=exec:true
liveness=exec:true
liveness_interval=0.1
liveness_failures=5
[program:aging]
startsecs=0
command=sleep 2000
restart_memory=1GB
restart_look=0.1
[program:hourly]
command=true
schedule=every 1s
[program:victim]
startsecs=0
autorestart=true
startretries=1000000
command=sleep 1000
"""


class Ordeal:
    """One initd in a storm."""

    def __init__(self, folder: Path, seed: int, mutate: bool) -> None:
        self.weather = folder / "weather"
        self.weather.write_bytes(bytes(16))
        steady = "".join(f"[program:steady{n}]\nstartsecs=0\ncommand=sleep 1000\n" for n in range(STEADY))
        environ = {
            "FAULTS_FILE": str(self.weather),
            "FAULTS_SEED": str(seed),
            "PIDONE_JOIN_FILE": str(folder / "not-there-yet"),
        }
        self.init = Pid1(
            folder,
            CONFIG.format(folder=folder, steady=steady),
            env={**environ, **({"FAULTS_BARE": "1"} if mutate else {})},
            namespace=os.geteuid() == 0,
            launcher=(sys.executable, "-IS", faulty.__file__),
        )
        self.links: set[int] = set()
        self.asked = self.answered = self.kills = 0
        until(lambda: set(self.states()) <= {"RUNNING", "EXITED"}, what="all programs run")
        self.before = self.pids()

    def states(self) -> list[str]:
        """The state of each program but the scheduled one."""
        return [row["state"] for row in self.init.ask("status") if row["name"] != "hourly"]

    def pids(self) -> dict[str, int]:
        """The pid of each program that shall not notice anything."""
        return {row["name"]: row["pid"] for row in self.init.ask("status") if row["name"] not in ("victim", "hourly")}

    # The storm

    def rage(self, seconds: float, deaths: int) -> None:
        """Faults, kills and questions, all at once."""
        self._set(1)
        end = time.monotonic() + seconds
        limit = end + 600
        while (time.monotonic() < end or len(self.links) < deaths) and time.monotonic() < limit and self.lives():
            self._kill_link()
            self._kill_victim()
            self._question()
            time.sleep(0.005)
        self._set(0)

    def _set(self, weather: int) -> None:
        with self.weather.open("r+b") as file:
            file.write(bytes([weather]))

    def lives(self) -> bool:
        """Whether PID 1 is there."""
        return self.init.process.poll() is None

    def _kill_link(self) -> None:
        for pid in children(self.init.pid):
            if pid not in self.links and "initd.link" in command_line(pid):
                self.links.add(pid)
                signal_quietly(pid, signal.SIGKILL)

    def _kill_victim(self) -> None:
        if self.kills % 4 == 0:
            for pid in children(self.init.pid):
                if command_line(pid).startswith("sleep 1000") and pid not in self._steady_outside():
                    signal_quietly(pid, signal.SIGKILL)
        self.kills += 1

    def _steady_outside(self) -> set[int]:
        """The pids of the steady programs as seen from outside: the first that were there."""
        if not hasattr(self, "_outside"):
            sleepers = [pid for pid in children(self.init.pid) if command_line(pid).startswith("sleep 1000")]
            self._outside = set(sleepers[:STEADY])
        return self._outside

    def _question(self) -> None:
        self.asked += 1
        with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(self.init.socket)
            client.sendall(b'{"id": 1, "verb": "status"}\n')
            self.answered += bool(json.loads(client.makefile("rb").readline())["ok"])

    # The calm

    def faults(self) -> int:
        """How many calls failed."""
        return int.from_bytes(self.weather.read_bytes()[8:16], "little")

    def wrongs(self) -> list[str]:
        """Everything that should not be, now that it is over."""
        if not self.lives():
            return [f"PID 1 ended with status {self.init.process.returncode}"]
        checks = (self._undisturbed, self._recovers, self._records, self._keeps_time, self._ends)
        return [wrong for check in checks for wrong in check()]

    def _undisturbed(self) -> list[str]:
        now = self.pids()
        return [f"{name} was restarted" for name, pid in self.before.items() if now.get(name) != pid]

    def _recovers(self) -> list[str]:
        try:
            until(lambda: self._victim()["state"] == "RUNNING", CALM_SECONDS)
        except AssertionError:
            return [f"the killed program is {self._victim()['state']} for good: {self._victim()['why']}"]
        return []

    def _victim(self) -> dict[str, Any]:
        [row] = self.init.ask("status", names=["victim"])
        return dict(row)

    def _records(self) -> list[str]:
        old = self._victim()["pid"]
        self.init.ask("signal", names=["victim"], signal="KILL")
        try:
            until(lambda: self._victim()["pid"] not in (old, None), CALM_SECONDS)
        except AssertionError:
            return ["a program killed in the calm is not started again"]
        last = self.init.ask("exits", names=["victim"], limit=1)[-1]["body"]
        right = (last["pid"], last["signal"]) == (old, signal.SIGKILL)
        return [] if right else [f"the last exit record is of pid {last['pid']}, not {old}"]

    def _keeps_time(self) -> list[str]:
        before = len(self.init.ask("exits", names=["hourly"], limit=1000))
        try:
            until(lambda: len(self.init.ask("exits", names=["hourly"], limit=1000)) > min(before, 900), CALM_SECONDS)
        except AssertionError:
            return ["the scheduled program is not started any more"]
        return []

    def _ends(self) -> list[str]:
        status = self.init.stop()
        return [] if status == 0 else [f"initd ended with {status}"]


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim holds."""
    seed = random.randrange(2**32)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        ordeal = Ordeal(Path(folder), seed, mutate)
        try:
            ordeal.rage(QUICK_SECONDS if quick else SECONDS, QUICK_LINK_DEATHS if quick else LINK_DEATHS)
            faults = ordeal.faults()
            wrongs = ordeal.wrongs()
            figures: dict[str, object] = {
                "seed": seed,
                "calls_that_failed": faults,
                "links_killed": len(ordeal.links),
                "questions_asked": ordeal.asked,
                "of_these_answered": ordeal.answered,
                "wrongs": len(wrongs),
                "first_wrong": wrongs[0] if wrongs else None,
                "said": ordeal.init.said()[-400:] if wrongs else "",
            }
        finally:
            ordeal.init.destroy()
    return figures, not wrongs and faults > 0
