"""Programs for tests, with supervisord's defaults."""

from __future__ import annotations

from initd.config.records import Program

DEFAULTS: dict[str, object] = {
    "group": "",
    "name": "web",
    "program": "",
    "kind": "program",
    "number": 0,
    "command": "true",
    "argv": ("true",),
    "argv_error": "",
    "priority": 999,
    "group_priority": 999,
    "autostart": True,
    "autorestart": "unexpected",
    "startsecs": 1,
    "startretries": 3,
    "exitcodes": (0,),
    "stopsignal": 15,
    "stopwaitsecs": 10,
    "stopwaitsecs_given": False,
    "environment": (),
    "stdout_logfile": None,
    "stderr_logfile": None,
    "numprocs": 1,
    "numprocs_start": 0,
    "file": "test.conf",
    "line": 1,
}
SIZES = {"maxbytes": 0, "backups": 10}


def program(name: str = "web", **options: object) -> Program:
    """A Program called `name`, in a group of its own unless `group` says otherwise."""
    values: dict[str, object] = dict.fromkeys(Program._fields)
    for field in Program._fields:
        if field.endswith(("asgroup", "enabled", "syslog", "redirect_stderr")):
            values[field] = False
        elif field.endswith(("maxbytes", "backups")):
            values[field] = SIZES[field.rsplit("_", 1)[1]]
    values |= DEFAULTS | {"name": name, "group": name, "program": name} | options
    return Program(**values)
