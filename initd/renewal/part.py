"""Replaces healthy processes: too much memory, too old, or files they were started from have changed.

Theory.  Rules belong to one process, from its start to its end.  Age is one timer.  Memory and files are looked at
every `restart_look` seconds, by /proc and stat(2).  A changed file counts when it is the same at two looks in a row, so
that what is being written is not read half done.  All end in the event Failing with the cause RENEWAL: stopped as the
program's options say, and started again.
"""

from __future__ import annotations

import os

from initd.events import Failing
from initd.family import TREE, members
from initd.program import Phase
from initd.renewal.files import Survey
from wire.model import Cause, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Config
    from initd.config.topics.renewal import Renewal
    from initd.process import Process
    from initd.renewal.files import Marks
    from initd.supervisor import Supervisor
    from initd.timers import Timer

UP = (State.STARTING, State.RUNNING)
MIB = 1 << 20


class Life:
    """The rules for one process."""

    def __init__(self, spawns: int, rules: Renewal) -> None:
        self.spawns = spawns
        self.rules = rules
        self.timers: dict[str, Timer] = {}
        self.began: Marks | None = None
        """Files when it was started."""
        self.seen: Marks | None = None
        """Files at the last look, where they differ from those."""


class Renewals:
    """The part; see the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._lives: dict[str, Life] = {}
        self._said_cut: set[str] = set()
        supervisor.on_change(self._on_change)

    def adopt(self, config: Config) -> None:
        """Put changed rules in force for those that run."""
        for name in tuple(self._lives):
            process = self._sup.processes.get(name)
            if process is None or process.config.renewal != self._lives[name].rules:
                self._end(name)
        for process in self._sup.processes.values():
            self._on_change(process)

    def _on_change(self, process: Process) -> None:
        program, life = process.program, self._lives.get(process.name)
        runs = program.state in UP and program.pid is not None and program.phase is Phase.MAIN
        if life is not None and (not runs or life.spawns != program.spawns):
            self._end(process.name)
            life = None
        if runs and life is None and process.config.renewal is not None:
            self._begin(process, process.config.renewal)

    def _begin(self, process: Process, rules: Renewal) -> None:
        life = self._lives[process.name] = Life(process.program.spawns, rules)
        now = self._sup.loop.now()
        if rules.age is not None:
            age = rules.age * (1 - rules.age_jitter * self._sup.chance())
            at = max(now, process.program.spawned_at + age)
            self._set(process, life, "age", at, lambda: self._renew(process, f"{age:.0f} s old"))
        if rules.on_change:  # after the starts that are under way
            self._set(process, life, "files", now, lambda: self._survey(process, life))
        if rules.memory or rules.on_change:
            self._set(process, life, "look", now + rules.look, lambda: self._look(process, life))

    def _set(self, process: Process, life: Life, what: str, at: float, callback: Callable[[], object]) -> None:
        if what in life.timers:
            life.timers[what].cancel()
        life.timers[what] = self._sup.loop.at(at, callback)

    def _end(self, name: str) -> None:
        for timer in self._lives.pop(name).timers.values():
            timer.cancel()

    def _survey(self, process: Process, life: Life) -> None:
        life.began = self._marks(process, life)

    def _marks(self, process: Process, life: Life) -> Marks:
        survey = Survey(life.rules.on_change)
        if survey.cut and process.name not in self._said_cut:
            self._said_cut.add(process.name)
            self._sup.note(f"{process.name}: restart_on_change names too many files; some are not watched", "warn")
        return survey.marks

    def _look(self, process: Process, life: Life) -> None:
        self._set(process, life, "look", self._sup.loop.now() + life.rules.look, lambda: self._look(process, life))
        why = self._excess(process, life.rules) or self._changed(process, life)
        if why:
            self._renew(process, why)

    def _excess(self, process: Process, rules: Renewal) -> str:
        if rules.memory is None:
            return ""
        used = memory_of(self._pids(process, rules))
        return f"{used // MIB} MiB of memory, more than {rules.memory / MIB:g}" if used > rules.memory else ""

    def _pids(self, process: Process, rules: Renewal) -> list[int]:
        if rules.memory_of == "leader":
            return [] if process.pid is None else [process.pid]
        return [pid for pid, _ in members(self._sup.kernel, process, TREE)]

    def _changed(self, process: Process, life: Life) -> str:
        if life.began is None:
            return ""
        marks = self._marks(process, life)
        before, life.seen = life.seen, None if marks == life.began else marks
        if life.seen is None or life.seen != before:
            return ""
        paths = sorted(path for path in {*marks, *life.began} if marks.get(path) != life.began.get(path))
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        return f"changed: {paths[0]}{more}"

    def _renew(self, process: Process, why: str) -> None:
        self._sup.note(f"{process.name} is renewed: {why}")
        self._sup.feed(process, Failing(why, "restart", Cause.RENEWAL))


def memory_of(pids: list[int]) -> int:
    """Resident bytes of these processes together; who is gone counts nothing."""
    return sum(map(resident, pids))


def resident(pid: int) -> int:
    """Resident bytes of one process (proc(5), statm), 0 where it is gone."""
    try:
        fd = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(fd, 128).split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError, ValueError):
        return 0
    finally:
        os.close(fd)
