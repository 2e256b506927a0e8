"""[supervisord] and [initd] as one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from initd.config import fields
from initd.config.records import Config, Link, Loaded


def test_the_defaults_are_supervisords(good: Callable[..., Config]) -> None:
    daemon = good("").daemon
    assert {name: getattr(daemon, name) for name in fields.DAEMON} == {
        name: default for name, (_, default, _) in fields.DAEMON.items()
    }


def test_initd_wins_over_supervisord(good: Callable[..., Config]) -> None:
    config = good('minfds=5\nloglevel=warn\nenvironment=A="1"\n[initd]\nloglevel=debug\nenvironment=B="2"\n')
    assert (config.daemon.minfds, config.daemon.loglevel, config.daemon.environment) == (5, "debug", (("B", "2"),))


def test_initd_alone_is_enough(read: Callable[..., Loaded]) -> None:
    loaded = read("[initd]\nshutdown_budget=20\nremote=observe\nsocket=/run/x.sock\n")
    assert loaded.config is not None
    daemon = loaded.config.daemon
    assert (daemon.shutdown_budget, daemon.remote, daemon.socket) == (20.0, "observe", "/run/x.sock")


def test_neither_is_an_error(read: Callable[..., Loaded]) -> None:
    assert "add that line" in str(read("[program:x]\ncommand=x\n").errors[0])


def test_joining_stands_in_initd_only(good: Callable[..., Config]) -> None:
    assert good("").link is None
    assert good(
        "[initd]\njoin_file=/run/j\nname=%(ENV_N)s-%(host_node_name)s\n", {"N": "n"}, here_host="h"
    ).link == Link("/run/j", "n-h")
    assert good("join_file=/run/j\n").link is None


def test_default_does_not_hide_supervisord(good: Callable[..., Config]) -> None:
    assert good("minfds=5\n[DEFAULT]\nminfds=9\n[initd]\nname=x\n").daemon.minfds == 5


def test_the_daemons_environment_is_expanded_twice_and_knows_the_host_the_second_time(
    good: Callable[..., Config],
) -> None:
    config = good('environment=A="%%(host_node_name)s",B="%%%%"\n', here_host="box")
    assert config.daemon.environment == (("A", "box"), ("B", "%"))


@pytest.mark.parametrize(
    ("option", "cure"),
    [
        ("nodaemon=maybe", "neither true"),
        ("loglevel=warning", "no log level"),
        ("umask=x", "not octal"),
        ("identifier=%(program_name)s", "not known in this option"),
        ('environment=A="50%%"', "write %% for a plain one"),
        ("childlogdir=", "has a name"),
    ],
)
def test_what_is_refused(errors: Callable[..., list[str]], option: str, cure: str) -> None:
    assert errors(option + "\n")[0].startswith(f"2: {option.split('=')[0]}: ")
    assert cure in errors(option + "\n")[0]
