"""The one control API: a table of verbs with their arguments and handlers; pure, no sockets, no clock.

Theory.  `handle(request, carrier, now)` turns one decoded request into an answer (initd.replies).  VERBS declares each
verb: its arguments, its handler, and the role it needs.  The unix socket and the socketpair of link share it; link's
own verbs are in initd.remote.

Verbs that change something are commands: each has an id, which stands in the records of what it caused, and is
remembered with its result (initd.wishes).  A command changes wishes and returns at once; `wait` makes the reply come
when the wishes are reached or the wait is over, whichever is first.  Names that do not exist refuse the whole request.

`healthy` is true when every process with autostart is RUNNING, or EXITED as expected, and no shutdown is under way.
A process that is STARTING (one with a readiness probe is, until it is ready), stopped by hand, given up, in BACKOFF or
failing its liveness probe makes it false; processes without autostart do not count.  With `essential` only programs
that say essential=true count.  It costs one look at each process, whatever they do.
"""

from __future__ import annotations

from codecs import getincrementaldecoder

from initd import arguments as read
from initd.arguments import REQUIRED, Argument
from initd.errors import NotSignallable, StillStopping
from initd.events import Asked
from initd.replies import Answer, Call, Carrier, ControlError, Later, Reply, Stream
from initd.reports import Reports, fact_row, select
from initd.wishes import DONE, FAILED, Command, Commands, Goal
from wire._record import Record
from wire.limits import COMMAND_ID_CHARS, COMMAND_SECONDS, EVENTS_SHOWN, RING_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.facts import Journal
    from initd.output import Output
    from initd.process import Process
    from initd.replies import Scalar
    from initd.supervisor import Supervisor
    from wire.model import Fact

OBSERVE, OPERATE = "observe", "operate"
"""Roles: look only; change things too."""


class Entry(Record):
    """One verb of the table."""

    arguments: tuple[Argument, ...]
    handler: Callable[[Any, Call], Answer | object]
    """Called with the control and the call; gives an answer, or a result to be put into a Reply."""
    role: str
    doc: str


class Control:
    """See the module's docstring.  `clock` gives monotonic seconds, for changes that no request brings; `identity` is
    told by `about`: version, pid, pid1 and the like."""

    def __init__(
        self,
        supervisor: Supervisor,
        journal: Journal,
        output: Output,
        clock: Callable[[], float],
        identity: dict[str, object],
    ) -> None:
        self.supervisor = supervisor
        self.journal = journal
        self.output = output
        self.identity = identity
        self.reports = Reports(supervisor, journal, output)
        self.commands = Commands()
        self.counters: dict[str, Callable[[], object]] = {}
        """Further counters that `about` tells."""
        self.table: dict[str, Entry] = dict(VERBS)
        self.may = dict(MAY)
        """Verbs of VERBS by role."""
        self._made = 0
        self._clock = clock

    def extend(self, verbs: dict[str, Entry]) -> None:
        """Add a part's verbs to the table and to what each role may."""
        self.table.update(verbs)
        looking = frozenset(verb for verb, entry in verbs.items() if entry.role == OBSERVE)
        self.may = {OBSERVE: self.may[OBSERVE] | looking, OPERATE: self.may[OPERATE] | frozenset(verbs)}

    def handle(self, request: object, carrier: Carrier, now: float) -> Answer:
        """Answer one request, whatever it is; never raises ControlError."""
        id = request.get("id") if isinstance(request, dict) else None
        id = id if _is_scalar(id) else None
        try:
            return self._dispatch(_check(request), id, carrier, now)
        except ControlError as error:
            return Reply(id, error=error)

    def deadline(self) -> float | None:
        """When `expire` has to be called next, None where nobody waits."""
        return min((later.deadline for one in self.commands.waiting() for later in one.laters), default=None)

    def expire(self, now: float) -> None:
        """Answer those whose wait is over."""
        for command in self.commands.waiting():
            command.expire(now)

    def command(self, call: Call, verb: str) -> Command:
        """Make and remember the command that a call is.  Raises ControlError."""
        self._made += 1
        remote = bool(call.command)
        id = call.command or f"{self.supervisor.boot[:8]}-{self._made}"
        made = Command(id, verb, call.carrier.actor, call.now + COMMAND_SECONDS, remote)
        self.supervisor.on_change(self._judge)  # first: a command of which nobody tells us would never be judged
        if not self.commands.add(made, call.now):
            raise ControlError("busy", "too many commands under way", "try again when some of them are done")
        return made

    def _judge(self, process: Process) -> None:
        self.commands.look(process, self._clock())
        if not self.commands.are_open:
            self.supervisor.off_change(self._judge)

    def _dispatch(self, request: dict[str, Any], id: Scalar, carrier: Carrier, now: float) -> Answer:
        verb = request["verb"]
        entry = self.table.get(verb)
        if entry is None:
            raise ControlError("unknown-verb", f"there is no verb {verb!r}", f"known: {', '.join(sorted(self.table))}")
        if verb not in carrier.may:
            raise ControlError("forbidden", f"{carrier.actor} may not use {verb}")
        args = read.read_all(entry.arguments, request.get("args") or {})
        answer = entry.handler(self, Call(id, verb, args, carrier, now))
        return answer if isinstance(answer, (Reply, Stream, Later)) else Reply(id, answer)


