"""Methods that start, stop and signal processes, one by one and in batches."""

from __future__ import annotations

import signal

from initd.compat.rpc_initd import Initd, full_name, text
from initd.compat.rpc_method import Method
from initd.compat.rpc_words import FAULTS, RUNNING_STATES, SIGNALLABLE_STATES, Fault, split_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from initd.compat.rpc_initd import Row

SIGNALS = {int(getattr(signal, name)) for name in dir(signal) if name.startswith("SIG")}
"""Numbers that supervisord takes for signals."""


def signal_number(value: object) -> int:
    """A signal by number or name, as supervisord reads it.  Raises Fault BAD_SIGNAL."""
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        name = "SIG" + str(value).strip().upper().removeprefix("SIG")
        number = int(getattr(signal, name, -1)) if name.isascii() else -1
    if number not in SIGNALS:
        raise Fault("BAD_SIGNAL", value)
    return int(number)


def outcome(row: Row, fault: Fault | None = None) -> Row:
    """One row of a batch."""
    status, told = (FAULTS["SUCCESS"], "OK") if fault is None else (fault.code, fault.text)
    return {"name": row["name"], "group": row["group"], "status": status, "description": told}


def _fault_of(verdict: Row, name: str) -> Fault | None:
    """The fault in a row of `try`, in supervisord's words."""
    if verdict["outcome"] != "failed":
        return None
    extra = verdict["message"] if verdict["fault"] in ("NO_FILE", "NOT_EXECUTABLE", "FAILED") else name
    return Fault(verdict["fault"], extra)


# Starting


def start(initd: Initd, name: object, wait: object = True) -> object:
    initd.check_running()
    group, process = split_name(text(name))
    if process is None:
        return _start_batch(initd, initd.members(group, name), wait)
    row = initd.find(text(name))
    [verdict] = initd.command("try", [row], bool(wait))
    fault = _fault_of(verdict, text(name))
    if fault is not None:
        raise fault
    return True


def start_group(initd: Initd, name: object, wait: object = True) -> object:
    initd.check_running()
    return _start_batch(initd, initd.members(name), wait)


def start_all(initd: Initd, wait: object = True) -> object:
    initd.check_running()
    return _start_batch(initd, initd.by_priority(), wait)


def _start_batch(initd: Initd, rows: list[Row], wait: object) -> list[Row]:
    down = {full_name(row): row for row in rows if row["state"] not in RUNNING_STATES}
    verdicts = initd.command("try", list(down.values()), bool(wait))
    place = {name: number for number, name in enumerate(down)}
    verdicts.sort(key=lambda verdict: (verdict["outcome"] != "failed", verdict["order"], place[verdict["name"]]))
    return [outcome(down[one["name"]], _fault_of(one, one["name"])) for one in verdicts]


# Stopping


def stop(initd: Initd, name: object, wait: object = True) -> object:
    initd.check_running()
    group, process = split_name(text(name))
    if process is None:
        return _stop_batch(initd, initd.members(group, name), wait)
    row = initd.find(text(name))
    if row["state"] not in RUNNING_STATES:
        raise Fault("NOT_RUNNING", name)
    initd.command("stop", [row], bool(wait))
    return True


def stop_group(initd: Initd, name: object, wait: object = True) -> object:
    initd.check_running()
    return _stop_batch(initd, initd.members(name), wait)


def stop_all(initd: Initd, wait: object = True) -> object:
    initd.check_running()
    return _stop_batch(initd, initd.by_priority(), wait)


def _stop_batch(initd: Initd, rows: list[Row], wait: object) -> list[Row]:
    up = [row for row in rows if row["state"] in RUNNING_STATES]
    initd.command("stop", up, bool(wait))
    return [outcome(row) for row in up]


# Signals


def send(initd: Initd, name: object, signal: object) -> object:
    initd.check_running()
    group, process = split_name(text(name))
    if process is None:
        return _send_batch(initd, initd.members(group, name), signal)
    row = initd.find(text(name))
    number = signal_number(signal)
    if row["state"] not in SIGNALLABLE_STATES:
        raise Fault("NOT_RUNNING", name)
    _deliver(initd, row, number)
    return True


def _deliver(initd: Initd, row: Row, number: int) -> None:
    """Signal 0 only asks whether there is a process, which is known."""
    if number:
        initd.ask("signal", names=[full_name(row)], signal=number)


def send_group(initd: Initd, name: object, signal: object) -> object:
    initd.check_running()
    return _send_batch(initd, initd.members(name), signal)


def send_all(initd: Initd, signal: object) -> object:
    initd.check_running()
    return _send_batch(initd, initd.by_priority(), signal)


def _send_batch(initd: Initd, rows: Iterable[Row], signal: object) -> list[Row]:
    return [_sent(initd, row, signal) for row in rows if row["state"] in SIGNALLABLE_STATES]


def _sent(initd: Initd, row: Row, signal: object) -> Row:
    try:
        _deliver(initd, row, signal_number(signal))
    except Fault as fault:
        return outcome(row, fault)
    return outcome(row)


NAME = "string name a process, group:process or group:*"
GROUP = "string name a group"
WAIT_UP = "boolean wait whether to wait until it runs"
WAIT_DOWN = "boolean wait whether to wait until it is gone"
SIGNAL = "string signal a name such as HUP, or a number"
DONE, BATCH = "boolean result true", "array structs with name, group, status and description"

METHODS = {
    "startProcess": Method(start, DONE, "Start a process.", NAME, WAIT_UP, optional=1),
    "startProcessGroup": Method(start_group, BATCH, "Start what is down in a group.", GROUP, WAIT_UP, optional=1),
    "startAllProcesses": Method(start_all, BATCH, "Start all that is down.", WAIT_UP, optional=1),
    "stopProcess": Method(stop, DONE, "Stop a process.", NAME, WAIT_DOWN, optional=1),
    "stopProcessGroup": Method(stop_group, BATCH, "Stop what is up in a group.", GROUP, WAIT_DOWN, optional=1),
    "stopAllProcesses": Method(stop_all, BATCH, "Stop all that is up.", WAIT_DOWN, optional=1),
    "signalProcess": Method(send, DONE, "Send a signal to a process.", NAME, SIGNAL),
    "signalProcessGroup": Method(send_group, BATCH, "Send a signal to the processes of a group.", GROUP, SIGNAL),
    "signalAllProcesses": Method(send_all, BATCH, "Send a signal to every process.", SIGNAL),
}
