"""Commands under way: what each wanted of which processes, and how far that is; pure.

Theory.  A command only changes wishes, so it is done at once; whether the wish is *reached* shows later.  A Goal is
judged after every change of its process, by JUDGES[verb].  Once judged done or failed it stays so: a process that dies
again a moment after a start was started all the same.  A Command is over when all its goals are judged; it stays known
by its id, so that `result` can tell, and so that the same id is never executed twice.

A script may command one program after the other, hundreds a minute.  So what takes the room of a new command is not the
id of an earlier one, which may come again until it expires, but its result: of ended commands beyond the last
COMMAND_RESULTS only id, verb and outcome are kept, a tenth of it.  New ones are refused where that many are under way,
or where COMMAND_OUTCOMES have not expired yet.
"""

from __future__ import annotations

import sys

from initd.program import Phase, is_alive, is_pending
from initd.replies import Later, Reply
from wire.limits import COMMAND_OUTCOMES, COMMAND_RESULTS
from wire.model import State, Status, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.process import Process

ACCEPTED, DONE, FAILED, TIMEOUT, PARTLY = "accepted", "done", "failed", "timeout", "partly"
"""Outcomes: of a goal the first four, of a command all."""

Verdict = tuple[str, str]
"""Outcome and a text for people."""

DOWN = (State.STOPPED, State.EXITED, State.FATAL)


def started(status: Status, expected: bool) -> Verdict:
    """RUNNING, or a program that has exited as expected; a one-shot is up only when it is done (Goal)."""
    if status.state is State.RUNNING:
        return DONE, ""
    if status.state is State.EXITED:
        return (DONE, "ran and exited as expected") if expected else (FAILED, status.why or "exited")
    if status.state is State.STOPPED and status.want is Want.DOWN:
        return FAILED, "was stopped meanwhile"
    if status.state in (State.FATAL, State.UNKNOWN):
        return FAILED, status.why or str(status.state)
    return ACCEPTED, status.why


def stopped(status: Status, expected: bool) -> Verdict:
    """No process, and none wanted."""
    if status.state in DOWN:
        return DONE, ""
    if status.want is Want.UP:
        return FAILED, "was started again meanwhile"
    return (FAILED, status.why) if status.state is State.UNKNOWN else (ACCEPTED, status.why)


def replaced(status: Status, expected: bool) -> Verdict:
    """As `started`, of a process that waits for others to go first: for its predecessor, or for what is removed."""
    if status.want is Want.DOWN:
        return ACCEPTED, "waits for what has to stop first"
    return started(status, expected)


def gone(status: Status, expected: bool) -> Verdict:
    """No process; whoever starts it meanwhile is overruled (initd.reload.changeover)."""
    return (DONE, "") if status.state in DOWN and status.want is Want.DOWN else (ACCEPTED, status.why)


JUDGES: dict[str, Callable[[Status, bool], Verdict]] = {
    "start": started,
    "restart": started,
    "stop": stopped,
    "add": replaced,
    "replace": replaced,
    "redefine": gone,
    "remove": gone,
}
REPLACING = ("restart", "replace")
DOWNWARD = ("stop", "redefine", "remove")


class Goal:
    """What a command wants of one process."""

    def __init__(self, process: Process, verb: str, now: float) -> None:
        self.process = process
        self.outcome = ACCEPTED
        self.message = ""
        self._verb = verb
        before = process.status(now)
        self._old = (before.pid, before.start_ticks) if verb in REPLACING and before.pid is not None else None

    def judge(self, now: float) -> None:
        """Look whether the wish is reached."""
        if self.outcome != ACCEPTED:
            return
        status = self.process.status(now)
        if self._old is not None and self._old == (status.pid, status.start_ticks):
            return
        if self._is_open(status):
            return
        record = self.process.last_exit
        self.outcome, self.message = JUDGES[self._verb](status, record is not None and record.expected)
        if self.outcome == DONE and self._verb == "stop":
            self.message = self.process.left

    def _is_open(self, status: Status) -> bool:
        """Whether its state does not tell yet: a start is due, a one-shot at work, or its post_stop runs."""
        program = self.process.program
        if self._verb in DOWNWARD:
            return status.state in DOWN and is_alive(program)
        return is_pending(program) or (program.rules.oneshot and status.state is State.RUNNING)

    def end(self, outcome: str, message: str = "") -> None:
        """Judge it otherwise."""
        self.outcome, self.message = outcome, message

    def row(self, now: float) -> dict[str, object]:
        """How far it is, as it goes over the wire; whoever waits for others says for whom."""
        status = self.process.status(now)
        waiting = self.process.program.why if self.process.program.phase is Phase.WAITING else ""
        return {
            "name": self.process.name,
            "outcome": self.outcome,
            "state": str(status.state),
            "pid": status.pid,
            "message": self.message or waiting,
        }


