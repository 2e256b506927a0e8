"""Carries out a diff on what runs, process by process, and touches nothing else.

Theory.  From the moment of `apply` the new configuration is in force: parts know it, `status` shows its processes.
What has to go first is still there: each process that is removed, or needs a new one, is asked down, and waits in
`_leaving` with what comes after it (None: nothing).  When it is down it is forgotten, or takes its new definition and
is started again if it was up or has autostart.  Processes that are added start when all that are removed are gone, as
with supervisord: what was renamed may need its predecessor's port.

The stop is the old definition's: its signal, its patience.  A shutdown that begins meanwhile ends all this; a second
`apply` may change what comes after a process that is still leaving.
"""

from __future__ import annotations

from initd.config.topics import TOPIC_OF
from initd.errors import StillStopping
from initd.events import Stop
from initd.process import Process, rules_of
from initd.reload.diff import ADDED, CHANGED, REMOVED, RESTART, name_of
from wire.model import State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Config
    from initd.config.records import Program as Configured
    from initd.events import Asked
    from initd.reload.diff import Diff, Row
    from initd.supervisor import Supervisor

DOWN = (State.STOPPED, State.EXITED, State.FATAL)
UP = (State.STARTING, State.RUNNING, State.BACKOFF)


class _Leaver:
    """A process on its way out, and what comes after it."""

    def __init__(self, after: Configured | None, again: bool, asked: Asked) -> None:
        self.after = after
        self.again = again
        self.asked = asked


class Changeover:
    """See the module's docstring.  `told(config)` is called when a configuration comes into force, before any start."""

    def __init__(self, supervisor: Supervisor, told: Callable[[Config], object]) -> None:
        self._sup = supervisor
        self._told = told
        self._leaving: dict[str, _Leaver] = {}
        self._waiting: list[tuple[str, Asked]] = []
        """Added processes that start when everything removed is gone."""

    @property
    def leaving(self) -> tuple[str, ...]:
        """Processes that still have to go."""
        return tuple(self._leaving)

    def apply(self, diff: Diff, config: Config, asked: Asked, touch: Callable[[Process, str], object]) -> None:
        """Put `config` in force; `touch(process, verb)` is told whom that touches, and how, before anything moves.

        The verbs are those of initd.wishes: add, replace, redefine and remove.
        """
        defined = {name_of(program): program for program in config.programs}
        before = self._sup.processes
        leaving = [before[row.name] for row in diff.rows if _has_to_go(row)]
        for process in leaving:
            self._leave(process, defined.get(process.name), asked)
        self._take_over(config, before, defined)
        self._adjust(diff, defined)
        self._told(config)
        for process, verb in self._touched(diff):
            touch(process, verb)
        self._waiting += [(name, asked) for name in _new(diff) if name not in self._leaving and defined[name].autostart]
        for process in leaving:
            self._sup.feed(process, Stop(asked))
            self._on_change(process)
        self._start_waiting()

    def forget(self) -> None:
        """Everything starts over: nothing of this counts any more."""
        self._leaving.clear()
        self._sup.off_change(self._on_change)
        self._waiting.clear()

    # Inside

    def _leave(self, process: Process, after: Configured | None, asked: Asked) -> None:
        was_up = process.program.want is Want.UP and process.program.state is not State.FATAL
        known = self._leaving.get(process.name)
        again = after is not None and (after.autostart or was_up or (known is not None and known.again))
        self._leaving[process.name] = _Leaver(after, again, asked)
        self._sup.on_change(self._on_change)

    def _take_over(self, config: Config, before: dict[str, Process], defined: dict[str, Configured]) -> None:
        """The processes of the new configuration in its order, then those that still have to go."""
        at = self._sup.kernel.wall()
        now = {name: before.get(name) or Process(program, at) for name, program in defined.items()}
        for name, program in defined.items():
            known = self._leaving.get(name)
            if known is not None:
                known.again = known.again or (known.after is None and program.autostart)  # wanted again before it went
                known.after = program
        self._sup.config = config
        self._sup.processes = {**now, **{name: before[name] for name in self._leaving if name not in now}}

    def _adjust(self, diff: Diff, defined: dict[str, Configured]) -> None:
        """Tell the rules of those that go on running, and of those whose group moved."""
        for row in diff.rows:
            if row.change == CHANGED and row.name not in self._leaving:
                process = self._sup.processes[row.name]
                redefine(process, defined[row.name])
                if any(is_of_logs(option.name) for option in row.options):
                    self._sup.output.refit(process.config)

    def _touched(self, diff: Diff) -> list[tuple[Process, str]]:
        wanted = []
        for row in diff.rows:
            process, leaver = self._sup.processes[row.name], self._leaving.get(row.name)
            if row.change == REMOVED:
                wanted.append((process, "remove"))
            elif leaver is not None:
                wanted.append((process, "replace" if leaver.again else "redefine"))
            elif row.change == ADDED and process.config.autostart:
                wanted.append((process, "add"))
        return wanted

    def _on_change(self, process: Process) -> None:
        leaver = self._leaving.get(process.name)
        if leaver is None or self._sup.ending is not None or self._sup.processes.get(process.name) is not process:
            return
        if process.program.state in UP:
            self._sup.feed(process, Stop(leaver.asked))  # somebody started it again meanwhile
        elif process.program.state in DOWN and process.pid is None and process.program.want is Want.DOWN:
            del self._leaving[process.name]
            if not self._leaving:
                self._sup.off_change(self._on_change)
            self._settle(process, leaver)

    def _settle(self, process: Process, leaver: _Leaver) -> None:
        if leaver.after is None:
            del self._sup.processes[process.name]
            self._sup.output.remove(process.name)
            self._start_waiting()
            return
        redefine(process, leaver.after)
        if leaver.again:
            self._start(process, leaver.asked)

    def _start_waiting(self) -> None:
        if any(leaver.after is None for leaver in self._leaving.values()):
            return
        waiting, self._waiting = self._waiting, []
        for name, asked in waiting:
            process = self._sup.processes.get(name)
            if process is not None:
                self._start(process, asked)

    def _start(self, process: Process, asked: Asked) -> None:
        try:
            self._sup.start(process, asked)
        except StillStopping:
            pass


def _has_to_go(row: Row) -> bool:
    return row.change == REMOVED or (row.change == CHANGED and row.need == RESTART)


def is_of_logs(option: str) -> bool:
    """Whether it says where output goes, or how it is shown there; `logs` is what no option of the section says."""
    return option.startswith(("stdout_", "stderr_")) or option == "logs" or TOPIC_OF.get(option) == "logs"


def _new(diff: Diff) -> list[str]:
    return [row.name for row in diff.rows if row.change == ADDED]


def redefine(process: Process, config: Configured) -> None:
    """Give a process another definition; one that runs goes on under the new rules."""
    process.config = config
    process.program = process.program._replace(rules=rules_of(config))
