"""The sentences of the manual, by section and option; see initd.config.manual."""

from __future__ import annotations

BEFORE = """
# Configuration

initd reads the files of supervisord 4.3.0 as they are, with the same result: comments, continuation lines, quotes,
repeated sections, expansions, includes. What supervisord refuses is refused here, all problems at once, each as
`file:line: what is wrong and what to write`. What supervisord passes over in silence gives a warning.

    initd check -c FILE        every problem and doubt, then what it would start; exit status 2 for a bad file
    initd explain -c FILE      every process with its options, what each exit would do, how it is stopped

A complete file for one program:

    [initd]
    [program:web]
    command=nginx -g "daemon off;"

This page is generated from the table that the reader itself uses (`python -m initd.config.manual markdown`).

## How a file is read

- `option = value` or `option: value`; option names in any case, section names as written. The last
  of two values counts.
- A comment begins with `;` or `#` at the start of a line, or after a blank anywhere in it, *even inside quotes*.
- A line indented deeper than its option continues the value.
- `[DEFAULT]` gives its options to every section.
- `%(name)s` is replaced, printf style; a percent sign is written `%%` (in `stdout_logfile` and
  `stderr_logfile`: `%%%%`).

Names that options may use:

- everywhere: `%(ENV_X)s`, variable X of initd's environment or of `[supervisord] environment`, or
  `%(ENV_X:-text)s`, which is `text` where X is not set or empty (supervisord refuses that form); and `%(here)s`, the
  directory of the file (not in `[rpcinterface:x]`, and of the servers' options only in `file`);
- in sections of programs: `%(program_name)s`, `%(group_name)s`, `%(host_node_name)s`;
- in options read for each process: `%(process_num)d`, `%(numprocs)d`, and `%(ENV_X)s` for variables of the program's
  own `environment`.
"""

TOPICAL = (
    "All of them work in an existing file. Written in `[initd]` they are the default of every program; a program's "
    "own value comes first, and one that does not suit a program, as `set_home` without `user`, does not apply to it. "
    "Names in `%(...)s` are those of options read for each process."
)

AFTER = """
## What differs from supervisord

- `AUTO` log files go to the container's own stdout and stderr, and into the ring behind `initd tail`; with
  `childlogdir` set they are files, as with supervisord.
- `/dev/stdout`, `/dev/stderr`, `/dev/fd/N` and their like in /proc are the container's streams, whatever their
  `maxbytes` says.
- While nothing listens at /dev/log, what is meant for syslog goes to the container's stream of the same name.
- PID 1 never leaves the foreground, whatever `nodaemon` says, nor does `initd`; called as `supervisord` it does, as the
  original, where it is not PID 1. `silent` has no effect.
- The activity log is written to a file only if `logfile` is set; its lines always go to the container's stderr.
- The servers answer XML-RPC and logs; their web page is a text without buttons.
- A missing directory of a log or of the pidfile is made, or said; it does not keep initd from starting.
- `user` may be a number that /etc/passwd does not know: the program then keeps initd's group and has no other, as with
  `docker run --user`.
- `initd` as PID 1 stops everything within one budget (`shutdown_budget`); `initd check` prints what the runtime must
  allow.
- A program that ends is restarted at once, not up to a second later. One with `startsecs=0` that keeps ending within a
  second is, after five times, restarted once a second.
- A program that cannot be started (FATAL) leaves the others running, as with supervisord.
- The section `[initd]` may take the place of `[supervisord]`.

## Signals to initd

| Signal | Meaning |
|---|---|
| TERM, INT, QUIT, RTMIN+3 | stop everything and leave with status 0; a second one: kill at once |
| HUP | stop all programs, read the file again, start them; a file with errors changes nothing |
| USR2 | open all log files again by name, after a tool has moved them |

Other signals mean nothing to PID 1. Where the image's own STOPSIGNAL is such a one (WINCH in Apache's images, USR1 in
haproxy's), `docker stop` would wait in vain: write `STOPSIGNAL SIGTERM` into the Dockerfile.

HUP takes over programs, groups, `logfile`, `loglevel`, `shutdown_budget` and `remote`. What initd settles once at its
start stays as it was until the container restarts: the control socket, how to join a fleet, `user`, `pidfile`,
`minfds`, `minprocs`, `childlogdir` and `identifier`.
"""

