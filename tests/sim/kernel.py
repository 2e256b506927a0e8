"""A kernel whose processes live in virtual time: spawned, signalled, reaped without a single real process."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator

from initd.errors import StartFailed
from initd.process import Process
from initd.reaper import Death
from initd.spawn import Order
from initd.sweep import Leftover
from tests.sim.clock import SimLoop
from wire.model import Cause, Rusage

KILL, CONT = 9, 18
RUSAGE = Rusage(0.25, 0.5, 4096, 7, 1)


class SimProcess:
    """A simulated process: how it reacts to a signal is a number of seconds until its death, or None for never."""

    def __init__(self, pid: int, order: Order | None, delays: dict[int, float | None]) -> None:
        self.pid = pid
        self.order = order
        self.delays = delays
        self.signals: list[int] = []


class SimKernel:
    """What the supervisor needs of initd.kernel.Kernel."""

    def __init__(self, loop: SimLoop) -> None:
        self.loop = loop
        self.pid = 1
        self.alive: dict[int, SimProcess] = {}
        self.strays: dict[int, SimProcess] = {}
        self.spawned: list[SimProcess] = []
        self.sent: list[tuple[float, int, int, bool]] = []
        self.failures: list[StartFailed | None] = []
        """What the next spawns raise; None: success."""
        self.refuse: dict[int, int] = {}
        """pid to the errno that signalling it gives."""
        self.delays: dict[int, float | None] = {}
        """How future processes react to signals; KILL ends at once unless said otherwise, others too."""
        self.on_death: Callable[[], object] = lambda: None
        self.families: dict[str, list[SimProcess]] = {}
        """By program: who belongs to it beside its leader."""
        self.unclaimed: list[Leftover] = []
        """Orphans of unknown descent."""
        self.suspicion = Cause.SIGNAL
        self.judged: list[int] = []
        self._dead: list[Death] = []
        self._next_pid = 100

    def wall(self) -> float:
        return 1.6e9 + self.loop.now()

    def spawn(self, order: Order) -> int:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        process = SimProcess(self._number(), order, dict(self.delays))
        self.alive[process.pid] = process
        self.spawned.append(process)
        return process.pid

    def stray(self, delays: dict[int, float | None] | None = None) -> SimProcess:
        """A process that is no program of ours."""
        process = SimProcess(self._number(), None, delays or {})
        self.strays[process.pid] = process
        return process

    def _number(self) -> int:
        self._next_pid += 1
        return self._next_pid

    def kill(self, pid: int, signum: int, group: bool) -> None:
        if pid in self.refuse:
            raise OSError(self.refuse[pid], "refused")
        process = self.alive.get(pid) or self.strays.get(pid)
        if process is None and not any(death.pid == pid for death in self._dead):
            raise OSError(errno.ESRCH, "No such process")
        if process is None or signum == 0:
            return
        self.sent.append((self.loop.now(), pid, signum, group))
        process.signals.append(signum)
        delay = process.delays.get(signum, None if signum == CONT else 0.0)
        if delay is not None:
            self.loop.at(self.loop.now() + delay, lambda: self.die(pid, signal=signum))

    def die(self, pid: int, code: int | None = None, signal: int | None = None, core: bool = False) -> None:
        """Let a process end and tell the supervisor, as SIGCHLD would."""
        if self.alive.pop(pid, None) or self.strays.pop(pid, None):
            self._dead.append(Death(pid, None if signal else code or 0, signal, core, RUSAGE))
            self.on_death()

    def die_together(self, deaths: list[Death]) -> None:
        """Several deaths reaped in one batch."""
        for death in deaths:
            self.alive.pop(death.pid, None)
            self.strays.pop(death.pid, None)
        self._dead += deaths
        self.on_death()

    def collect(self) -> Iterator[list[Death]]:
        while self._dead:
            batch, self._dead = self._dead, []
            yield batch

    def start_ticks(self, pid: int) -> int:
        return pid * 10

    def judge(self, killed: Collection[int], programs: Collection[int], now: float) -> Cause:
        self.judged.append(len(killed))
        return self.suspicion

    def verdict(self, death: Death, suspicion: Cause) -> Cause:
        return suspicion

    def leftovers(self) -> list[Leftover]:
        return [Leftover(pid, 1, "stray", "S") for pid in [*self.alive, *self.strays]]

    def signal_leftovers(self, signum: int, found: list[Leftover]) -> None:
        for pid in [*self.alive, *self.strays]:
            self.kill(pid, signum, group=False)

    def signal_some(self, signum: int, found: list[Leftover]) -> None:
        for one in found:
            self.kill(one.pid, signum, group=False)

    # Families

    def mark(self, process: Process) -> str:
        return f"mark/{process.name}/{process.program.spawns + 1}"

    def relative(self, name: str, delays: dict[int, float | None] | None = None) -> SimProcess:
        """Somebody who belongs to a program, as a child of its leader would."""
        made = self.stray(delays)
        self.families.setdefault(name, []).append(made)
        return made

    def members(self, process: Process, scope: str) -> list[tuple[int, int]]:
        kin = [one.pid for one in self.families.get(process.name, []) if one.pid in self.strays]
        return [(pid, pid * 10) for pid in ([process.pid] if process.pid else []) + kin]

    def reach(self, process: Process, scope: str, signum: int) -> list[tuple[int, int]]:
        found = self.members(process, scope)
        for pid, _ in found:
            self.kill(pid, signum, group=False)
        return found

    def survivors(self, process: Process, known: Collection[int] = ()) -> list[Leftover]:
        return [one for one in self.unclaimed if one.pid not in known]
