"""Every way to die in a container: a program's section, what is done to it, and the record it must leave."""

from __future__ import annotations

import signal
from typing import Any, NamedTuple

from tests.support.mortals import DEADLY

CODES = (0, 1, 2, 3, 42, 64, 78, 100, 125, 126, 127, 128, 129, 130, 137, 139, 143, 200, 254, 255)
"""Success, failure, usage, sysexits, what shells say of commands and signals, and the ends of the range."""

STAY = "sleep 100000"
BY = "uid=0"
"""Who asks, in a container: docker exec's user."""

EATER = "/opt/initd/lib/ld.so --library-path /opt/initd/lib/deps /opt/initd/bin/python3 -I -c"
"""The bundle's own interpreter, which every image has."""


class Fate(NamedTuple):
    """One program: options, what is done to it once it is up (shell text, {pid} and {name}), and its exit record."""

    name: str
    options: str
    expect: dict[str, Any]
    deed: str = ""
    alone: bool = False
    """Nobody else may die meanwhile: the OOM counter belongs to the whole container."""
    then: tuple[dict[str, Any], ...] = ()
    """The records of its further lives."""

    def section(self) -> str:
        """Its part of the configuration."""
        common = "autostart=false\nautorestart=false\nstartretries=0\nstopwaitsecs=1\n"
        common += "" if "startsecs=" in self.options else "startsecs=0\n"
        return f"[program:{self.name}]\n{common}{self.options}\n"


def exits() -> list[Fate]:
    """By itself, with a status."""
    return [
        Fate(
            f"exit-{code}",
            f'command=sh -c "exit {code}"',
            {"cause": "exit", "code": code, "signal": None, "expected": code == 0, "by": ""},
        )
        for code in CODES
    ]


def signals() -> list[Fate]:
    """By a signal that somebody in the container sent."""
    return [
        Fate(
            f"signal-{number}",
            f"command={STAY}",
            {"cause": "signal", "code": None, "signal": number, "expected": False, "by": ""},
            f"kill -{number} {{pid}}",
        )
        for number in DEADLY
    ]


def wishes() -> list[Fate]:
    """Because somebody asked initd for it."""
    stopped = {"cause": "stopped", "expected": True, "by": BY}
    deaf = "command=sh -c \"trap '' TERM; while :; do sleep 0.2; done\""
    obedient = "command=sh -c \"trap 'exit 7' INT; while :; do sleep 0.1; done\"\nstopsignal=INT"
    term, kill = int(signal.SIGTERM), int(signal.SIGKILL)
    return [
        Fate("stopped", f"command={STAY}", {**stopped, "signal": term}, "initd stop {name}"),
        Fate("obedient", obedient, {**stopped, "code": 7, "signal": None}, "initd stop {name}"),
        Fate(
            "escalated",
            f"{deaf}\nkillasgroup=true",
            {**stopped, "signal": kill, "escalated": True},
            "initd stop {name}",
        ),
        Fate(
            "restarted",
            f"command={STAY}",
            {**stopped, "signal": term},
            "initd restart {name}; initd stop {name}",
            then=({**stopped, "signal": term},),
        ),
        Fate(
            "asked-kill",
            f"command={STAY}",
            {"cause": "signal", "signal": kill, "expected": False},
            "initd signal KILL {name}",
        ),
    ]


def failures() -> list[Fate]:
    """By never coming to be."""

    def fate(name: str, options: str, step: str, errno: int | None) -> Fate:
        expect = {"cause": "start failure", "step": step, "errno": errno, "pid": None, "code": None, "signal": None}
        return Fate(name, options, expect)

    return [
        fate("no-such-file", "command=/no/such/program", "exec", 2),
        fate("no-such-command", "command=no-such-command-anywhere", "exec", 2),
        fate("not-executable", "command=/etc/hostname", "exec", 13),
        fate("a-directory", "command=/etc", "exec", 13),
        fate("no-directory", f"command={STAY}\ndirectory=/no/such/directory", "chdir", 2),
        fate("unclosed", 'command="sleep', "command", None),
        fate("empty", "command=", "command", None),
    ]


def rules() -> list[Fate]:
    """Because a rule of the configuration wanted it: probes, dependencies, renewal, hooks."""
    term = int(signal.SIGTERM)
    ended = {"cause": "probe", "by": "initd", "signal": term, "code": None}
    looped = {"cause": "exit", "code": 9, "expected": False}
    hook = {"cause": "start failure", "step": "pre_start", "code": 3}
    return [
        Fate("unready", f"command={STAY}\nreadiness=exists:/no/such/file\nreadiness_within=1", ended),
        Fate(
            "unalive",
            f"command={STAY}\nliveness=exec:false\nliveness_interval=0.5\nliveness_failures=2\nliveness_action=stop",
            ended,
        ),
        Fate(
            "renewed",
            f"command={STAY}\nrestart_on_change=/tmp/watched\nrestart_look=0.2",
            {"cause": "renewal", "by": "initd", "signal": term},
            "date +%N >>/tmp/watched; while kill -0 {pid}; do sleep 0.1; done; initd stop {name}",
            then=({"cause": "stopped", "by": BY},),
        ),
        Fate("unprepared", f"command={STAY}\npre_start=sh -c 'exit 3'", hook),
        Fate("leaned-on", f"command={STAY}", {"cause": "stopped", "by": BY}, "initd stop {name}"),
        Fate(
            "leaning",
            f"command={STAY}\ndepends_on=leaned-on:started\ndependency_lost=stop",
            {"cause": "dependency", "by": "initd", "signal": term},
        ),
        Fate("looping", 'command=sh -c "exit 9"\ncrash_loop=2 in 60s\nautorestart=true', looped, then=(looped,)),
        Fate("once", 'command=sh -c "exit 5"\ntype=oneshot', {"cause": "exit", "code": 5, "expected": False}),
        Fate(
            "in-turn",
            "stop_signals=INT:0.5, QUIT:5\n"
            "command=sh -c \"trap '' INT; trap 'exit 4' QUIT; while :; do sleep 0.1; done\"",
            {"cause": "stopped", "by": BY, "code": 4, "escalated": False},
            "initd stop {name}",
        ),
    ]


def memory() -> list[Fate]:
    """By the OOM killer."""
    eater = f"{EATER} \"b = []; [b.append(b'x' * (1 << 20)) for _ in range(4096)]\""
    expect = {"cause": "oom", "signal": int(signal.SIGKILL), "code": None, "expected": False}
    return [Fate("eater", f"command={eater}", expect, alone=True)]


def every() -> list[Fate]:
    """All of them."""
    return [*exits(), *signals(), *wishes(), *failures(), *rules(), *memory()]
