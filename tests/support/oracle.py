"""supervisor 4.3.0's own parser, in-process, and one plain form for what it and initd.config read."""

from __future__ import annotations

import os
import shlex
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from supervisor.datatypes import Automatic, RestartUnconditionally, RestartWhenExitUnexpected, name_to_gid, name_to_uid
from supervisor.options import EventListenerPoolConfig, FastCGIGroupConfig, ServerOptions

from initd.config import load
from initd.config.fields import DAEMON as FIELDS
from initd.config.fields import PROGRAM
from initd.config.ini import comment_start, first_mark
from initd.config.records import Loaded, Program
from tests.support.configs import Case

Plain = dict[str, Any]

ELSEWHERE = ("process_name", "numprocs", "numprocs_start", "user", "environment", "autorestart", "exitcodes")
"""Options of a program that stand otherwise in supervisor's ProcessConfig, and are compared one by one."""

SAME = [name for name in PROGRAM if name not in (*ELSEWHERE, "stdout_logfile", "stderr_logfile")]
DAEMON = [name for name in FIELDS if name not in ("environment", "loglevel", "childlogdir")]
RESTARTS = {RestartUnconditionally: "true", RestartWhenExitUnexpected: "unexpected", False: "false"}
LEVELS = {50: "critical", 40: "error", 30: "warn", 20: "info", 10: "debug", 5: "trace", 3: "blather"}


class Refused(Exception):
    """supervisord does not accept the file; the text is its message."""


def parse(path: str, environ: dict[str, str]) -> Plain:
    """What supervisord makes of a file.  Raises Refused."""
    options = ServerOptions()
    options.environ_expansions = {"ENV_" + name: value for name, value in environ.items()}
    options.import_spec = lambda spec: spec  # plugins are not installed here, and none is run
    options.configfile = path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options.here = os.path.abspath(os.path.dirname(path))
            section = options.read_config(path)
            if section.user is not None:
                name_to_uid(section.user)
    except Exception as refusal:  # ValueError with its message; any other is a traceback of the daemon
        raise Refused(f"{type(refusal).__name__}: {refusal}") from refusal
    return {
        "groups": _first_of_each_name([_group(group) for group in section.process_group_configs]),
        "daemon": _daemon(section),
        "servers": [_server(config) for config in section.server_configs],
    }


def _group(group: Any) -> Plain:
    kind, settings = "program", {}
    if isinstance(group, EventListenerPoolConfig):
        events = sorted(_event_name(event) for event in group.pool_events)
        settings = {"events": events, "buffer_size": group.buffer_size, "result_handler": group.result_handler}
        kind = "eventlistener"
    elif isinstance(group, FastCGIGroupConfig):
        settings = {"socket": group.socket_config.url, "socket_backlog": group.socket_config.get_backlog()}
        kind = "fcgi-program"
    processes = {process.name: _process(process) for process in group.process_configs}
    return {
        "name": group.name,
        "priority": group.priority,
        "kind": kind,
        "settings": settings,
        "processes": list(processes.values()),
    }


def _event_name(event: type) -> str:
    from supervisor.events import getEventNameByType

    return str(getEventNameByType(event))


def _first_of_each_name(groups: list[Plain]) -> list[Plain]:
    """supervisord's own start drops a group whose name is taken."""
    kept: dict[str, Plain] = {}
    for group in groups:
        kept.setdefault(group["name"], group)
    return list(kept.values())


def _process(process: Any) -> Plain:
    plain = {name: getattr(process, name) for name in SAME}
    try:
        argv = tuple(shlex.split(process.command))
    except ValueError:
        argv = ()
    return plain | {
        "name": process.name,
        "uid": process.uid,
        "stopsignal": int(process.stopsignal),
        "argv": argv,
        "autorestart": RESTARTS[process.autorestart],
        "exitcodes": tuple(process.exitcodes),
        "environment": list(process.environment.items()),
        "stdout_logfile": _logfile(process.stdout_logfile),
        "stderr_logfile": _logfile(process.stderr_logfile),
    }


def _logfile(name: Any) -> str | None:
    return "AUTO" if name is Automatic else name or None


def _daemon(section: Any) -> Plain:
    plain = {name: getattr(section, name) for name in DAEMON}
    return plain | {"loglevel": LEVELS[section.loglevel], "environment": list(section.environment.items())}


def _server(config: Any) -> Plain:
    unix = config["family"] == socket.AF_UNIX
    address = config["file"] if unix else f"{config['host']}:{config['port']}"
    plain = {"section": config["section"], "address": address, "chmod": config.get("chmod")}
    return plain | {"username": config["username"], "password": config["password"]}


def uid_as_supervisord(name: str) -> int | None:
    """name_to_uid of supervisord, None where it refuses: a number needs a passwd entry too."""
    try:
        return int(name_to_uid(name))
    except (ValueError, OverflowError):
        return None


