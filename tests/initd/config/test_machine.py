"""What this machine lacks: users, directories, commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from initd.config.machine import Lack, lacks
from initd.config.records import Loaded

ENVIRON = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def lacking(read: Callable[..., Loaded]) -> Callable[[str], list[Lack]]:
    return lambda text: list(lacks(read("[supervisord]\n" + text), ENVIRON))


def test_nothing_is_lacking_where_all_is_there(lacking: Callable[[str], list[Lack]]) -> None:
    assert (
        lacking("user=root\n[program:x]\ncommand=sh -c true\nuser=nobody\ndirectory=/tmp\nstdout_logfile=/tmp/x\n")
        == []
    )


@pytest.mark.parametrize(
    ("text", "line", "what", "name"),
    [
        ("user=ghost\n", 2, "user", "ghost"),
        ("childlogdir=/no/such\n", 2, "directory", "/no/such"),
        ("pidfile=/no/such/pid\n", 2, "directory", "/no/such"),
        ("[program:x]\ncommand=sh\nuser=ghost\n", 4, "user", "ghost"),
        ("[program:x]\ncommand=sh\ndirectory=/no/such\n", 4, "directory", "/no/such"),
        ("[program:x]\ncommand=sh\nstderr_logfile=/no/such/log\n", 4, "directory", "/no/such"),
        ("[program:x]\ncommand=no-such-command\n", 3, "command", "no-such-command"),
        ("[program:x]\ncommand=/no/such/command\n", 3, "command", "/no/such/command"),
        ("[program:x]\ncommand=/etc\n", 3, "command", "/etc"),
        ("[program:x]\ncommand=sh\nenv_file=-/may/be,/no/such.env\n", 4, "file", "/no/such.env"),
        ("[program:x]\ncommand=sh\nsecrets=PW=/no/such,Q=-/may/be\n", 4, "file", "/no/such"),
        ('[program:x]\ncommand=sh\nenvironment=PATH="/nowhere"\n', 3, "command", "sh"),
    ],
)
def test_what_is_lacking(lacking: Callable[[str], list[Lack]], text: str, line: int, what: str, name: str) -> None:
    (lack,) = lacking(text)
    assert (lack.line, lack.what, lack.name) == (line, what, name)


def test_a_relative_command_is_looked_for_where_it_will_run(lacking: Callable[[str], list[Lack]]) -> None:
    assert lacking("[program:x]\ncommand=./sh\ndirectory=/bin\n") == []
    assert [lack.name for lack in lacking("[program:x]\ncommand=./sh\ndirectory=/etc\n")] == ["./sh"]


def test_a_thing_is_said_once_for_all_processes(lacking: Callable[[str], list[Lack]]) -> None:
    assert len(lacking("[program:x]\ncommand=nope\nnumprocs=3\nprocess_name=%(process_num)d\n")) == 1


def test_a_file_without_the_bit_is_not_executable(lacking: Callable[[str], list[Lack]], tmp_path: Path) -> None:
    (tmp_path / "script").write_text("")
    (lack,) = lacking(f"[program:x]\ncommand={tmp_path}/script\n")
    assert "is not executable" in lack.message


def test_a_file_with_errors_is_not_asked_about(lacking: Callable[[str], list[Lack]]) -> None:
    assert lacking("minfds=x\nuser=ghost\n") == []