STREAM = {
    "logfile": "where {0} goes: `AUTO` the container's {0}, `NONE` only the ring behind `initd tail`, else a file",
    "logfile_maxbytes": "size at which the file is rotated; 0 never",
    "logfile_backups": "how many rotated files `.1` ... are kept; 0 empties the file instead",
    "capture_maxbytes": "how much is kept of what stands between `<!--XSUPERVISOR:BEGIN-->` and "
    "`<!--XSUPERVISOR:END-->`, to be told to event listeners; 0: the tokens mean nothing",
    "events_enabled": "tell event listeners what it writes",
    "syslog": "{0} goes to the syslog daemon at /dev/log, line by line; while there is none, to the container's {0}",
}

PROGRAM = {
    "": "One program; `numprocs` of it run. A program that no `[group:x]` lists is a group of its own.",
    "command": "program and arguments; required; split at blanks, quotes keep words together, no shell reads it",
    "process_name": "name of each process; needs `%(process_num)` if there are several",
    "numprocs": "how many processes",
    "numprocs_start": "`process_num` of the first",
    "priority": "order of start, lowest first, and of stop, highest first",
    "autostart": "start with initd",
    "autorestart": "restart when it ends: always, never, or after an exit that is not in `exitcodes`",
    "startsecs": "seconds it must run to count as started; 0: at once",
    "startretries": "how often a failed start is tried again, with pauses of 1, 2, 3 ... seconds, before FATAL",
    "exitcodes": "exit statuses that are expected",
    "stopsignal": "signal that asks it to end",
    "stopwaitsecs": "seconds until SIGKILL follows",
    "stopasgroup": "send the stop signal to its whole process group; implies `killasgroup`",
    "killasgroup": "send SIGKILL to its whole process group; default: as `stopasgroup`",
    "user": "user to run as, by name or number; HOME and USER stay as they are",
    "directory": "working directory",
    "umask": "permission bits new files do not get; default: as initd's",
    "environment": "variables added to initd's own; put values in quotes",
    "redirect_stderr": "send stderr where stdout goes",
    "serverurl": "value of SUPERVISOR_SERVER_URL for the program",
}

DAEMON = {
    "": "The daemon itself. Every option here may also stand in `[initd]`, whose value then counts.",
    "logfile": "file for what initd says, beside the container's stderr; only if it is set and no stream",
    "logfile_maxbytes": "size at which that file is rotated; 0 never",
    "logfile_backups": "how many rotated files are kept; 0 empties the file instead",
    "loglevel": "how much initd says",
    "pidfile": "file that holds initd's pid while it runs; where the default cannot be written, there is none",
    "umask": "umask where `supervisord` leaves the foreground; elsewhere initd keeps the one it was given",
    "nodaemon": "stay in the foreground when called as `supervisord`; PID 1 and `initd` always do",
    "silent": "accepted, without effect: initd's own lines go to stderr only",
    "minfds": "least number of open files; the limit is raised to it if need be",
    "minprocs": "least number of processes; the limit is raised to it if need be",
    "nocleanup": "keep the `AUTO` log files that an earlier run left in `childlogdir`",
    "childlogdir": "directory for `AUTO` log files; default: none, they go to the container's streams",
    "user": "user initd itself becomes, if it starts as root",
    "directory": "where `supervisord` goes when it leaves the foreground",
    "strip_ansi": "take escape sequences out of what programs write",
    "environment": "variables for every program",
    "identifier": "part of the names of `AUTO` log files, and the name that event listeners and clients are told",
}

