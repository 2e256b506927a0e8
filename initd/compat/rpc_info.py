"""Methods that tell: of the daemon, of processes, of their configuration."""

from __future__ import annotations

import time

from initd.compat.rpc_initd import Initd
from initd.compat.rpc_method import Method
from initd.compat.rpc_words import API_VERSION, CODES, VERSION
from initd.users import uid_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.compat.rpc_initd import Row

MOST = 2**31 - 1
"""Largest int of XML-RPC."""


def api_version(initd: Initd) -> str:
    initd.check_running()
    return API_VERSION


def supervisor_version(initd: Initd) -> str:
    initd.check_running()
    return VERSION


def identification(initd: Initd) -> object:
    return initd.check_running()["identifier"]


def state(initd: Initd) -> object:
    initd.check_running()
    return {"statecode": 1, "statename": "RUNNING"}


def pid(initd: Initd) -> object:
    return initd.check_running()["pid"]


def all_info(initd: Initd) -> object:
    initd.check_running()
    rows = sorted(initd.everything(), key=lambda row: (row["group"], row["name"]))
    return [info(row, time.time()) for row in rows]


def one_info(initd: Initd, name: object) -> object:
    initd.check_running()
    return info(initd.ask_by_name(name, "details")[0], time.time())


def info(row: Row, now: float) -> Row:
    """What getProcessInfo tells of a row of `details`."""
    found: Row = {
        "name": row["name"],
        "group": row["group"],
        "start": _capped(row["start"]),
        "stop": _capped(row["stop"]),
        "now": _capped(now),
        "state": CODES[row["state"]],
        "statename": row["state"],
        "spawnerr": row["spawnerr"],
        "exitstatus": row["exitstatus"],
        "logfile": row["stdout_logfile"],
        "stdout_logfile": row["stdout_logfile"],
        "stderr_logfile": row["stderr_logfile"],
        "pid": row["pid"],
    }
    return {**found, "description": description(found)}


def description(row: Row) -> str:
    """The right-hand column of `supervisorctl status`."""
    name = row["statename"]
    if name == "RUNNING":
        return f"pid {row['pid']}, uptime {span(max(0, row['now'] - row['start']))}"
    if name in ("FATAL", "BACKOFF"):
        return row["spawnerr"] or f'unknown error (try "tail {row["name"]}")'
    if name in ("STOPPED", "EXITED"):
        return time.strftime("%b %d %I:%M %p", time.localtime(row["stop"])) if row["start"] else "Not started"
    return ""


def span(seconds: int) -> str:
    """`0:00:07`, `1 day, 2:03:04`, `3 days, 0:00:00`: as datetime.timedelta writes it."""
    days, left = divmod(seconds, 86400)
    clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
    return f"{days} day{'' if days == 1 else 's'}, {clock}" if days else clock


def _capped(value: float) -> int:
    return max(-MOST - 1, min(MOST, int(value)))


def all_settings(initd: Initd) -> object:
    initd.check_running()
    return sorted(map(settings, initd.pages("settings")), key=lambda row: row["name"])


def settings(row: Row) -> Row:
    """What getAllConfigInfo tells of a row of `settings`: words for what XML-RPC has no value for."""
    user = row.pop("user")
    row["uid"] = None if user is None else uid_of(user)
    for stream in ("stdout_logfile", "stderr_logfile"):
        row[stream] = "auto" if row[stream] == "AUTO" else row[stream]
    return {name: "none" if value is None else value for name, value in row.items()}


METHODS = {
    "getAPIVersion": Method(api_version, "string version", "The version of this API."),
    "getVersion": Method(api_version, "string version", "The version of this API; the name of old."),
    "getSupervisorVersion": Method(
        supervisor_version, "string version", "The version of supervisor that the daemon answers as."
    ),
    "getIdentification": Method(identification, "string identifier", "The identifier that the configuration sets."),
    "getState": Method(state, "struct statecode and statename", "The state of the daemon."),
    "getPID": Method(pid, "int pid", "The daemon's process id."),
    "getAllProcessInfo": Method(all_info, "array structs as of getProcessInfo", "What is known of every process."),
    "getProcessInfo": Method(
        one_info, "struct values by name", "What is known of one process.", "string name a process or group:process"
    ),
    "getAllConfigInfo": Method(all_settings, "array structs, one a process", "The options of every process."),
}
