"""What supervisord's clients want to know of processes and their configuration, beyond `status`.

Theory.  supervisord keeps start, stop, exit status and "spawn error" of each process and overwrites them as it goes
along.  Here the machine and the last exit record hold the same, so each value is derived when somebody asks:

    state                   spawnerr                                         exitstatus
    never started           ""                                               0
    STARTING, RUNNING       "" (a new life forgets the old one)              0
    BACKOFF, FATAL          what hinders the command, or "Exited too quickly" 0
    EXITED as expected      ""                                               its status
    EXITED otherwise        "Bad exit code N"                                its status
    STOPPED                 ""; of a failed start, why                       the status it stopped with

A process that a signal ended has the status -1, as supervisord says it.  Times are wall seconds, 0 for never.
"""

from __future__ import annotations

from initd import arguments as read
from initd.arguments import Argument
from initd.control import OBSERVE, Entry
from initd.replies import ControlError
from initd.reports import ALL, select
from initd.rpc.attempts import obstacle
from wire.limits import ROWS_PER_REPLY
from wire.model import State, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.config.records import Config, Group, Program
    from initd.control import Control
    from initd.output import Output
    from initd.process import Process
    from initd.replies import Call
    from wire.model import Exit

QUICK = "Exited too quickly (process log may have details)"
"""What supervisord says of a process that died before startsecs."""

COPIED = (
    "autostart", "directory", "command", "exitcodes", "killasgroup", "name", "redirect_stderr", "startretries",
    "startsecs", "stdout_capture_maxbytes", "stdout_events_enabled", "stdout_logfile", "stdout_logfile_backups",
    "stdout_logfile_maxbytes", "stdout_syslog", "stopsignal", "stopwaitsecs", "stderr_capture_maxbytes",
    "stderr_events_enabled", "stderr_logfile", "stderr_logfile_backups", "stderr_logfile_maxbytes", "stderr_syslog",
    "serverurl", "group",
)  # fmt: skip
"""Options of a program that supervisord's getAllConfigInfo tells under their own names."""


def process_row(process: Process, control: Control) -> dict[str, object]:
    """One process as supervisord's clients see it; `name` is the name within `group`."""
    program, config, output = process.program, process.config, control.output
    tried = program.spawns > 0 or process.last_exit is not None
    hindrance = _hindrance(process, control) if process.last_exit is not None and process.last_exit.pid is None else ""
    return {
        "name": config.name,
        "group": config.group,
        "state": str(program.state),
        "pid": program.pid or 0,
        "start": process.run.started_at if tried else 0,
        "stop": _stopped_at(process),
        "spawnerr": spawn_error(program.state, process.last_exit, hindrance),
        "exitstatus": exit_status(program.state, process.last_exit),
        "stdout_logfile": logfile(config, "stdout", output),
        "stderr_logfile": logfile(config, "stderr", output),
        "priority": config.priority,
        "group_priority": config.group_priority,
    }


def _hindrance(process: Process, control: Control) -> str:
    """Why no process came to be, in supervisord's words."""
    found = obstacle(process.config, control.supervisor.base)
    return found[1] if found is not None else QUICK


def spawn_error(state: State, last: Exit | None, hindrance: str = "") -> str:
    """See the module's docstring; `hindrance` is told where the last attempt did not come to a process."""
    if last is None or state in (State.STARTING, State.RUNNING, State.STOPPING):
        return ""
    if last.pid is None:
        return hindrance
    if state in (State.BACKOFF, State.FATAL):
        return QUICK
    return f"Bad exit code {_status(last)}" if state is State.EXITED and not last.expected else ""


def exit_status(state: State, last: Exit | None) -> int:
    """See the module's docstring."""
    known = last is not None and last.pid is not None and state in (State.EXITED, State.STOPPED)
    return _status(last) if known and last is not None else 0


def _status(last: Exit) -> int:
    return -1 if last.code is None else last.code


def _stopped_at(process: Process) -> float:
    last = process.last_exit
    return last.ended_at if last is not None and last.pid is not None else 0