def _is_scalar(id: object) -> bool:
    return isinstance(id, (int, float, bool)) or (isinstance(id, str) and len(id) <= COMMAND_ID_CHARS)


def _check(request: object) -> dict[str, Any]:
    if not isinstance(request, dict):
        raise read.refuse("a request is an object", '{"id": 1, "verb": "status", "args": {}}')
    if not isinstance(request.get("verb"), str) or len(request["verb"]) > COMMAND_ID_CHARS:
        raise read.refuse("a request needs a verb", '{"id": 1, "verb": "status", "args": {}}')
    if not isinstance(request.get("args"), (dict, type(None))):
        raise read.refuse("args must be an object")
    return request


# Verbs that change something


def _wish(control: Control, call: Call) -> Answer:
    """start, stop, restart."""
    chosen = select(control.supervisor.processes, call.args["names"])  # type: ignore[arg-type]
    if not chosen:
        raise read.refuse("no process is meant", "name one, a GROUP:*, or all")
    if call.verb != "stop" and control.supervisor.state != "running":
        raise ControlError("shutting-down", "everything is being stopped: nothing is started now")
    command = control.command(call, call.verb)
    asked = Asked(call.carrier.actor, call.verb, command.id)
    command.goals = [Goal(process, call.verb, call.now) for process in chosen]
    if call.verb == "stop":
        control.supervisor.stop_all(chosen, asked)
    else:
        for goal in command.goals:
            _change(control.supervisor, goal, asked)
    return answer_when_reached(command, call, call.args["wait"])  # type: ignore[arg-type]


def _change(supervisor: Supervisor, goal: Goal, asked: Asked) -> None:
    change = {"start": supervisor.start, "restart": supervisor.restart}[asked.verb]
    try:
        change(goal.process, asked)
    except StillStopping as error:
        goal.end(FAILED, str(error))


def answer_when_reached(command: Command, call: Call, wait: float | None) -> Answer:
    """The result now, where it is known or nobody waits; else Later."""
    command.look(call.now)
    if command.final is not None:
        return command.final._replace(id=call.id)
    if not wait:
        return Reply(call.id, command.result(call.now))
    later = Later(call.id, call.now + wait)
    command.laters.append(later)
    return later


def _signal(control: Control, call: Call) -> Answer:
    chosen: list[Process] = select(control.supervisor.processes, call.args["names"])  # type: ignore[arg-type]
    if not chosen:
        raise read.refuse("no process is meant", "name one, a GROUP:*, or all")
    command = control.command(call, call.verb)
    asked = Asked(call.carrier.actor, call.verb, command.id)
    command.goals = [Goal(process, call.verb, call.now) for process in chosen]
    for goal in command.goals:
        try:
            control.supervisor.send_signal(goal.process, call.args["signal"], asked)  # type: ignore[arg-type]
            goal.end(DONE)
        except NotSignallable as error:
            goal.end(FAILED, str(error))
    if len(chosen) == 1 and command.goals[0].outcome == FAILED:
        command.final = Reply(None, error=ControlError("not-running", command.goals[0].message))
    return answer_when_reached(command, call, None)


def _shutdown(control: Control, call: Call) -> Answer:
    command = control.command(call, call.verb)
    control.supervisor.shutdown(Asked(call.carrier.actor, call.verb, command.id))
    command.final = Reply(None, {"command": command.id, "verb": "shutdown", "outcome": DONE, "processes": []})
    return command.final._replace(id=call.id)


# Verbs that look


def _result(control: Control, call: Call) -> Answer:
    command = control.commands.get(str(call.args["command"]), call.now)
    if command is None:
        raise ControlError("unknown-command", f"no command {call.args['command']} is remembered")
    return (command.final or Reply(None, command.result(call.now)))._replace(id=call.id)


def _tail(control: Control, call: Call) -> Answer:
    name, stream = str(call.args["name"]), str(call.args["stream"])
    [process] = select(control.supervisor.processes, (name,)) if name in control.supervisor.processes else [None]
    if process is None:
        raise ControlError("unknown-program", f"no process is called {name}", "tail takes one name; status lists them")
    decoder = getincrementaldecoder("utf-8")("backslashreplace")
    kept = control.output.tail(name, stream, call.args["bytes"])  # type: ignore[arg-type]
    first = {"name": name, "stream": stream, "text": decoder.decode(kept), "at": control.output.spoke_at(name, stream)}
    if not call.args["follow"]:
        whole = first["text"] + decoder.decode(b"", True)  # type: ignore[operator]
        return Reply(call.id, {**first, "text": whole, "bytes": len(kept), "end": control.output.place(name, stream)})
    return Stream(
        call.id,
        [first],
        lambda push: control.output.follow(name, stream, lambda chunk: push({"text": decoder.decode(chunk)})),
    )


