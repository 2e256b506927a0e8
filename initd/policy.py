"""What a program's end means for the container, and the status that the container then leaves with.

Theory.  An end counts when it is final: nothing starts the program again (initd.program.is_pending), and nobody asked
for it.  `outcome` says what follows: nothing, another start, or the end of everything.  Of a one-shot only a failure
counts, for its success is what it is there for.

The status tells the truth, in this order: that of the program named by exit_code_from, whenever it ended last; that of
the program whose end made everything end (of one that was given up at least 1); where everything was done, that of
the first one that failed; 0, also where somebody asked for the end.

A file whose autostart programs are all one-shots ends by itself when nothing of it runs or will run any more
(exit_when_done=auto).  Whoever still waits for a dependency then waits in vain: that is a failure.
"""

from __future__ import annotations

from initd.errors import OperatorError
from initd.events import ONESHOT, POST_STOP, Asked
from initd.program import Phase, is_alive, is_pending
from wire.limits import AGAIN_AFTER_FATAL_SECONDS
from wire.model import State, Want, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config
    from initd.config.records import Program as Configured
    from initd.process import Process
    from initd.supervisor import Supervisor
    from initd.timers import Timer
    from wire.model import Exit

IGNORE, RESTART, SHUTDOWN = "ignore", "restart", "shutdown"
AUTO, TRUE = "auto", "true"

BY_SIGNAL = 128
"""Added to a signal's number: the status a shell gives for it."""

FINAL = (State.EXITED, State.FATAL)
UNDER_WAY = (State.STARTING, State.RUNNING, State.BACKOFF, State.STOPPING, State.UNKNOWN)


# What follows from what; pure


def status_of(record: Exit | None) -> int:
    """The exit status that a death stands for; 1 where no process came to be."""
    if record is None:
        return 1
    if record.signal is not None:
        return BY_SIGNAL + record.signal
    return 1 if record.code is None else record.code


LISTENER = "eventlistener"
"""A kind of program that only hears of the others: nothing has to be done for its sake alone."""


def is_oneshot(config: Configured) -> bool:
    """Whether its end is what it is there for."""
    return config.jobs is not None and config.jobs.type == ONESHOT


def is_scheduled(config: Configured) -> bool:
    """Whether it will run again by itself."""
    return config.jobs is not None and getattr(config.jobs, "schedule", None) is not None


def is_final(process: Process) -> bool:
    """Whether it has ended, nobody asked for that, and nothing starts it again."""
    program = process.program
    return (
        program.state in FINAL and program.want is Want.UP and program.phase is Phase.MAIN and not is_pending(program)
    )


def outcome(process: Process, named: bool) -> str:
    """What a final end leads to; a program `named` by exit_code_from is essential unless its options say otherwise."""
    policy, state, last = process.config.policy, process.program.state, process.last_exit
    if state is State.EXITED and is_oneshot(process.config) and last is not None and last.expected:
        return IGNORE
    if policy is None:
        return SHUTDOWN if named else IGNORE
    return str(policy.on_fatal if state is State.FATAL else policy.on_exit)


def final_status(process: Process) -> int:
    """The status of a final end: a program that was given up has failed, whatever its processes said."""
    status = status_of(process.last_exit)
    return max(1, status) if process.program.state is State.FATAL else status


def ends_when_done(config: Config) -> bool:
    """Whether the whole shall end when everything is done."""
    wanted = getattr(config.daemon, "exit_when_done", AUTO)
    started = [program for program in config.programs if program.autostart and program.kind != LISTENER]
    alone = bool(started) and all(is_oneshot(program) and not is_scheduled(program) for program in started)
    return wanted == TRUE or (wanted == AUTO and alone)


def is_done(process: Process) -> bool:
    """Whether nothing of it runs, and nothing but another program could make it run."""
    program = process.program
    if process.config.kind == LISTENER:
        return True
    if is_alive(program) or program.state in UNDER_WAY or is_scheduled(process.config):
        return False
    return program.phase is Phase.WAITING or not is_pending(program)