class Command:
    """One command: its goals and who waits for them."""

    def __init__(self, id: str, verb: str, actor: str, expires: float, remote: bool) -> None:
        self.id = id
        self.verb = verb
        self.actor = actor
        self.expires = expires
        """Monotonic time until which its id is remembered."""
        self.remote = remote
        """The id was chosen elsewhere and may come again; else it is ours, and may be forgotten for want of room."""
        self.goals: list[Goal] = []
        self.told: dict[str, object] = {}
        """What its result tells besides."""
        self.final: Reply | None = None
        """What a repetition of the id is answered, once that is known."""
        self.laters: list[Later] = []

    @property
    def over(self) -> bool:
        """Whether every goal is judged."""
        return all(goal.outcome != ACCEPTED for goal in self.goals)

    def result(self, now: float, unreached: str = ACCEPTED) -> dict[str, object]:
        """How far it is; `unreached` is said of goals that are not judged yet."""
        rows = [goal.row(now) for goal in self.goals]
        for row in rows:
            row["outcome"] = unreached if row["outcome"] == ACCEPTED else row["outcome"]
        outcomes = {str(row["outcome"]) for row in rows} or {DONE}
        whole = ACCEPTED if ACCEPTED in outcomes else outcomes.pop() if len(outcomes) == 1 else PARTLY
        return {"command": self.id, "verb": self.verb, "outcome": whole, "processes": rows, **self.told}

    def look(self, now: float, changed: Process | None = None) -> None:
        """Judge the goals, or those about the process that changed; tell who waits if all are judged.

        While a command is still telling its processes one by one, the changes of the first ones must not judge those
        that have not been told yet.
        """
        for goal in self.goals:
            if changed is None or goal.process is changed:
                goal.judge(now)
        if self.over and self.final is None:
            self.final = Reply(None, self.result(now))
            waiting, self.laters = self.laters, []
            for later in waiting:
                later.settle(self.final)

    def expire(self, now: float) -> None:
        """Tell those whose wait is over how far it is; the wish stands."""
        due = [later for later in self.laters if later.deadline <= now]
        self.laters = [later for later in self.laters if later.deadline > now]
        for later in due:
            later.settle(Reply(None, self.result(now, unreached=TIMEOUT)))


class Trace:
    """What is left of a remote command that ended."""

    __slots__ = ("end", "expires", "verb")

    def __init__(self, command: Command, final: Reply) -> None:
        self.expires, self.verb = command.expires, sys.intern(command.verb)
        result = final.result
        self.end: Reply | str = sys.intern(str(result["outcome"])) if isinstance(result, dict) else final
        """Its outcome; a refusal whole."""

    def command(self, id: str) -> Command:
        """It again, with what is known of its result."""
        command = Command(id, self.verb, "", self.expires, remote=True)
        told: dict[str, object] = {"command": id, "verb": self.verb, "outcome": self.end, "processes": []}
        command.final = Reply(None, told) if isinstance(self.end, str) else self.end
        return command


class Commands:
    """The commands that are remembered, by id."""

    def __init__(self, capacity: int = COMMAND_RESULTS, outcomes: int = COMMAND_OUTCOMES) -> None:
        self.capacity, self.outcomes = capacity, outcomes
        self._known: dict[str, Command] = {}
        self._past: dict[str, Trace] = {}
        """Remote ones that ended, oldest first; none is in `_known`."""
        self._open: dict[str, Command] = {}
        """Those of them that had no final answer when last looked at: each change is held against these only."""

    def __len__(self) -> int:
        return len(self._known)

    def get(self, id: str, now: float) -> Command | None:
        """The command of that id, None where it is not remembered (any more)."""
        self._forget(now)
        trace = self._past.get(id)
        return trace.command(id) if trace is not None and trace.expires > now else self._known.get(id)

    def add(self, command: Command, now: float) -> bool:
        """Remember it; False where all places are taken by commands that may not be forgotten yet.

        Local and remote commands have places of their own, so that a hub cannot lock out the people on the spot.
        """
        self._forget(now)
        alike = sum(one.remote == command.remote for one in self._known.values())
        if alike >= self.capacity and not (self._shorten(now) if command.remote else self._make_room()):
            return False
        self._past.pop(command.id, None)  # expired, or it would have been answered
        self._known[command.id] = self._open[command.id] = command
        return True

    @property
    def are_open(self) -> bool:
        """Whether a change of a process may concern any of them."""
        return bool(self._open)

    def waiting(self) -> list[Command]:
        """Those that somebody waits for."""
        return [command for command in self._open.values() if command.laters]

    def look(self, process: Process, now: float) -> None:
        """The process changed: judge the goals about it."""
        for command in tuple(self._open.values()):
            if not command.over and any(goal.process is process for goal in command.goals):
                command.look(now, process)
            if command.final is not None:
                del self._open[command.id]

    def _forget(self, now: float) -> None:
        gone = [id for id, command in self._known.items() if command.expires <= now and not command.laters]
        for id in gone:
            self._drop(id)
        while self._past and (oldest := next(iter(self._past.items())))[1].expires <= now:
            del self._past[oldest[0]]

    def _shorten(self, now: float) -> bool:
        """Keep no more than the outcome of the oldest remote command that ended."""
        if len(self._past) >= self.outcomes:  # one with a long deadline may have hidden expired ones
            self._past = {id: trace for id, trace in self._past.items() if trace.expires > now}
        for id, command in self._known.items():
            if command.remote and command.final is not None and not command.laters:
                if len(self._past) >= self.outcomes:
                    return False
                self._past[id] = Trace(command, command.final)
                self._drop(id)
                return True
        return False

    def _make_room(self) -> bool:
        """Forget the oldest local command: its id is ours and will not come again."""
        for id, command in self._known.items():
            if not command.laters and not command.remote:
                self._drop(id)
                return True
        return False

    def _drop(self, id: str) -> None:
        del self._known[id]
        self._open.pop(id, None)
