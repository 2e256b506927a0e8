"""Actions on the configuration: avail, reread, add, remove, update."""

from __future__ import annotations

from initd.compat.rpc_words import Fault, join_name
from initd.compat.supervisorctl_help import HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.compat.supervisorctl_shell import Shell


def takes_nothing(shell: Shell, action: str, rest: str) -> bool:
    """Whether there are no arguments; says so where there are."""
    if not rest:
        return True
    shell.out(f"Error: {action} accepts no arguments")
    shell.fail()
    shell.out(HELP[action])
    return False


def avail(shell: Shell, rest: str) -> None:
    if not takes_nothing(shell, "avail", rest):
        return
    try:
        rows = shell.call("getAllConfigInfo")
    except Fault as fault:
        _stopping(shell, fault, "ERROR: supervisor shutting down")
        return
    for row in rows:
        shell.out(_available(row))


def _available(row: dict[str, Any]) -> str:
    name = join_name(row["group"], row["name"])
    used, auto = ("in use" if row["inuse"] else "avail"), ("auto" if row["autostart"] else "manual")
    return f"{name:<32} {used:<9} {auto:<9} {row['group_prio']}:{row['process_prio']}"


def _stopping(shell: Shell, fault: Fault, text: str) -> None:
    shell.fail()
    if fault.name != "SHUTDOWN_STATE":
        raise fault
    shell.out(text)


def reread(shell: Shell, rest: str) -> None:
    if not takes_nothing(shell, "reread", rest):
        return
    try:
        [[added, changed, removed]] = shell.call("reloadConfig")
    except Fault as fault:
        if fault.name == "CANT_REREAD":
            shell.fail()
            shell.out(f"ERROR: {fault.text}")
        else:
            _stopping(shell, fault, "ERROR: supervisor shutting down")
        return
    words = {
        **dict.fromkeys(added, "available"),
        **dict.fromkeys(changed, "changed"),
        **dict.fromkeys(removed, "disappeared"),
    }
    for name in sorted(words):
        shell.out(f"{name}: {words[name]}")
    if not words:
        shell.out("No config updates to processes")


ADDING = {
    "SHUTDOWN_STATE": ("ERROR: shutting down", True),
    "ALREADY_ADDED": ("ERROR: process group already active", False),
    "BAD_NAME": ("ERROR: no such process/group: %s", True),
}
REMOVING = {
    "STILL_RUNNING": ("ERROR: process/group still running: %s", True),
    "BAD_NAME": ("ERROR: no such process/group: %s", True),
}
"""Fault to what is said, and whether it is a failure."""


def add(shell: Shell, rest: str) -> None:
    for name in rest.split():
        _change(shell, name, "addProcessGroup", "added process group", ADDING)


def remove(shell: Shell, rest: str) -> None:
    for name in rest.split():
        _change(shell, name, "removeProcessGroup", "removed process group", REMOVING)


def _change(shell: Shell, name: str, method: str, done: str, errors: dict[str, tuple[str, bool]]) -> None:
    try:
        shell.call(method, name)
    except Fault as fault:
        text, failed = errors.get(fault.name, ("", True))
        if failed:
            shell.fail()
        if not text:
            raise
        shell.out(text.replace("%s", name))
        return
    shell.out(f"{name}: {done}")


def update(shell: Shell, rest: str) -> None:
    try:
        [[added, changed, removed]] = shell.call("reloadConfig")
    except Fault as fault:
        _stopping(shell, fault, "ERROR: already shutting down")
        return
    wanted = set(rest.split())
    wanted = set() if "all" in wanted else wanted
    if wanted:
        _check_groups(shell, wanted, added)
    for name in _meant(removed, wanted):
        if _stop(shell, name):
            shell.call("removeProcessGroup", name)
            shell.out(f"{name}: removed process group")
    for name in _meant(changed, wanted):
        shell.call("stopProcessGroup", name)
        shell.out(f"{name}: stopped")
        shell.call("removeProcessGroup", name)
        shell.call("addProcessGroup", name)
        shell.out(f"{name}: updated process group")
    for name in _meant(added, wanted):
        shell.call("addProcessGroup", name)
        shell.out(f"{name}: added process group")


def _meant(names: list[str], wanted: set[str]) -> list[str]:
    return [name for name in names if not wanted or name in wanted]


def _check_groups(shell: Shell, wanted: set[str], added: list[str]) -> None:
    known = {info["group"] for info in shell.call("getAllProcessInfo")} | set(added)
    for name in wanted - known:
        shell.out(f"ERROR: no such group: {name}")
        shell.fail()


def _stop(shell: Shell, name: str) -> bool:
    """Stop a group that is to go; whether nothing of it is left."""
    rows = shell.call("stopProcessGroup", name)
    shell.out(f"{name}: stopped")
    if any(row["status"] == 30 for row in rows):
        shell.out(f"{name}: has problems; not removing")
        shell.fail()
        return False
    return True