def _events(control: Control, call: Call) -> Answer:
    names: tuple[str, ...] = call.args["names"]  # type: ignore[assignment]
    rows = control.reports.events(names, call.args["after"], call.args["limit"])  # type: ignore[arg-type]
    if not call.args["follow"]:
        return Reply(call.id, rows)
    return Stream(call.id, list(rows), lambda push: follow_facts(control, names, push))


def follow_facts(control: Control, names: tuple[str, ...], push: Callable[[object], object]) -> Callable[[], None]:
    """Push each new fact about the names as a row; the result ends it."""

    def hear(fact: Fact) -> None:
        if control.reports.concerns(names, fact):
            push(fact_row(fact))

    control.journal.subscribe(hear)
    return lambda: control.journal.unsubscribe(hear)


def _exits(control: Control, call: Call) -> object:
    return control.reports.exits(call.args["names"], call.args["after"], call.args["limit"])  # type: ignore[arg-type]


def _status(control: Control, call: Call) -> object:
    return control.reports.status(call.args["names"], call.now)  # type: ignore[arg-type]


def _healthy(control: Control, call: Call) -> object:
    return control.reports.healthy(bool(call.args["essential"]))


def about(control: Control, call: Call) -> dict[str, object]:
    """Who this PID 1 is and what it has counted."""
    sup = control.supervisor
    dropped = sum(sum(control.output.dropped(name)) for name in sup.processes)
    counted: dict[str, object] = {"reaped": sup.reaped, "orphans": sup.orphans, "output_dropped": dropped}
    counted |= {name: count() for name, count in control.counters.items()}
    return {
        **control.identity,
        "boot": sup.boot,
        "started_at": sup.started_at,
        "state": sup.state,
        "processes": len(sup.processes),
        "facts": control.reports.journal(),
        "counters": counted,
    }


NAMES = Argument("names", read.names, REQUIRED, "names of processes, GROUP:*, or all")
ANY_NAMES = Argument("names", read.names, (), "names of processes, GROUP:*, or all; none given means all")
WAIT = Argument("wait", read.seconds, None, "seconds to wait until it is reached; none: reply at once")
AFTER = Argument("after", read.number, None, "only facts with a higher number, oldest first; none: the newest")
LIMIT = Argument("limit", read.count, EVENTS_SHOWN, "how many facts at most")
FOLLOW = Argument("follow", read.flag, False, "go on with what comes, until the connection is closed")

VERBS: dict[str, Entry] = {
    "status": Entry((ANY_NAMES,), _status, OBSERVE, "state of the processes"),
    "start": Entry((NAMES, WAIT), _wish, OPERATE, "want them up"),
    "stop": Entry((NAMES, WAIT), _wish, OPERATE, "want them down"),
    "restart": Entry((NAMES, WAIT), _wish, OPERATE, "want new processes in place of the present ones"),
    "signal": Entry(
        (NAMES, Argument("signal", read.signal, REQUIRED, "a signal's name or number")),
        _signal,
        OPERATE,
        "send a signal",
    ),
    "tail": Entry(
        (
            Argument("name", read.text, REQUIRED, "name of one process"),
            Argument("stream", read.stream, "stdout", "stdout or stderr"),
            Argument("bytes", read.size, RING_BYTES, "how much of the end"),
            FOLLOW,
        ),
        _tail,
        OBSERVE,
        "the end of what a process wrote",
    ),
    "events": Entry((ANY_NAMES, AFTER, LIMIT, FOLLOW), _events, OBSERVE, "state changes, exits and notes"),
    "exits": Entry((ANY_NAMES, AFTER, LIMIT), _exits, OBSERVE, "exit records"),
    "healthy": Entry(
        (Argument("essential", read.flag, False, "look at the programs with essential=true alone"),),
        _healthy,
        OBSERVE,
        "whether every autostart process runs or has done its work",
    ),
    "shutdown": Entry((), _shutdown, OPERATE, "stop everything and leave"),
    "result": Entry(
        (Argument("command", read.text, REQUIRED, "id of a command"),), _result, OBSERVE, "how far a command is"
    ),
    "about": Entry((), about, OBSERVE, "who this PID 1 is and what it has counted"),
}

MAY = {
    OBSERVE: frozenset(verb for verb, entry in VERBS.items() if entry.role == OBSERVE),
    OPERATE: frozenset(VERBS),
}
"""Verbs of VERBS by role."""
