"""Holds a start back until what it depends on is there, and acts when that goes away.

Theory.  A gate of the supervisor says what a start still waits for; every change of a process asks again for those who
wait for it.  Nothing is polled, and an automatic restart after an exit does not wait: who ran once is not held back by
a dependency that came later into trouble, unless dependency_lost says so.

A wish by a person (or a schedule) for a program also starts what it waits for, and so on down the graph; the wish is
carried out once, so a dependency that fails again is not tried for ever.  Autostart does not: what has autostart=false
is meant to be started by somebody, and `why` says so.

dependency_lost looks at what was there and is no more: `stop` ends the program at once, and the gate holds it back
until the dependency is there again; `restart` ends it only then.  `done` cannot be lost.

A stop goes the other way round: of several that are being stopped, who depends on another is down before that one gets
its signal (a brake of the supervisor).
"""

from __future__ import annotations

from initd.effects import INITD
from initd.errors import OperatorError
from initd.events import ONESHOT, Failing, Stop
from initd.order.graph import DONE, READY, STARTED, Graph, dependents
from initd.program import Phase, is_pending
from wire.limits import TEXT_CHARS
from wire.model import Cause, State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from initd.config.records import Config
    from initd.events import Asked
    from initd.process import Process
    from initd.supervisor import Supervisor

SHOWN = 4
"""Names in a text of what is waited for."""

UP = (State.STARTING, State.RUNNING)
DOWN = (State.STOPPED, State.EXITED, State.FATAL)


# Whether a condition is met; pure


def is_started(process: Process) -> bool:
    """It has a process of its own, or has done its work."""
    program = process.program
    return (program.state in UP and program.phase is Phase.MAIN and program.pid is not None) or is_over(process)


def is_ready(process: Process) -> bool:
    """It runs, which includes its readiness probe, or it is a one-shot that has done its work."""
    return process.program.state is State.RUNNING or (is_over(process) and is_brief(process))


def is_over(process: Process) -> bool:
    """It has ended as expected."""
    last = process.last_exit
    return process.program.state is State.EXITED and last is not None and last.expected


def is_brief(process: Process) -> bool:
    """Whether its end is what it is for: a one-shot, or what one has to write for supervisord."""
    config = process.config
    if config.jobs is not None and config.jobs.type == ONESHOT:
        return True
    return config.startsecs == 0 and config.autorestart == "false"


def is_leaving(process: Process) -> bool:
    """Whether it still runs and is to end."""
    return process.program.want is Want.DOWN and process.program.state in (*UP, State.STOPPING)


MET: dict[str, Callable[[Process], bool]] = {STARTED: is_started, READY: is_ready, DONE: is_over}


def lack(process: Process, condition: str) -> str:
    """What is missing, in words: `db:ready`, and why that may take long."""
    program = process.program
    text = f"{process.name}:{condition}"
    if program.state is State.FATAL:
        return f"{text} (FATAL: {process.why})"
    if program.state in DOWN and program.want is Want.DOWN:
        return f"{text} ({program.state}, and nobody starts it)"
    if program.state is State.EXITED and not is_pending(program):
        return f"{text} (EXITED: {process.why})"
    return text


