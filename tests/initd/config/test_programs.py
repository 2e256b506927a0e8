"""Programs and groups: options, expansions by process, names, order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from initd.config import fields
from initd.config.records import Config, Program

Good = Callable[..., Config]
One = Callable[..., Program]
Told = Callable[..., list[str]]


def names(config: Config) -> list[str]:
    return [f"{program.group}:{program.name}" for program in config.programs]


def test_an_empty_program_has_supervisords_defaults(program: One) -> None:
    one = program("command=/bin/true")
    for name, (_, default, _) in fields.PROGRAM.items():
        if name not in ("command", "process_name", "killasgroup"):
            assert getattr(one, name) == default, name
    assert (one.group, one.name, one.killasgroup, one.group_priority) == ("x", "x", False, 999)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("priority=5", 5),
        ("autostart=off", False),
        ("autorestart=yes", "true"),
        ("startsecs=0", 0),
        ("startretries=-1", -1),
        ("exitcodes=0, 2", (0, 2)),
        ("stopsignal=quit", 3),
        ("stopwaitsecs=60", 60),
        ("user=nobody", "nobody"),
        ("directory=~/x", "~/x"),
        ("umask=022", 0o22),
        ('environment=A="1",B=2', (("A", "1"), ("B", "2"))),
        ("stdout_logfile=/dev/stdout", "/dev/stdout"),
        ("stdout_logfile=NONE", None),
        ("stdout_logfile_maxbytes=1MB", 1 << 20),
        ("stderr_logfile_backups=0", 0),
        ("stdout_syslog=true", True),
        ("serverurl=auto", None),
    ],
)
def test_an_option_is_typed(program: One, option: str, value: object) -> None:
    assert getattr(program(option), option.split("=")[0]) == value


def test_a_given_wait_is_told_from_the_default(program: One) -> None:
    assert program("stopwaitsecs=10").stopwaitsecs_given
    assert not program("").stopwaitsecs_given


def test_stopasgroup_implies_killasgroup(program: One) -> None:
    assert program("stopasgroup=true").killasgroup


def test_redirected_stderr_has_no_file(program: One) -> None:
    assert program("redirect_stderr=true\nstderr_logfile=/tmp/x").stderr_logfile is None


def test_syslog_as_a_file_is_the_option(program: One) -> None:
    one = program("stdout_logfile=syslog")
    assert (one.stdout_logfile, one.stdout_syslog) == (None, True)


def test_a_command_that_cannot_be_split_fails_the_program_not_the_file(program: One) -> None:
    one = program("command='open")
    assert (one.argv, one.argv_error) == ((), "a ' is never closed")
    assert program("command=").argv_error == "the command is empty"


def test_processes_are_numbered_and_sorted_by_name(good: Good) -> None:
    config = good("[program:w]\ncommand=c %(process_num)d/%(numprocs)d\nnumprocs=11\nprocess_name=w_%(process_num)d\n")
    assert names(config)[:4] == ["w:w_0", "w:w_1", "w:w_10", "w:w_2"]
    assert config.programs[2].argv == ("c", "10/11")
    assert config.programs[2].number == 10


def test_numprocs_start_moves_the_numbers(good: Good) -> None:
    config = good("[program:w]\ncommand=c\nnumprocs=2\nnumprocs_start=5\nprocess_name=%(process_num)d\n")
    assert [program.number for program in config.programs] == [5, 6]


@pytest.mark.parametrize("count", ["0", "-3"])
def test_a_program_without_processes_is_an_empty_group_and_needs_no_command(good: Good, count: str) -> None:
    config = good(f"[program:w]\nnumprocs={count}\n")
    assert config.programs == ()
    assert config.groups[0].processes == ()


def test_own_variables_reach_the_command_of_each_process(good: Good) -> None:
    text = '[program:w]\ncommand=%(ENV_K0)s\nenvironment=K%(process_num)d="v%(process_num)d"\nnumprocs=2\n'
    config = good(text + "process_name=%(process_num)d\n")
    assert [program.command for program in config.programs] == ["v0", "v0"], "what process 0 adds, 1 sees (supervisord)"


def test_variables_stand_in_rising_priority(good: Good) -> None:
    config = good(
        'environment=A="daemon",B="daemon",C="%(ENV_C)s"\n'
        '[program:x]\ncommand=%(ENV_A)s %(ENV_B)s %(ENV_C)s\nenvironment=B="own"\n',
        {"A": "outside", "C": "outside"},
    )
    assert config.programs[0].command == "daemon own outside"
    assert config.programs[0].environment == (("A", "daemon"), ("B", "own"), ("C", "outside"))


def test_log_files_are_expanded_twice(program: One) -> None:
    one = program("stdout_logfile=/tmp/%%(program_name)s\nstderr_logfile=/tmp/%%%%")
    assert (one.stdout_logfile, one.stderr_logfile) == ("/tmp/x", "/tmp/%")


def test_groups_swallow_their_programs_and_stand_in_order(good: Good) -> None:
    config = good(
        "[program:a]\ncommand=a\npriority=7\n[program:b]\ncommand=b %(group_name)s\n"
        "[program:c]\ncommand=c\npriority=1\n"
        "[group:g]\nprograms=b, a\npriority=50\n"
    )
    assert names(config) == ["c:c", "g:b", "g:a"]
    assert [group[:3] for group in config.groups] == [("c", 1, "program"), ("g", 50, "group")]
    assert [program.group_priority for program in config.programs] == [1, 50, 50]
    assert config.programs[1].argv == ("b", "g")


def test_a_program_in_two_groups_runs_in_both(good: Good) -> None:
    assert names(good("[program:a]\ncommand=a\n[group:g]\nprograms=a\n[group:h]\nprograms=a\n")) == ["g:a", "h:a"]


def test_the_first_group_of_a_name_stays(good: Good) -> None:
    assert names(good("[program:a]\ncommand=a\n[program:b]\ncommand=b\n[group:a]\nprograms=b\n")) == ["a:b"]


def test_the_last_process_of_a_name_stays_in_the_place_of_the_first(good: Good) -> None:
    text = (
        "[program:a]\ncommand=one\nprocess_name=p\n[program:b]\ncommand=b\n[program:c]\ncommand=two\nprocess_name=p\n"
    )
    config = good(text + "[group:g]\nprograms=a,b,c\n")
    assert [(program.name, program.command) for program in config.programs] == [("p", "two"), ("b", "b")]


def test_default_options_reach_programs_but_do_not_hide_theirs(good: Good) -> None:
    config = good("[DEFAULT]\nstartsecs=9\n[program:a]\ncommand=a\n[program:b]\ncommand=b\nstartsecs=2\n")
    assert [program.startsecs for program in config.programs] == [9, 2]


@pytest.mark.parametrize(
    ("text", "line", "cure"),
    [
        ("[program:x]\n", 2, "[program:x] has no command: add command="),
        ("[program:a b]\ncommand=x\n", 2, "may not contain ' '"),
        ("[program:x]\ncommand=x\nprocess_name=a/b\n", 4, "may not contain '/'"),
        ("[program:x]\ncommand=x\nnumprocs=2\n", 4, "process_name=%(program_name)s_%(process_num)02d"),
        ("[program:x]\ncommand=x\nnumprocs=99999\nprocess_name=%(process_num)d\n", 4, "more than the 10000 allowed"),
        ("[program:x]\ncommand=x\nstopasgroup=1\nkillasgroup=0\n", 5, "contradicts stopasgroup=true"),
        ("[program:x]\ncommand=x\npriority=%(program_name)s\n", 4, "not known in this option"),
        ("[program:x]\ncommand=x\nuser=%(process_num)d\n", 4, "known only in command"),
        ("[group:g]\nprograms=nosuch\n", 3, "there is no [program:nosuch]"),
        ("[program:x]\ncommand=x\n[group:g]\nprograms=x,\n", 5, "remove the comma"),
        (
            "[program:x]\ncommand=x\n[fcgi-program:x]\ncommand=x\nsocket=tcp://h:1\n[group:g]\nprograms=x\n",
            8,
            "both a [program:x] and an [fcgi-program:x]",
        ),
    ],
)
def test_what_is_refused(errors: Told, text: str, line: int, cure: str) -> None:
    first = errors(text)[0]
    assert first.startswith(f"{line}: ")
    assert cure in first


def test_all_problems_are_reported_at_once_and_each_only_once(errors: Told) -> None:
    text = (
        "minfds=x\n[program:a]\nstartsecs=1.5\ncommand=%(nosuch)s\nnumprocs=3\nprocess_name=%(process_num)d\n"
        "autorestart=always\n[program:b]\nstopsignal=X\n[group:g]\nprograms=c\nbroken\n"
    )
    found = errors(text)
    assert sorted(int(one.split(":")[0]) for one in found) == [2, 4, 5, 8, 9, 10, 12, 13]


def test_users_and_directories_are_asked_about_only_on_demand(errors: Told, read: Any) -> None:
    text = "[program:x]\ncommand=x\nuser=ghost\nstdout_logfile=/no/such/log\n"
    assert errors(text) == []
    found = errors(text, users=lambda name: None, directories=lambda path: False)
    assert [one.split(";")[0] for one in found] == [
        "4: user: there is no user 'ghost' here",
        "5: stdout_logfile: the directory /no/such does not exist",
    ]