def gid_as_supervisord(name: str) -> int | None:
    """name_to_gid of supervisord, None where it refuses."""
    try:
        return int(name_to_gid(name))
    except (ValueError, OverflowError):
        return None


def ours(path: str, environ: dict[str, str]) -> Loaded:
    """What initd reads, asked as strictly as supervisord asks."""
    return load(path, environ, users=uid_as_supervisord, directories=os.path.isdir, groups=gid_as_supervisord)


def plain(loaded: Loaded) -> Plain:
    """Our reading in the same form."""
    assert loaded.config is not None
    config = loaded.config
    members: dict[str, list[Plain]] = {}
    for program in config.programs:
        members.setdefault(program.group, []).append(_program(program))
    daemon = {name: getattr(config.daemon, name) for name in (*DAEMON, "loglevel")}
    return {
        "groups": [
            {
                "name": group.name,
                "priority": group.priority,
                "kind": "program" if group.kind == "group" else group.kind,
                "settings": _settings(dict(group.settings)),
                "processes": members.get(group.name, []),
            }
            for group in config.groups
        ],
        "daemon": daemon | {"environment": list(config.daemon.environment)},
        "servers": [{key: getattr(server, key) for key in SERVER} for server in config.servers],
    }


SERVER = ("section", "address", "chmod", "username", "password")


def _settings(settings: Plain) -> Plain:
    if "events" in settings:
        return settings | {"events": list(settings["events"])}
    if "socket" in settings:
        url = settings["socket"]
        if url.startswith("unix://"):
            url = "unix://" + os.path.normpath(url.removeprefix("unix://"))
        return {"socket": url, "socket_backlog": settings["socket_backlog"]}
    return settings


def _program(program: Program) -> Plain:
    names = (*SAME, "name", "argv", "autorestart", "exitcodes", "stdout_logfile", "stderr_logfile")
    found = {name: getattr(program, name) for name in names}
    uid = None if program.user is None else uid_as_supervisord(program.user)
    return found | {"uid": uid, "environment": list(program.environment)}


class Verdict(NamedTuple):
    """What two readings of a file came to."""

    accepted: bool
    """By supervisord."""
    difference: str | None
    """The first thing that initd reads differently; None where they agree."""


def judge(path: str, environ: dict[str, str]) -> Verdict:
    """Read a file twice.  Python 3.13 has another rule for where a comment begins; initd keeps the older."""
    verdict = _judge(path, environ)
    excused = verdict.difference and sys.version_info >= (3, 13) and _doubtful(path)
    return Verdict(verdict.accepted, None) if excused else verdict


def _judge(path: str, environ: dict[str, str]) -> Verdict:
    loaded = ours(path, environ)
    try:
        theirs = parse(path, environ)
    except Refused as refusal:
        return Verdict(False, None if loaded.errors else f"supervisord refuses it, initd does not: {refusal}")
    if loaded.errors:
        return Verdict(True, f"initd refuses it, supervisord does not: {loaded.errors[0]}")
    return Verdict(True, _first_difference("", theirs, plain(loaded)))


def difference(path: str, environ: dict[str, str]) -> str | None:
    """What initd and supervisord read differently in a file; None where they agree."""
    return judge(path, environ).difference


def _doubtful(path: str) -> bool:
    folder = Path(path).parent
    texts = [file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()]
    return any(comment_start(line) != first_mark(line) for text in texts for line in text.split("\n"))


def try_case(case: Case) -> Verdict:
    """`judge` for a generated case, in a directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return judge(case.write(Path(folder)), case.environ)


def compare(case: Case) -> str | None:
    """`difference` for a generated case."""
    return try_case(case).difference


def smallest(case: Case, wrong: Callable[[Case], object]) -> Case:
    """The case without every line that it can lose and still be wrong."""
    for name in list(case.files):
        at = 0
        while at < len(case.files[name].split("\n")):
            lines = case.files[name].split("\n")
            shorter = case._replace(files={**case.files, name: "\n".join(lines[:at] + lines[at + 1 :])})
            if wrong(shorter):
                case = shorter
            else:
                at += 1
    return case


def _first_difference(where: str, theirs: Any, mine: Any) -> str | None:
    if isinstance(theirs, dict) and isinstance(mine, dict) and theirs.keys() == mine.keys():
        parts = [(f"{where}.{key}", theirs[key], mine[key]) for key in theirs]
    elif isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
        parts = [(f"{where}[{at}]", one, other) for at, (one, other) in enumerate(zip(theirs, mine, strict=True))]
    elif type(theirs) is type(mine) and theirs == mine:
        return None
    else:
        return f"{where.lstrip('.')}: supervisord {theirs!r}, initd {mine!r}"
    return next((found for part in parts if (found := _first_difference(*part))), None)
