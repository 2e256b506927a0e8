"""The verbs that read the configuration again: reread, update, add, remove, reload, scale.

`reread` only tells.  `update` takes over what differs, all of it or of some groups; `add` and `remove` are its two
ends for one group, as supervisord has them; `reload` stops everything and starts over, as SIGHUP does.  `scale` is
remembered until the next `reload`: an `update` compares with what the file would say with that number.
"""

from __future__ import annotations

from initd import arguments as read
from initd.arguments import REQUIRED, Argument
from initd.config.advice import advise
from initd.control import OPERATE, WAIT, Entry, answer_when_reached
from initd.events import Asked
from initd.program import is_alive
from initd.reload.changeover import Changeover
from initd.reload.diff import compare, merge, without
from initd.reload.scale import processes_of, scaled
from initd.reload.tables import Places, table
from initd.replies import ControlError, Reply
from initd.wishes import DONE, Goal
from wire.limits import PROBLEMS_TOLD, PROGRAM_PROCESSES
from wire.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config, Loaded
    from initd.control import Control
    from initd.daemon import Daemon
    from initd.process import Process
    from initd.reload.diff import Diff
    from initd.replies import Answer, Call
    from initd.wishes import Command


def count(value: object) -> int:
    """How many processes of one program."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= PROGRAM_PROCESSES:
        raise read.refuse(f"must be a whole number from 0 to {PROGRAM_PROCESSES}")
    return value


class Reloading:
    """The verbs' handlers; what they change goes through one Changeover."""

    def __init__(self, daemon: Daemon, control: Control) -> None:
        self._daemon = daemon
        self.control = control
        self._sup = daemon.supervisor
        self.changeover = Changeover(daemon.supervisor, daemon.take)

    def verbs(self) -> dict[str, Entry]:
        """The table of VERBS, bound to this daemon."""
        return {verb: self._bind(entry) for verb, entry in VERBS.items()}

    def _bind(self, entry: Entry) -> Entry:
        return entry._replace(handler=lambda _control, call: entry.handler(self, call))

    @property
    def config(self) -> Config:
        """What is in force."""
        return self._daemon.config

    def read(self, scales: dict[str, int] | None = None) -> tuple[Config, Loaded]:
        """The file as it is now.  Raises ControlError."""
        loaded = self._daemon.read(self._daemon.scales if scales is None else scales)
        if loaded.config is None:
            told = "; ".join(str(problem) for problem in loaded.errors[:PROBLEMS_TOLD])
            more = len(loaded.errors) - PROBLEMS_TOLD
            raise ControlError(
                "bad-configuration", told + (f"; and {more} more" if more > 0 else ""), "nothing is changed"
            )
        return loaded.config, loaded

    def carry_out(self, call: Call, diff: Diff, config: Config, told: dict[str, object]) -> Answer:
        """Make a command of it."""
        if self._sup.state != "running":
            raise ControlError("shutting-down", "everything is being stopped: nothing is changed now")
        command = self.control.command(call, call.verb)
        command.told = told
        asked = Asked(call.carrier.actor, call.verb, command.id)
        self.changeover.apply(diff, config, asked, lambda process, verb: _touch(command, process, verb, call.now))
        return answer_when_reached(command, call, call.args["wait"])  # type: ignore[arg-type]


def _touch(command: Command, process: Process, verb: str, now: float) -> None:
    command.goals.append(Goal(process, verb, now))


def _reread(reloading: Reloading, call: Call) -> object:
    new, loaded = reloading.read()
    old = reloading.config
    return {**table(compare(old, new, _groups(call, old, new)), Places(old, loaded)), **_warnings(loaded)}


def _warnings(loaded: Loaded) -> dict[str, object]:
    """What the reader would advise against, as `initd check` tells it."""
    return {"warnings": [str(warning) for warning in advise(loaded)[:PROBLEMS_TOLD]]}


def _update(reloading: Reloading, call: Call) -> Answer:
    new, loaded = reloading.read()
    old = reloading.config
    names = _groups(call, old, new)
    diff = compare(old, new, names)
    told = {**table(diff, Places(old, loaded)), **_warnings(loaded)}
    return reloading.carry_out(call, diff, merge(old, new, names) if names else new, told)


def _add(reloading: Reloading, call: Call) -> Answer:
    new, loaded = reloading.read()
    old, name = reloading.config, str(call.args["group"])
    if any(group.name == name for group in old.groups):
        raise ControlError("already-there", f"{name} is in force already", f"update {name} takes over its changes")
    if not any(group.name == name for group in new.groups):
        raise ControlError("unknown-group", f"the file has no group {name}", "reread tells what differs")
    diff = compare(old, new, (name,))
    told = table(diff, Places(old, loaded))
    return reloading.carry_out(call, diff, merge(old, new, (name,)), told)


