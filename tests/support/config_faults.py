"""Everything supervisord refuses, by class: each fault puts one instance of its class into a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.support.configs import Builder, Part


class Fault(NamedTuple):
    """A class of refusals, and how to put one into what a builder has drawn."""

    name: str
    place: Callable[[Builder], None]


TEXTS: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "boolean": [
        ("program", "autostart", ("maybe", "2", "")),
        ("program", "stderr_syslog", ("y",)),
        ("supervisord", "nodaemon", ("t", "truee")),
    ],
    "integer": [
        ("program", "startsecs", ("1.5", "x", "")),
        ("program", "stdout_logfile_backups", ("1,", "ten")),
        ("supervisord", "minfds", ("1k", "0x10")),
        ("eventlistener", "buffer_size", ("x",)),
    ],
    "size": [
        ("program", "stdout_logfile_maxbytes", ("1m", "1.5MB", "KB")),
        ("program", "stderr_capture_maxbytes", ("x", "1TB")),
        ("supervisord", "logfile_maxbytes", ("", "1 k b")),
    ],
    "octal": [
        ("program", "umask", ("8", "rwx", "")),
        ("supervisord", "umask", ("09",)),
        ("unix_http_server", "chmod", ("888", "u+x")),
    ],
    "signal": [("program", "stopsignal", ("FOO", "65", "-1", "TERM,INT", "", "SIG"))],
    "exit codes": [("program", "exitcodes", ("256", "a", "1,", "-1", "0;2"))],
    "autorestart": [("program", "autorestart", ("always", "never", "maybe", ""))],
    "log level": [("supervisord", "loglevel", ("warning", "loud", "10"))],
    "user": [
        ("program", "user", ("nosuchuser", "54321", "root:root", "", "-7")),
        ("supervisord", "user", ("nosuchuser", "54321")),
        ("unix_http_server", "chown", ("nosuchuser", "root:nosuchgroup", "0:", ":0", ":", "", "0:0:0", "root:54321")),
    ],
    "directory": [
        ("supervisord", "directory", ("/no/such", "")),
        ("supervisord", "childlogdir", ("/no/such", "/dev/null")),
    ],
    "directory of a file": [
        ("program", "stdout_logfile", ("/no/such/x.log", "a/b.log", "/dev/null/x")),
        ("program", "stderr_logfile", ("~nobody2/x/y.log", "%(here)s/none/x")),
        ("supervisord", "logfile", ("/no/such/x.log",)),
        ("supervisord", "pidfile", ("/no/such/x.pid",)),
    ],
    "unknown name": [
        ("program", "command", ("%(nosuch)s", "%(Program_name)s", "%(ENV_UNSET)s")),
        ("program", "process_name", ("%(hostname)s",)),
        ("program", "stdout_logfile", ("/tmp/%(ENV_UNSET)s", "/tmp/%%(nosuch)s")),
        ("supervisord", "identifier", ("%(host_node_name)s",)),
        ("group", "priority", ("%(ENV_UNSET)s",)),
    ],
    "name of a process in an option of the section": [
        ("program", "startsecs", ("%(process_num)d",)),
        ("program", "numprocs_start", ("%(numprocs)d",)),
    ],
    "bare percent": [
        ("program", "command", ("date +%Y", "100%", "%", "%(here)", "%(process_num)q", "%(program_name)d")),
        ("program", "directory", ("/tmp/%",)),
        ("program", "stdout_logfile", ("/tmp/%%", "/tmp/%(ENV_PERCENT)s")),
        ("supervisord", "environment", ('A="50%%"',)),
    ],
    "environment": [
        ("program", "environment", ("A", "A=", "A=x@y", "A=1 B=2", "A=[1]", 'A="x', "=1", "A=b=c", "A=1,B",
            "A:1", "A=1\n B=2")),
        ("supervisord", "environment", ("$A", "A='", "A=~")),
    ],
    "process name": [("program", "process_name", ("a b", "a:b", "a/%(process_num)d", "%(program_name)s x"))],
    "missing files": [("include", "file", ("x",))],
    "expansion in include": [("include", "files", ("%(nosuch)s", "*.conf%", "%(program_name)s.conf"))],
    "events": [("eventlistener", "events", ("TICK_7", "", "PROCESS_STATE,", "TICK-5", "PROCESS_STATE_EXIT"))],
    "listener with redirected stderr": [("eventlistener", "redirect_stderr", ("true", "on"))],
    "buffer size": [("eventlistener", "buffer_size", ("0", "-1"))],
    "fcgi socket": [
        ("fcgi-program", "socket", ("", "http://x", "tcp://x", "unix://rel", "tcp://:80", "tcp://h:0",
            "tcp://h:99999", "x")),
    ],
    "fcgi socket options": [
        ("fcgi-program", "socket_backlog", ("0", "70000", "x")),
        ("fcgi-program", "socket_mode", ("9",)),
        ("fcgi-program", "socket_owner", ("nosuchuser", "root:nosuchgroup", "0:", "", ":root")),
    ],
    "address": [("inet_http_server", "port", ("0", "x", "host:", "70000", "a:b:c", ""))],
    "rpc interface": [("rpcinterface", "retries", ("%(here)s", "%"))],
}  # fmt: skip


def _bad_text(kind: str, option: str, texts: tuple[str, ...]) -> Callable[[Builder], None]:
    def place(build: Builder) -> None:
        part = a_part(build, kind)
        part.drop(option)
        part.put(option, build.pick(texts))
        if option == "process_name":
            part.drop("numprocs")

    return place


def a_part(build: Builder, kind: str) -> Part:
    """A section of that kind, made if there is none."""
    from tests.support.configs import NEEDED, Part

    for part in build.parts:
        if part.kind == kind:
            part.drop("numprocs")
            return part
    part = Part(kind, "" if kind.endswith("server") or kind in ("supervisord", "include") else "made")
    for option in NEEDED.get(kind, ()):
        part.put(option, build.text(kind, option))
    build.parts.append(part)
    return part


def _lacks(kind: str, option: str) -> Callable[[Builder], None]:
    return lambda build: a_part(build, kind).drop(option)


def _title(build: Builder) -> None:
    part = a_part(build, build.pick(("program", "eventlistener", "fcgi-program", "group")))
    part.header = part.kind + ":" + build.pick(("a b", "a:b", "a/b"))


def _numprocs(build: Builder) -> None:
    part = a_part(build, "program")
    part.drop("process_name")
    part.put("numprocs", build.pick(("2", "10", "%(ENV_NUM)s")))


def _contradiction(build: Builder) -> None:
    part = a_part(build, "program")
    part.put("stopasgroup", "true")
    part.put("killasgroup", "false")


def _stranger(build: Builder) -> None:
    part = a_part(build, "group")
    part.drop("programs")
    part.put("programs", build.pick(("nosuch", "web,", "web,,app", "web;app")))


def _two_meanings(build: Builder) -> None:
    fcgi = a_part(build, "fcgi-program")
    fcgi.header = "fcgi-program:web"
    a_part(build, "program").header = "program:web"
    group = a_part(build, "group")
    group.drop("programs")
    group.put("programs", "web")


def _owner_of_tcp(build: Builder) -> None:
    part = a_part(build, "fcgi-program")
    part.drop("socket")
    part.put("socket", "tcp://127.0.0.1:9000")
    part.put(build.pick(("socket_owner", "socket_mode")), "0")


def _half_credentials(build: Builder) -> None:
    part = a_part(build, build.pick(("unix_http_server", "inet_http_server")))
    part.drop("username")
    part.drop("password")
    part.put(build.pick(("username", "password")), "x")


def _no_supervisord(build: Builder) -> None:
    build.parts = [part for part in build.parts if part.kind != "supervisord"]


def _bare_word(build: Builder) -> None:
    part = build.parts[build.number(len(build.parts))]
    part.header += "]\n" + build.pick(("word", "= value", ": x", "two words", "[", "[]")) + "\n[" + part.header


def _before_any_section(build: Builder) -> None:
    build.parts[0].before = build.pick(("\ufeff", "a=b\n", "\ufeff; x\n", "word\n", "[x\n"))


def _not_text(build: Builder) -> None:
    a_part(build, "program").put("command", "caf\udce9")


FAULTS = [
    *(Fault(f"bad {name}", _bad_text(*one)) for name, several in TEXTS.items() for one in several),
    Fault("no command", _lacks("program", "command")),
    Fault("no events", _lacks("eventlistener", "events")),
    Fault("no socket", _lacks("fcgi-program", "socket")),
    Fault("no file", _lacks("unix_http_server", "file")),
    Fault("no port", _lacks("inet_http_server", "port")),
    Fault("no factory", _lacks("rpcinterface", "supervisor.rpcinterface_factory")),
    Fault("bad title", _title),
    Fault("numprocs without process_num", _numprocs),
    Fault("stopasgroup without killasgroup", _contradiction),
    Fault("group with a stranger", _stranger),
    Fault("group with two meanings", _two_meanings),
    Fault("owner of a tcp socket", _owner_of_tcp),
    Fault("half credentials", _half_credentials),
    Fault("no supervisord section", _no_supervisord),
    Fault("bare word", _bare_word),
    Fault("text before any section", _before_any_section),
    Fault("not text", _not_text),
]