class Waits:
    """The part; see the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._needs: dict[str, tuple[tuple[str, str], ...]] = {}
        self._dependents: dict[str, tuple[str, ...]] = {}
        self._was: dict[tuple[str, str], bool] = {}
        """Whether each condition was met when it was looked at last."""
        self._lost: set[str] = set()
        """Those that are restarted when everything they need is there again."""
        self._served: dict[str, Asked] = {}
        """Whose wish has started the dependencies of each that waits."""
        self._braked: set[str] = set()
        """Those whose stop waits for their dependents."""
        supervisor.gates.append(self.gate)
        supervisor.brakes.append(self.brake)
        supervisor.on_change(self._on_change)

    def adopt(self, config: Config) -> None:
        """Take over another configuration; who waits is asked anew when it is complete."""
        self._needs = Graph(config.programs).needs
        self._dependents = dependents(self._needs)
        self._was = {(name, condition): self._is_met(name, condition) for name, condition in self._conditions()}
        self._lost.intersection_update(self._needs)
        self._sup.loop.at(self._sup.loop.now(), self._ask_all)

    def _conditions(self) -> Iterator[tuple[str, str]]:
        for wanted in self._needs.values():
            yield from wanted

    def _ask_all(self) -> None:
        for process in tuple(self._sup.processes.values()):
            self._sup.release(process)

    def _is_met(self, name: str, condition: str) -> bool:
        process = self._sup.processes.get(name)
        return process is None or MET[condition](process)

    # Starts

    def gate(self, process: Process) -> str:
        """What a start of this process still waits for, "" for nothing."""
        lacks = [lack(self._sup.processes[name], condition) for name, condition in self._missing(process)]
        if not lacks:
            return ""
        more = f" and {len(lacks) - SHOWN} more" if len(lacks) > SHOWN else ""
        return f"waits for {', '.join(lacks[:SHOWN])}{more}"[:TEXT_CHARS]

    def _missing(self, process: Process) -> list[tuple[str, str]]:
        return [need for need in self._needs.get(process.name, ()) if not self._is_met(*need)]

    def _on_change(self, process: Process) -> None:
        if self._sup.ending is not None:
            return
        if process.name in self._needs:
            self._serve(process)
            for name in self._braked.intersection(name for name, _ in self._needs[process.name]):
                self._let_go(self._sup.processes[name])
        waiting = self._dependents.get(process.name)
        if waiting:
            self._look_for_losses(process, waiting)
            for name in waiting:
                if name in self._sup.processes:
                    self._sup.release(self._sup.processes[name])

    def _serve(self, process: Process) -> None:
        """Start what a program waits for, where somebody other than autostart wants it."""
        program = process.program
        if program.phase is not Phase.WAITING:
            self._served.pop(process.name, None)
            return
        if program.wisher.actor == INITD.actor or self._served.get(process.name) == program.wisher:
            return
        self._served[process.name] = program.wisher
        for name, _ in self._missing(process):
            dependency = self._sup.processes[name]
            if dependency.program.state in DOWN and not is_pending(dependency.program):
                self._start(dependency, program.wisher)

    def _start(self, process: Process, asked: Asked) -> None:
        try:
            self._sup.start(process, asked)
        except OperatorError:
            pass  # everything is being stopped

    # Stops

    def brake(self, process: Process) -> bool:
        """Whether somebody who depends on it is on the way down, too."""
        dependents = [self._sup.processes.get(name) for name in self._dependents.get(process.name, ())]
        if any(one is not None and is_leaving(one) for one in dependents):
            self._braked.add(process.name)
            return True
        self._braked.discard(process.name)
        return False

    def _let_go(self, process: Process) -> None:
        """Stop it now, if that is still wanted and nobody is left who goes first."""
        if process.program.want is Want.UP:
            self._braked.discard(process.name)
        elif not self.brake(process):
            self._sup.feed(process, Stop(process.program.wisher))

    # Losses

    def _look_for_losses(self, process: Process, waiting: tuple[str, ...]) -> None:
        for condition in (STARTED, READY):
            before = self._was.get((process.name, condition))
            if before is None:
                continue
            now = self._was[process.name, condition] = MET[condition](process)
            if before and not now:
                self._lose(process, condition, waiting)
        for name in sorted(self._lost.intersection(waiting)):
            self._bring_back(self._sup.processes.get(name))

    def _lose(self, process: Process, condition: str, waiting: tuple[str, ...]) -> None:
        for name in waiting:
            dependent = self._sup.processes.get(name)
            order = dependent.config.order if dependent is not None else None
            if dependent is None or order is None or (process.name, condition) not in self._needs.get(name, ()):
                continue
            if dependent.program.state not in UP or order.dependency_lost == "ignore":
                continue
            if order.dependency_lost == "stop":
                self._fail(dependent, f"{process.name} is no longer {condition}", "stopping it until that is back")
            else:
                self._lost.add(name)

    def _bring_back(self, dependent: Process | None) -> None:
        """Restart it where everything is there again; forget it where it went itself."""
        if dependent is None or dependent.program.state not in UP:
            self._lost.discard(dependent.name if dependent is not None else "")
        elif not self._missing(dependent):
            self._lost.discard(dependent.name)
            self._fail(dependent, "what it depends on was away", "restarting it")

    def _fail(self, process: Process, why: str, action: str) -> None:
        self._sup.note(f"{process.name}: {why}: {action}", "warn")
        self._sup.feed(process, Failing(why, "restart", Cause.DEPENDENCY))