def _remove(reloading: Reloading, call: Call) -> Answer:
    old, name = reloading.config, str(call.args["group"])
    if not any(group.name == name for group in old.groups):
        raise ControlError("unknown-group", f"no group {name} is in force", "status tells which are")
    members = [one for one in reloading.control.supervisor.processes.values() if one.config.group == name]
    running = [one.name for one in members if is_alive(one.program) or one.program.state is State.BACKOFF]
    if running:
        raise ControlError("still-running", f"{', '.join(running[:PROBLEMS_TOLD])} still run", f"stop {name}:* first")
    new = without(old, name)
    diff = compare(old, new, (name,))
    return reloading.carry_out(call, diff, new, {})


def _reload(reloading: Reloading, call: Call) -> Answer:
    command = reloading.control.command(call, call.verb)
    problems = reloading._daemon.reload(Asked(call.carrier.actor, call.verb, command.id))
    if problems:
        command.final = Reply(None, error=ControlError("bad-configuration", problems, "nothing is changed"))
    else:
        command.final = Reply(None, {"command": command.id, "verb": "reload", "outcome": DONE, "processes": []})
    return command.final._replace(id=call.id)


def _scale(reloading: Reloading, call: Call) -> Answer:
    daemon, old = reloading._daemon, reloading.config
    name, number = str(call.args["program"]), int(call.args["count"])  # type: ignore[call-overload]
    present, _ = reloading.read()
    if not any(group.kind in ("program", "group") for group in old.groups) or not _is_there(daemon, name, present):
        raise ControlError("unknown-program", f"there is no [program:{name}]", "scale takes the section's name")
    groups = {one.group for one in (*processes_of(old, name), *processes_of(present, name))}
    stale = [row.name for row in compare(old, present, groups).rows if row.name in _names(old, present, name)]
    if stale:
        raise ControlError(
            "bad-configuration", f"[program:{name}] changed in the file since it was read", "update first"
        )
    scales = {**daemon.scales, name: number}
    wanted, loaded = reloading.read(scales)
    new = scaled(old, wanted, name)
    diff = compare(old, new)
    told = table(diff, Places(old, loaded))
    answer = reloading.carry_out(call, diff, new, told)
    daemon.scales = scales
    return answer


def _is_there(daemon: Daemon, name: str, present: Config) -> bool:
    """Whether the file has that section, which may have no processes at present."""
    return bool(processes_of(present, name) or processes_of(daemon.config, name) or name in daemon.scales) or any(
        group.name == name and group.kind == "program" for group in present.groups
    )


def _names(old: Config, new: Config, program: str) -> set[str]:
    from_both = (*processes_of(old, program), *processes_of(new, program))
    return {one.name if one.group == one.name else f"{one.group}:{one.name}" for one in from_both}


def _groups(call: Call, old: Config, new: Config) -> tuple[str, ...]:
    """The groups that are meant, none for all.  Raises ControlError."""
    names: tuple[str, ...] = call.args["groups"]  # type: ignore[assignment]
    known = {group.name for config in (old, new) for group in config.groups}
    unknown = [name for name in names if name not in known and name != "all"]
    if unknown:
        raise ControlError(
            "unknown-group",
            f"no group is called {', '.join(unknown[:PROBLEMS_TOLD])}",
            "neither in force nor in the file",
        )
    return () if "all" in names else names


GROUPS = Argument("groups", read.names, (), "names of groups; none given means all")
GROUP = Argument("group", read.text, REQUIRED, "name of one group")

VERBS: dict[str, Entry] = {
    "reread": Entry((GROUPS,), _reread, OPERATE, "how the file differs from what is in force; changes nothing"),
    "update": Entry((GROUPS, WAIT), _update, OPERATE, "take over what differs, and touch nothing else"),
    "add": Entry((GROUP, WAIT), _add, OPERATE, "take over a group that is new in the file"),
    "remove": Entry((GROUP, WAIT), _remove, OPERATE, "take out a group whose processes are down"),
    "reload": Entry((), _reload, OPERATE, "stop everything, read the file, start over, as SIGHUP does"),
    "scale": Entry(
        (
            Argument("program", read.text, REQUIRED, "name of a [program:x]"),
            Argument("count", count, REQUIRED, "how many processes it shall have"),
            WAIT,
        ),
        _scale,
        OPERATE,
        "another number of processes, until the next reload; needs %(process_num) in process_name",
    ),
}
