"""Every option there is: section, name, type, default, and when its expansions are made.

One table for the reader, `initd check`, the manual and the example file (texts: initd.config.manual).  Types are named
in initd.config.values.  The stage says which names an option may use in %(name)s:

* SECTION: read once for a section: `ENV_*`, `here`, and in programs `program_name`, `group_name`, `host_node_name`.
* PROCESS: read for each process: these, `process_num`, `numprocs`, and ENV_ names of the program's own environment=.
* PLAIN: not read with the others (process_name and environment: later, for each process or once for the daemon).
"""

from __future__ import annotations

from initd.config.records import AUTO

SECTION, PROCESS, PLAIN = "section", "process", "plain"

TYPE_CHECKING = False
if TYPE_CHECKING:
    Fields = dict[str, tuple[str, object, str]]

MB = 1 << 20

PROGRAM: Fields = {
    "command": ("text", None, PROCESS),
    "process_name": ("name", "%(program_name)s", PLAIN),
    "numprocs": ("integer", 1, SECTION),
    "numprocs_start": ("integer", 0, SECTION),
    "priority": ("integer", 999, SECTION),
    "autostart": ("boolean", True, SECTION),
    "autorestart": ("autorestart", "unexpected", SECTION),
    "startsecs": ("integer", 1, SECTION),
    "startretries": ("integer", 3, SECTION),
    "exitcodes": ("exitcodes", (0,), SECTION),
    "stopsignal": ("signal", 15, SECTION),
    "stopwaitsecs": ("integer", 10, SECTION),
    "stopasgroup": ("boolean", False, SECTION),
    "killasgroup": ("boolean", None, SECTION),
    "user": ("user", None, SECTION),
    "directory": ("text", None, PROCESS),
    "umask": ("octal", None, SECTION),
    "environment": ("environment", (), PLAIN),
    "redirect_stderr": ("boolean", False, SECTION),
    "stdout_logfile": ("logfile", AUTO, PROCESS),
    "stdout_logfile_maxbytes": ("size", 50 * MB, PROCESS),
    "stdout_logfile_backups": ("integer", 10, PROCESS),
    "stdout_capture_maxbytes": ("size", 0, SECTION),
    "stdout_events_enabled": ("boolean", False, SECTION),
    "stdout_syslog": ("boolean", False, PROCESS),
    "stderr_logfile": ("logfile", AUTO, PROCESS),
    "stderr_logfile_maxbytes": ("size", 50 * MB, PROCESS),
    "stderr_logfile_backups": ("integer", 10, PROCESS),
    "stderr_capture_maxbytes": ("size", 0, SECTION),
    "stderr_events_enabled": ("boolean", False, SECTION),
    "stderr_syslog": ("boolean", False, PROCESS),
    "serverurl": ("serverurl", None, SECTION),
}

GROUP: Fields = {
    "programs": ("text", None, SECTION),
    "priority": ("integer", 999, SECTION),
}

DAEMON: Fields = {
    "logfile": ("path", "supervisord.log", SECTION),
    "logfile_maxbytes": ("size", 50 * MB, SECTION),
    "logfile_backups": ("integer", 10, SECTION),
    "loglevel": ("level", "info", SECTION),
    "pidfile": ("path", "supervisord.pid", SECTION),
    "umask": ("octal", 0o22, SECTION),
    "nodaemon": ("boolean", False, SECTION),
    "silent": ("boolean", False, SECTION),
    "minfds": ("integer", 1024, SECTION),
    "minprocs": ("integer", 200, SECTION),
    "nocleanup": ("boolean", False, SECTION),
    "childlogdir": ("directory", None, SECTION),
    "user": ("user", None, SECTION),
    "directory": ("directory", None, SECTION),
    "strip_ansi": ("boolean", False, SECTION),
    "environment": ("environment", (), PLAIN),
    "identifier": ("text", "supervisor", SECTION),
}

INITD: Fields = {
    "shutdown_budget": ("seconds", None, SECTION),
    "socket": ("file", None, SECTION),
    "socket_group": ("text", None, SECTION),
    "state_dir": ("file", None, SECTION),
    "remote": ("remote", "operate", SECTION),
    "join_file": ("file", None, SECTION),
    "name": ("text", None, SECTION),
    "metrics": ("listening", None, SECTION),
    "exit_code_from": ("name_of_process", None, SECTION),
    "exit_when_done": ("automatic", "auto", SECTION),
}
"""What [initd] has beyond the options of [supervisord]."""

LISTENER: Fields = {
    "events": ("text", None, SECTION),
    "buffer_size": ("integer", 10, SECTION),
    "result_handler": ("text", "supervisor.dispatchers:default_handler", SECTION),
}
FCGI: Fields = {
    "socket": ("text", None, SECTION),
    "socket_owner": ("text", None, SECTION),
    "socket_mode": ("octal", None, SECTION),
    "socket_backlog": ("integer", None, SECTION),
}
INCLUDE: Fields = {"files": ("text", None, SECTION)}
UNIX_SERVER: Fields = {
    "file": ("file", None, SECTION),
    "chmod": ("octal", 0o700, SECTION),
    "chown": ("text", None, SECTION),
    "username": ("text", None, SECTION),
    "password": ("text", None, SECTION),
}
INET_SERVER: Fields = {
    "port": ("text", None, SECTION),
    "username": ("text", None, SECTION),
    "password": ("text", None, SECTION),
}
CTL: Fields = {
    "serverurl": ("text", "http://localhost:9001", SECTION),
    "username": ("text", None, SECTION),
    "password": ("text", None, SECTION),
    "prompt": ("text", "supervisor", SECTION),
    "history_file": ("file", None, SECTION),
}
RPC: Fields = {"supervisor.rpcinterface_factory": ("text", None, SECTION)}
CTL_PLUGIN: Fields = {"supervisor.ctl_factory": ("text", None, SECTION)}