def logfile(config: Program, stream: str, output: Output) -> str:
    """Path of a stream's log: the file in use, else what the configuration names; "" where there is none."""
    if stream == "stderr" and config.redirect_stderr:
        return ""
    named: str | None = getattr(config, f"{stream}_logfile")
    return output.logfile(full_name(config.group, config.name), stream) or (named if named and named != "AUTO" else "")


def config_row(program: Program, in_use: bool, output: Output) -> dict[str, object]:
    """One process's configuration under supervisord's names; None is a value that is not set.

    Log files are told as supervisord does: AUTO is the file that was made, once there is one.
    """
    row: dict[str, object] = {name: getattr(program, name) for name in COPIED}
    for stream in ("stdout", "stderr"):
        row[f"{stream}_logfile"] = logfile(program, stream, output) or row[f"{stream}_logfile"]
    row["exitcodes"] = list(program.exitcodes)
    if program.redirect_stderr:
        row["stderr_logfile"] = None
    return {
        **row,
        "user": program.user,
        "group_prio": program.group_priority,
        "process_prio": program.priority,
        "inuse": in_use,
    }


def _page(rows: list[Any], call: Call, make: Callable[[Any], object]) -> list[object]:
    """ROWS_PER_REPLY of them, from number `after` on: a client asks until it gets fewer."""
    after: int = call.args["after"]  # type: ignore[assignment]
    return [make(one) for one in rows[after : after + ROWS_PER_REPLY]]


def _details(control: Control, call: Call) -> object:
    names: tuple[str, ...] = call.args["names"] or (ALL,)  # type: ignore[assignment]
    chosen = select(control.supervisor.processes, names)
    return _page(chosen, call, lambda process: process_row(process, control))


def _settings(control: Control, call: Call, config: Config | None = None) -> object:
    """Of the file as it was read last: supervisord shows what `reread` found before it is taken over."""
    active = {process.config.group for process in control.supervisor.processes.values()}
    programs = [*(config or _known(control)).programs]
    return _page(programs, call, lambda one: config_row(one, one.group in active, control.output))


def bound(latest: Callable[[], Config]) -> dict[str, Entry]:
    """VERBS for a control and the file as it was read last."""
    settings = VERBS["settings"]._replace(handler=lambda control, call: _settings(control, call, latest()))
    return {**VERBS, "settings": settings}


def _groups(control: Control, call: Call) -> object:
    groups = {process.config.group: process.config.group_priority for process in control.supervisor.processes.values()}
    empty: tuple[Group, ...] = tuple(group for group in _known(control).groups if not group.processes)
    groups.update({group.name: group.priority for group in empty if group.kind == "program" or group.kind == "group"})
    return [{"name": name, "priority": priority} for name, priority in groups.items()]


def _known(control: Control) -> Config:
    config = control.supervisor.config
    if config is None:
        raise ControlError("failed", "no configuration is in force yet")
    return config


def _daemon(control: Control, call: Call) -> object:
    sup = control.supervisor
    return {
        "identifier": _known(control).daemon.identifier,
        "pid": control.identity.get("pid", 0),
        "state": sup.state,
        "restarting": sup.ending is not None and sup.ending.then is not None,
    }


AFTER = Argument("after", read.count, 0, f"leave out so many rows; a reply has at most {ROWS_PER_REPLY}")

VERBS: dict[str, Entry] = {
    "details": Entry(
        (Argument("names", read.names, (), "names of processes, GROUP:*, or all; none given means all"), AFTER),
        _details,
        OBSERVE,
        "what supervisord's clients want to know of processes",
    ),
    "settings": Entry((AFTER,), _settings, OBSERVE, "options of each process, as the file was read last"),
    "groups": Entry((), _groups, OBSERVE, "names and priorities of the groups in force, empty ones too"),
    "daemon": Entry((), _daemon, OBSERVE, "identifier, pid and state, as supervisord's clients want them"),
}
