"""Warnings: every silent trap of supervisord is said, with its line and its cure, and good files get none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from initd.config.advice import advise, kind_of
from initd.config.records import Loaded

Told = Callable[..., list[str]]
X = "[program:x]\n"

NAMES = [
    ("minfd=5\n", "2: minfd is ignored: [supervisord] has no such option; did you mean minfds?"),
    (X + "command=x\nunmask=022\n", "4: unmask is ignored: [program:x] has no such option; did you mean umask?"),
    (X + "command=x\npidfile=/x\n", "4: pidfile is ignored: it belongs into [supervisord]"),
    ("stdout_logfile=/x\n", "2: stdout_logfile is ignored: it belongs into [program:x]"),
    (X + "command=x\nwait_for=y\n", "4: wait_for is ignored: [program:x] has no such option; take it out"),
    ("[Program:x]\ncommand=x\n", "2: [Program:x] is ignored: write [program:x]"),
    ("[ program:x ]\ncommand=x\n", "2: [ program:x ] is ignored: write [program:x]"),
    ("[program]\ncommand=x\n", "2: [program] is ignored: write [program:NAME]"),
    ("[superviserd]\nx=1\n", "2: [superviserd] is ignored: write [supervisord]"),
    ("[unrelated]\nx=1\n", "2: [unrelated] is ignored: neither supervisord nor initd reads such a section"),
    ("[program:x\ncommand=x\n", "2: [program is ignored: it looks like a section header without its closing ]"),
    ("[DEFAULT]\nautostrat=1\n", "3: autostrat is ignored: [DEFAULT] has no such option; did you mean autostart?"),
]
READING = [
    (X + "command=a\ncommand=b\n", "4: command of [program:x] was set at "),
    (X + "command=a\n[program:x]\nstartsecs=1\n", "4: [program:x] was begun at "),
    (X + 'command=sh -c "a ; b"\n', "3: a blank and ; or # begin a comment even inside quotes"),
    (X + "command=sh -c 'a;b ;c #d'\n", "3: read as "),
    (X + "command=x\n  autostart=false\n", "4: autostart is indented deeper than command above"),
    (X + "command=x\n [program:y]\n", "4: [program:y] is indented deeper than command above"),
    (X + "command=a\n[program:y]\ncommand=y\n[group:x]\nprograms=y\n", "2: there is another group 'x'"),
    (
        "[program:a]\ncommand=a\nprocess_name=p\n[program:b]\ncommand=b\nprocess_name=p\n[group:g]\nprograms=a,b\n",
        "2: group 'g' has two processes named 'p'",
    ),
    (
        "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\n[group:g]\nprograms=f\n",
        "6: [fcgi-program:f] in [group:g] starts without its socket",
    ),
]
TRAPS = [
    (X + "command='open\n", "3: command: a ' is never closed; the program cannot start (FATAL)"),
    (X + "command=\n", "3: command: the command is empty; the program cannot start (FATAL)"),
    (X + "command=\"nginx -g 'x'\"\n", "3: command: the quotes make it one word"),
    (X + "command=a && b\n", "3: command: '&&' goes to the program as it is"),
    (X + "command=echo $HOME\n", "3: command: '$HOME' goes to the program as it is"),
    (X + "command=ls ~/x\n", "3: command: '~/x' goes to the program as it is"),
    (X + "command=ls /tmp/*.log\n", "3: command: '/tmp/*.log' goes to the program as it is"),
    (X + "command=date +%s\n", "3: command: '%s' becomes a list of all variables"),
    (X + "command=x\nprocess_name=$(program_name)s\n", "4: process_name: $(...)s is plain text"),
    (X + "command=x\nstdout_logfile=/tmp/%%(program_name)s\n", "4: stdout_logfile is expanded twice: write %%%%"),
    (X + "command=x\nstdout_logfile=/dev/stdout\n", "4: stdout_logfile=/dev/stdout: write stdout_logfile_maxbytes=0"),
    (X + "command=x\nredirect_stderr=1\nstderr_logfile=/x\n", "5: stderr_logfile is ignored"),
    (X + "command=x\nstdout_logfile=syslog\n", "4: stdout_logfile: while nothing listens at /dev/log"),
    (X + "command=x\nstderr_syslog=true\n", "4: stderr_syslog: while nothing listens at /dev/log"),
    (X + "command=x\nuser=nobody\n", "4: user=nobody does not change HOME and USER"),
    (X + "command=x\nenvironment=A=a b\n", "4: environment: A is cut to 'a' before 'b'"),
    (X + "command=x\nenvironment=A=$H\n", "4: environment: A is cut to '$' before 'H'"),
    (X + "command=x\nenvironment=A=50%%\n", "4: environment: A is cut to '50' before '%'"),
    (X + 'command=x\nenvironment=A="1". B=2\n', "4: environment: A is cut to '1' before '.'"),
    (X + "command=x\nenvironment=A=a#b\n", "4: environment: a # outside quotes"),
    (X + 'command=x\nenvironment="A"=1\n', "4: environment: the quotes are part of the name"),
    (X + "numprocs=0\n", "3: numprocs=0 starts no process"),
    (
        X + "command=x\npriority=1\n[group:g]\nprograms=x\n",
        "4: priority of a program in [group:g] orders only the stop",
    ),
    (X + "command=x\n[group:g]\nprograms=x\n[group:h]\nprograms=x\n", "7: [group:g] lists x too: it runs in both"),
    ("childlogdir=/tmp\n" + X + "command=x\nstdout_logfile_maxbytes=0\n", "3: stdout_logfile_maxbytes=0 lets the file"),
    ("[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\n", "2: [rpcinterface:x] is not loaded"),
]


@pytest.mark.parametrize(("text", "start"), NAMES + READING + TRAPS)
def test_a_trap_gives_a_warning_with_its_line(warnings: Told, text: str, start: str) -> None:
    found = warnings(text)
    assert [one for one in found if one.startswith(start)], found


@pytest.mark.parametrize(
    "text",
    [
        "",
        X + "command=nginx -g 'daemon off;'\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n",
        X + 'command=sh -c "a && b; echo $HOME *"\n',
        X + "command=/bin/bash -c 'x | y'\nuser=root\n",
        X + 'command=x\nuser=app\nenvironment=HOME="/app",USER="app"\n',
        X + "command=date +%%s --price 5$\n",
        X + "command=x ; a comment\n; it's a comment\n",
        X + "command=x\nenvironment=A=\"a b#c\",\n  B='$x',C=/usr/bin:/bin,D=(1)\n",
        X + "command=x %(process_num)02d\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\n",
        X + "command=x\npriority=5\n",
        "strip_ansi=true\n" + X + "command=x\nstdout_capture_maxbytes=1MB\nstdout_events_enabled=true\n",
        "[supervisorctl]\nserverurl=unix:///x\n[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        "[initd]\nname=x\nloglevel=debug\n[DEFAULT]\nautostart=true\n",
    ],
)
def test_a_good_file_gets_no_warning(warnings: Told, text: str) -> None:
    assert warnings(text, {"HOME": "/root"}) == []


def test_warnings_come_in_the_order_of_lines_and_each_once(warnings: Told) -> None:
    text = (
        X
        + "command=x %(process_num)d\nnumprocs=3\nprocess_name=%(process_num)d\nuser=nobody\nenvironment=A=a b\nfoo=1\n"
    )
    lines = [int(one.split(":")[0]) for one in warnings(text)]
    assert lines == [6, 7, 8]


def test_warnings_about_names_are_given_beside_errors(read: Callable[..., Loaded]) -> None:
    loaded = read("[supervisord]\nminfd=5\nminprocs=x\n")
    assert len(loaded.errors) == 1
    assert "minfds" in str(loaded.warnings[0])


def test_they_can_be_had_later(read: Callable[..., Loaded]) -> None:
    text = "[supervisord]\nminfd=5\n"
    quiet = read(text, advise=False)
    assert quiet.warnings == ()
    assert advise(quiet) == read(text).warnings


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("program:x", "program"),
        ("program:", "program"),
        ("supervisord", "supervisord"),
        ("supervisord:x", None),
        ("unix_http_server:x", "unix_http_server"),
        ("inet_http_serverx", "inet_http_server"),
        ("group", None),
    ],
)
def test_which_table_a_section_follows(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind
