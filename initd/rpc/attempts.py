"""The verb `try`: start processes and tell how the first attempt of each went, which is what supervisorctl reports.

Theory.  `start` waits for RUNNING through as many attempts as startretries allows; people at a terminal, and scripts
written for supervisord, want to hear of the first failure.  A goal of `try` is judged at once where nothing can be
started (already up, no such command), else by the first state that its process reaches:

    RUNNING                    done
    BACKOFF, FATAL             failed, SPAWN_ERROR
    EXITED                     done if it exited as expected or startsecs is 0, else ABNORMAL_TERMINATION
    STOPPED by somebody else   failed, ABNORMAL_TERMINATION
    STOPPING                   wait: the wish to start is carried out after the stop

The faults are named as supervisord names them, since only its clients ask.  Rows carry `order`, by which supervisord's
batches are sorted: failures first come first.
"""

from __future__ import annotations

import os

from initd import arguments as read
from initd.control import NAMES, OPERATE, WAIT, Entry, answer_when_reached
from initd.errors import StartFailed, StillStopping
from initd.events import Asked
from initd.launch import child_environment
from initd.replies import ControlError
from initd.reports import select
from initd.spawn import find
from initd.wishes import ACCEPTED, DONE, FAILED, Goal
from wire.model import State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.records import Program
    from initd.control import Control
    from initd.process import Process
    from initd.replies import Answer, Call
    from initd.supervisor import Supervisor

NO_FILE, NOT_EXECUTABLE, STARTED = "NO_FILE", "NOT_EXECUTABLE", "ALREADY_STARTED"
SPAWN, ABNORMAL, STRANGE = "SPAWN_ERROR", "ABNORMAL_TERMINATION", "FAILED"

UP = (State.STARTING, State.RUNNING, State.BACKOFF)
"""States in which a start is refused (supervisord's RUNNING_STATES)."""


class Attempt(Goal):
    """The first attempt of one process."""

    def __init__(self, process: Process, now: float) -> None:
        super().__init__(process, "start", now)
        self.fault = ""
        self.at = now
        """Monotonic time at which it was judged."""

    def judge(self, now: float) -> None:
        """See the module's docstring."""
        if self.outcome != ACCEPTED:
            return
        state = self.process.program.state
        if state in (State.BACKOFF, State.FATAL):
            self.fail(SPAWN, self.process.why, now)
        elif state is State.RUNNING or (state is State.EXITED and self._did_start()):
            self.end(DONE)
            self.at = now
        elif state in (State.EXITED, State.UNKNOWN) or self._is_given_up(state):
            self.fail(ABNORMAL, self.process.why, now)

    def _did_start(self) -> bool:
        """Whether one that has ended was up before: without startsecs that is at once, however it ended."""
        record = self.process.last_exit
        return self.process.config.startsecs <= 0 or (record is not None and record.expected)

    def _is_given_up(self, state: State) -> bool:
        return state is State.STOPPED and self.process.program.want is Want.DOWN

    def fail(self, fault: str, message: str, now: float) -> None:
        """It will not be."""
        self.fault, self.at = fault, now
        self.end(FAILED, message)

    def row(self, now: float) -> dict[str, object]:
        """With the fault's name and the time of the verdict."""
        return {**super().row(now), "fault": self.fault, "order": self.at}


def obstacle(config: Program, base: Mapping[str, str]) -> tuple[str, str] | None:
    """Why its command cannot be run, as fault and text; None where it looks well, as supervisord looks at it."""
    if not config.argv:
        return NOT_EXECUTABLE, _unread(config)
    name = config.argv[0]
    try:
        path = find(name, child_environment(base, config).get("PATH"))
        mode = os.stat(path).st_mode
    except (StartFailed, OSError, ValueError):
        return NO_FILE, f"can't find command {name!r}"
    if mode & 0o170000 == 0o040000:
        return NOT_EXECUTABLE, f"command at {path!r} is a directory"
    if not mode & 0o111:
        return NOT_EXECUTABLE, f"command at {path!r} is not executable"
    return None if os.access(path, os.X_OK) else (NOT_EXECUTABLE, f"no permission to run command {path!r}")


def _unread(config: Program) -> str:
    """Why the command has no words, as supervisord says it."""
    if not config.command.strip():
        return "command is empty"
    why = "No closing quotation" if "closed" in config.argv_error else "No escaped character"
    return f"can't parse command {config.command!r}: {why}"


def _begin(supervisor: Supervisor, goal: Attempt, asked: Asked, now: float) -> None:
    process = goal.process
    hindrance = obstacle(process.config, supervisor.base)
    if hindrance is not None:
        goal.fail(*hindrance, now)
    elif process.program.state in UP:
        goal.fail(STARTED, f"{process.name} is {process.program.state}", now)
    elif process.program.state is State.UNKNOWN:
        goal.fail(STRANGE, f"{process.name} is in an unknown process state", now)
    else:
        try:
            supervisor.start(process, asked)
        except StillStopping as error:
            goal.fail(STRANGE, str(error), now)


def _try(control: Control, call: Call) -> Answer:
    supervisor = control.supervisor
    chosen = select(supervisor.processes, call.args["names"])  # type: ignore[arg-type]
    if not chosen:
        raise read.refuse("no process is meant", "name one, a GROUP:*, or all")
    if supervisor.state != "running":
        raise ControlError("shutting-down", "everything is being stopped: nothing is started now")
    command = control.command(call, "start")
    attempts = [Attempt(process, call.now) for process in chosen]
    command.goals = list(attempts)
    for attempt in attempts:
        _begin(supervisor, attempt, Asked(call.carrier.actor, "start", command.id), call.now)
    return answer_when_reached(command, call, call.args["wait"])  # type: ignore[arg-type]


VERBS: dict[str, Entry] = {
    "try": Entry((NAMES, WAIT), _try, OPERATE, "start them, and tell how the first attempt of each went"),
}