def status_when_done(processes: list[Process]) -> int:
    """The first failure's status; 1 where only somebody's waiting is left; else 0."""
    failed = [process for process in processes if has_failed(process)]
    failed.sort(key=lambda process: process.last_exit.ended_at if process.last_exit else float("inf"))
    if failed:
        return max(1, status_of(failed[0].last_exit))
    return int(any(process.program.phase is Phase.WAITING for process in processes))


def has_failed(process: Process) -> bool:
    """Whether its last end was final and not as expected."""
    if process.program.state is State.FATAL:
        return True
    last = process.last_exit
    return process.program.state is State.EXITED and last is not None and not last.expected


class Policies:
    """Listens to ends, and acts."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._named = ""
        """The process of exit_code_from."""
        self._ends_when_done = False
        self._judged: dict[str, tuple[State, float]] = {}
        """The end of each that was judged already."""
        self._again: dict[str, Timer] = {}
        self._look: Timer | None = None
        supervisor.on_change(self._on_change)
        supervisor.exits(self._on_exit)

    def adopt(self, config: Config) -> None:
        """Take over another configuration."""
        self._ends_when_done = ends_when_done(config)
        self._named = name_from(config)
        for name in [name for name in self._judged if name not in self._sup.processes]:
            del self._judged[name]
        self._look_later()

    def _on_exit(self, process: Process, record: Exit) -> None:
        if process.name == self._named and record.step != POST_STOP:
            self._sup.exit_status = status_of(record)

    def _on_change(self, process: Process) -> None:
        if self._sup.ending is None:
            self._look_later()
            if is_final(process):
                self._judge(process)

    def _judge(self, process: Process) -> None:
        end = (process.program.state, process.program.since)
        if self._judged.get(process.name) == end:
            return
        self._judged[process.name] = end
        what = outcome(process, process.name == self._named)
        if what == SHUTDOWN:
            self._leave(final_status(process), f"{process.name} is {process.program.state} and {self._rule(process)}")
        elif what == RESTART and process.program.state is State.FATAL:
            self._start_again(process)

    def _rule(self, process: Process) -> str:
        """What makes its end the end of everything, in the file's words."""
        policy, option = process.config.policy, "on_fatal" if process.program.state is State.FATAL else "on_exit"
        if policy is None:
            return "named by exit_code_from"
        return "essential" if policy.essential else f"has {option}=shutdown"

    def _leave(self, status: int, why: str) -> None:
        self._sup.note(f"{why}: leaving with status {status}", "warn" if status else "info")
        self._sup.leave(status, Asked("initd", "shutdown"))

    # FATAL, and again

    def _start_again(self, process: Process) -> None:
        self._sup.note(f"{process.name}: all its starts failed; again in {AGAIN_AFTER_FATAL_SECONDS:g} s", "warn")
        pending = self._again.pop(process.name, None)
        if pending is not None:
            pending.cancel()
        at = self._sup.loop.now() + AGAIN_AFTER_FATAL_SECONDS
        since = process.program.since
        self._again[process.name] = self._sup.loop.at(at, lambda: self._try(process, since))

    def _try(self, process: Process, since: float) -> None:
        self._again.pop(process.name, None)
        current = self._sup.processes.get(process.name) is process
        if current and is_final(process) and process.program.since == since:
            try:
                self._sup.start(process, Asked("initd", "on_fatal"))
            except OperatorError:
                pass  # everything is being stopped

    # All is done

    def _look_later(self) -> None:
        """Look when everything that happens now has happened: one end may be what another start waits for."""
        if self._ends_when_done and self._look is None:
            self._look = self._sup.loop.at(self._sup.loop.now(), self._look_around)

    def _look_around(self) -> None:
        self._look = None
        processes = list(self._sup.processes.values())
        if self._sup.ending is not None or not self._ends_when_done or self._again:
            return
        if all(is_done(process) for process in processes):
            self._leave(status_when_done(processes), "everything is done")


def name_from(config: Config) -> str:
    """The process that exit_code_from names, "" where it names none."""
    wanted = getattr(config.daemon, "exit_code_from", None)
    found = [
        program for program in config.programs if wanted in (full_name(program.group, program.name), program.program)
    ]
    return full_name(found[0].group, found[0].name) if wanted and found else ""
