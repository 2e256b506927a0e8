"""Actions on processes: start, stop, restart, signal, clear; and how their results are told."""

from __future__ import annotations

from initd.compat.rpc_words import NAMES, Fault, join_name, split_name
from initd.compat.supervisorctl_help import HELP
from initd.compat.supervisorctl_statuses import INVALID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from initd.compat.supervisorctl_shell import Shell

    Row = Mapping[str, Any]
    Tell = Callable[[Row], str]

STARTED = {
    "BAD_NAME": "no such process",
    "NO_FILE": "no such file",
    "NOT_EXECUTABLE": "file is not executable",
    "ALREADY_STARTED": "already started",
    "SPAWN_ERROR": "spawn error",
    "ABNORMAL_TERMINATION": "abnormal termination",
}
SIGNALLED = {"BAD_NAME": "no such process", "BAD_SIGNAL": "bad signal name", "NOT_RUNNING": "not running"}
CLEARED = {"BAD_NAME": "no such process", "FAILED": "failed"}


def _result(row: Row, errors: Mapping[str, str], success: str) -> str:
    """One line for one row of a batch.  Raises ValueError for a code that no such batch has."""
    name, fault = join_name(row["group"], row["name"]), NAMES.get(row["status"], "")
    if fault == "SUCCESS":
        return f"{name}: {success}"
    if fault in errors:
        return f"{name}: ERROR ({errors[fault]})"
    if fault == "FAILED":
        return str(row["description"])
    raise ValueError(f"Unknown result code {row['status']} for {name}")


def _tell_start(row: Row) -> str:
    if NAMES.get(row["status"]) == "FAILED":
        raise ValueError(f"Unknown result code {row['status']} for {join_name(row['group'], row['name'])}")
    return _result(row, STARTED, "started")


def _tell_stop(row: Row) -> str:
    return _result(row, SIGNALLED, "stopped")


def _tell_signal(row: Row) -> str:
    return _result(row, SIGNALLED, "signalled")


def _tell_clear(row: Row) -> str:
    return _result(row, CLEARED, "cleared")


def _show(shell: Shell, rows: list[Row], tell: Tell, ignored: str) -> None:
    for row in rows:
        shell.out(tell(row))
        shell.fail_for(row["status"], ignored)


def _one(shell: Shell, name: str, method: str, args: tuple[object, ...], tell: Tell, ignored: str) -> None:
    """One process by name: its fault is told like a row of a batch."""
    group, process = split_name(name)
    row = {"group": group, "name": process, "status": 80, "description": "OK"}
    try:
        shell.call(method, name, *args)
    except Fault as fault:
        row |= {"status": fault.code, "description": fault.text}
    _show(shell, [row], tell, ignored)


def _group(shell: Shell, name: str, args: tuple[object, ...], verb: tuple[str, Tell, str, int]) -> None:
    method, tell, ignored, status = verb
    group, _ = split_name(name)
    try:
        _show(shell, shell.call(f"{method}ProcessGroup", group, *args), tell, ignored)
    except Fault as fault:
        if fault.name != "BAD_NAME":
            shell.fail()
            raise
        shell.out(f"{group}: ERROR (no such group)")
        shell.fail(status)


def _each(shell: Shell, names: list[str], args: tuple[object, ...], verb: tuple[str, Tell, str, int]) -> None:
    """`all`, or one name after the other."""
    method, tell, ignored, _ = verb
    if "all" in names:
        _show(shell, shell.call(f"{method}AllProcesses", *args), tell, ignored)
        return
    for name in names:
        if split_name(name)[1] is None:
            _group(shell, name, args, verb)
        else:
            _one(shell, name, f"{method}Process", args, tell, ignored)


START = ("start", _tell_start, "ALREADY_STARTED", INVALID)
STOP = ("stop", _tell_stop, "NOT_RUNNING", 1)
SIGNAL = ("signal", _tell_signal, "", 1)
"""Beginning of the methods, how a row is told, the fault that is none, exit status for an unknown group."""


def needs(shell: Shell, what: str, action: str, status: int = 1) -> None:
    """Say what is missing, and show the help."""
    shell.out(f"Error: {action} requires {what}")
    shell.fail(status)
    shell.out(HELP[action])


def start(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    if not rest:
        needs(shell, "a process name", "start", INVALID)
        return
    _each(shell, rest.split(), (), START)


def stop(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    if not rest:
        needs(shell, "a process name", "stop")
        return
    _each(shell, rest.split(), (), STOP)


def restart(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    if not rest:
        needs(shell, "a process name", "restart")
        return
    stop(shell, rest)
    start(shell, rest)


def signal(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    words = rest.split()
    if len(words) < 2:
        needs(shell, "a signal name and a process name", "signal")
        return
    number, names = words[0], words[1:]
    if "all" in names:
        _show(shell, shell.call("signalAllProcesses", number), _tell_signal, "")
        return
    _each(shell, names, (number,), SIGNAL)


def clear(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    names = rest.split()
    if not names:
        needs(shell, "a process name", "clear")
    elif "all" in names:
        _show(shell, shell.call("clearAllProcessLogs"), _tell_clear, "")
    else:
        for name in names:
            _one(shell, name, "clearProcessLogs", (), _tell_clear, "")
