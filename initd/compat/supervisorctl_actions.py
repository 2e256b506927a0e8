"""The table of supervisorctl's actions, and those that only look or concern the daemon as a whole."""

from __future__ import annotations

import errno
from urllib.parse import urlparse

from initd.compat import supervisorctl_groups as groups
from initd.compat import supervisorctl_logs as logs
from initd.compat import supervisorctl_processes as processes
from initd.compat.rpc_words import STOPPED_STATES, Fault, join_name, split_name
from initd.compat.supervisorctl_groups import takes_nothing
from initd.compat.supervisorctl_help import HELP, TOPICS
from initd.compat.supervisorctl_statuses import DEAD, NOT_RUNNING, UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.compat.supervisorctl_shell import Shell

    Info = dict[str, Any]

NAME_COLUMN = 30
"""Narrowest column of names in `status`."""


def status(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        shell.fail(UNKNOWN)
        return
    everything: list[Info] = shell.call("getAllProcessInfo")
    names = rest.split()
    chosen = everything if not names or "all" in names else _choose(shell, everything, names)
    wide = max([NAME_COLUMN, *(len(join_name(one["group"], one["name"])) for one in chosen)]) + 3
    for one in chosen:
        shell.out(f"{join_name(one['group'], one['name']):<{wide}}{one['statename']:<10}{one['description']}")
    if any(one["statename"] in STOPPED_STATES for one in chosen):
        shell.fail(NOT_RUNNING)


def _choose(shell: Shell, everything: list[Info], names: list[str]) -> list[Info]:
    chosen: list[Info] = []
    for name in names:
        group, process = split_name(name)
        found = [one for one in everything if one["group"] == group and process in (None, one["name"])]
        if not found:
            missing = f"{group}: ERROR (no such group)" if process is None else f"{name}: ERROR (no such process)"
            shell.out(missing)
            shell.fail(UNKNOWN)
        chosen += found
    return chosen


def pid(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    names = rest.split()
    if not names:
        shell.out(str(shell.call("getPID")))
    elif "all" in names:
        for one in shell.call("getAllProcessInfo"):
            shell.out(str(one["pid"]))
    else:
        for name in names:
            _pid_of(shell, name)


def _pid_of(shell: Shell, name: str) -> None:
    try:
        found = shell.call("getProcessInfo", name)["pid"]
    except Fault as fault:
        shell.fail()
        if fault.name != "BAD_NAME":
            raise
        shell.out(f"No such process {name}")
        return
    shell.out(str(found))
    if found == 0:
        shell.fail(DEAD)


def version(shell: Shell, rest: str) -> None:
    if takes_nothing(shell, "version", rest) and shell.is_up():
        shell.out(shell.call("getSupervisorVersion"))


def open_url(shell: Shell, rest: str) -> None:
    if urlparse(rest).scheme not in ("unix", "http"):
        shell.out("ERROR: url must be http:// or unix://")
        shell.fail()
        return
    before = shell.status
    shell.open(rest)
    status(shell, "")
    shell.status = before


def shutdown(shell: Shell, rest: str) -> None:
    if not takes_nothing(shell, "shutdown", rest):
        return
    if not shell.ask("Really shut the remote supervisord process down y/N? "):
        return
    try:
        shell.call("shutdown")
    except Fault as fault:
        if fault.name != "SHUTDOWN_STATE":
            shell.fail()
            raise
        shell.out("ERROR: already shutting down")
        return
    except OSError as error:
        shell.fail()
        why = {errno.ECONNREFUSED: "refused connection", errno.ENOENT: "no such file"}.get(error.errno or 0)
        if why is None:
            raise
        shell.out(f"ERROR: {shell.url} {why} (already shut down?)")
        return
    shell.out("Shut down")


def reload(shell: Shell, rest: str) -> None:
    if not takes_nothing(shell, "reload", rest):
        return
    if not shell.ask("Really restart the remote supervisord process y/N? "):
        return
    try:
        shell.call("restart")
    except Fault as fault:
        shell.fail()
        if fault.name != "SHUTDOWN_STATE":
            raise
        shell.out("ERROR: already shutting down")
        return
    shell.out("Restarted supervisord")


def leave(shell: Shell, rest: str) -> bool:
    shell.out("")
    return True


def show_help(shell: Shell, rest: str) -> None:
    shell.out(HELP.get(rest, f"*** No help on {rest}") if rest else TOPICS)


ACTIONS: dict[str, Callable[[Shell, str], object]] = {
    "help": show_help,
    "add": groups.add,
    "avail": groups.avail,
    "clear": processes.clear,
    "exit": leave,
    "fg": logs.fg,
    "maintail": logs.maintail,
    "open": open_url,
    "pid": pid,
    "quit": leave,
    "reload": reload,
    "remove": groups.remove,
    "reread": groups.reread,
    "restart": processes.restart,
    "shutdown": shutdown,
    "signal": processes.signal,
    "start": processes.start,
    "status": status,
    "stop": processes.stop,
    "tail": logs.tail,
    "update": groups.update,
    "version": version,
    "EOF": leave,
}
"""`ACTION(shell, rest)` carries out what was typed; a true result ends the session."""