INITD = {
    "": "What supervisord does not know. Besides these, every option of `[supervisord]`.",
    "shutdown_budget": "seconds the whole stop may take; default: PIDONE_STOP_BUDGET, else 9; where the `stopwaitsecs` "
    "that the file sets need more, all waits with their post_stop, level by level, plus 1",
    "socket": "path of the control socket; default: /run/initd/control.sock, or where initd may write",
    "socket_group": "group whose members may use the control socket",
    "state_dir": "directory for what must outlive the container; the key, and facts not yet delivered",
    "metrics": "serve OpenMetrics text at http://ADDR/metrics, from a child process of initd's",
    "remote": "what the hub may do here; `observe`: look, `operate`: also start, stop and signal",
    "join_file": "file with the join string that admits this container to a fleet",
    "name": "name of this container in the fleet; default: the container's, then the host's name",
    "exit_code_from": "program whose exit status the container leaves with; it is essential unless its own `on_exit` "
    "and `on_fatal` say otherwise",
    "exit_when_done": "leave when nothing runs or will run by itself any more; `auto`: if all programs with autostart "
    "are `type=oneshot` without a schedule",
}

OTHERS = {
    ("group:NAME", ""): "Programs that start and stop together; their processes are named `group:process`.",
    ("group:NAME", "programs"): "names of the programs, with commas between",
    ("group:NAME", "priority"): "order among the groups",
    ("include", ""): "More files, read after the main one. Only in the main file.",
    ("include", "files"): "paths with `*`, `?`, `[...]`, blanks between, relative to the file; sorted by name",
    ("eventlistener:NAME", ""): "A program that reads events on stdin and answers on stdout; all options of a program.",
    ("eventlistener:NAME", "events"): "event types, with commas between; required",
    ("eventlistener:NAME", "buffer_size"): "how many events wait",
    ("eventlistener:NAME", "result_handler"): "the default accepts the result `OK` alone, any other all results",
    ("fcgi-program:NAME", ""): "Programs that share a listening socket as descriptor 0; all options of a program.",
    ("fcgi-program:NAME", "socket"): "`unix:///path` or `tcp://host:port`; required",
    ("fcgi-program:NAME", "socket_owner"): "owner of the unix socket, `user` or `user:group`",
    ("fcgi-program:NAME", "socket_mode"): "permission bits of the unix socket",
    ("fcgi-program:NAME", "socket_backlog"): "connections that wait, 1 to 65535",
    ("unix_http_server", ""): "supervisor's XML-RPC API on a unix socket, served by a child process of initd's.",
    ("unix_http_server", "file"): "path of the socket; required",
    ("unix_http_server", "chmod"): "permission bits of the socket",
    ("unix_http_server", "chown"): "owner of the socket, `user` or `user:group`",
    ("inet_http_server", ""): "The same API on a TCP port; without a password whoever reaches it controls the "
    "programs.",
    ("inet_http_server", "port"): "`host:port`, `*:port` or `port`; required",
    ("supervisorctl", ""): "For supervisorctl; initd reads nothing of it.",
    ("supervisorctl", "serverurl"): "where supervisord listens",
    ("supervisorctl", "prompt"): "prompt of supervisorctl",
    ("supervisorctl", "history_file"): "file for its history of commands",
    ("rpcinterface:NAME", ""): "Python plugins of supervisord: accepted, not loaded.",
    ("rpcinterface:NAME", "supervisor.rpcinterface_factory"): "a Python function; required",
    ("ctlplugin:NAME", ""): "Python plugins of supervisorctl: accepted, not loaded.",
    ("ctlplugin:NAME", "supervisor.ctl_factory"): "a Python function",
}
USERNAME, PASSWORD = "user name; with `password` or not at all", "password; with `username` or not at all"

TEXTS: dict[tuple[str, str], str] = {
    **{("program:NAME", name): text for name, text in PROGRAM.items()},
    **{
        ("program:NAME", f"{stream}_{name}"): text.format(stream)
        for stream in ("stdout", "stderr")
        for name, text in STREAM.items()
    },
    **{("supervisord", name): text for name, text in DAEMON.items()},
    **{("initd", name): text for name, text in INITD.items()},
    **OTHERS,
    **{(section, "username"): USERNAME for section in ("unix_http_server", "inet_http_server", "supervisorctl")},
    **{(section, "password"): PASSWORD for section in ("unix_http_server", "inet_http_server", "supervisorctl")},
}
