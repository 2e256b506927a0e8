"""`hubctl shell AGENT`: the prompt that supervisorctl's users know, against one agent through the hub.

Every line becomes one of hubctl's own questions or commands, so rights, audit and answers are the same as outside.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from hub.ctl import look, steer
from hub.ctl.inquest import why
from hub.ctl.text import safe
from wire.client import Client, WireError

HELP = """status [NAME...]            start|stop|restart NAME... | all      signal SIGNAL NAME...
tail NAME [stdout|stderr]   exits    events    why [NAME]           pid NAME    exit, quit"""
ENDS = frozenset({"exit", "quit", "EOF"})


class Shell:
    """One conversation about one agent."""

    def __init__(self, hub: Client, agent: str, name: str, options: Namespace) -> None:
        self.hub, self.agent, self.name, self.options = hub, agent, name, options
        self.verbs: dict[str, Callable[[list[str]], int]] = {
            "status": self.status,
            **{verb: self._command(verb) for verb in ("start", "stop", "restart")},
            "signal": self.signal,
            "tail": self.tail,
            "pid": self.pid,
            "exits": lambda words: look.newest(self.hub, self._past(), "exits", look.EXITS, {}),
            "events": lambda words: look.events(self.hub, self._past()),
            "why": lambda words: why(self.hub, self._past(words[0] if words else "")),
            "help": self.help,
        }

    def execute(self, line: str) -> int | None:
        """The exit status of one line; None where it ends the conversation."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            print(f"*** {safe(error)}")
            return 2
        if not words:
            return 0
        if words[0] in ENDS:
            return None
        verb = self.verbs.get(words[0])
        if verb is None:
            print(f"*** Unknown syntax: {safe(line.strip())}")
            return 2
        try:
            return verb(words[1:])
        except (WireError, ValueError) as error:
            print(f"*** {safe(error)}")
            return 1

    def _targets(self, words: Sequence[str]) -> list[str]:
        """Names as supervisorctl takes them (`web`, `group:*`, `all`) as targets of the hub."""
        return [f"{self.agent}/{'*' if word == 'all' else word}" for word in words]

    def _namespace(self, verb: str, words: Sequence[str], **more: Any) -> Namespace:
        given = {"container": False, "all": False, "wait": 20.0, "ttl": None, "id": None, "bytes": None, "grace": None}
        roll = {"at_a_time": None, "stop_on_failure": None, "dry_run": False, "detach": False}
        return Namespace(verb=verb, target=self._targets(words), json=self.options.json, **{**given, **roll, **more})

    def _past(self, program: str = "") -> Namespace:
        target = f"{self.agent}/{program}" if program else self.agent
        return Namespace(target=target, since=None, number=20, follow=False, json=self.options.json)

    def status(self, words: list[str]) -> int:
        """Programs with state and figures."""
        return look.ps(self.hub, Namespace(target=self._targets(words or ["all"]), all=False, json=self.options.json))

    def _command(self, verb: str) -> Callable[[list[str]], int]:
        def give(words: list[str]) -> int:
            if not words:
                raise ValueError(f"{verb} requires a process name")
            return steer.command(self.hub, self._namespace(verb, words))

        return give

    def signal(self, words: list[str]) -> int:
        """A signal for programs."""
        if len(words) < 2:
            raise ValueError("signal requires a signal name and a process name")
        return steer.command(self.hub, self._namespace("signal", words[1:], signal=words[0]))

    def tail(self, words: list[str]) -> int:
        """The last output of one program."""
        streams = [word for word in words if word in ("stdout", "stderr")]
        names = [word for word in words if word not in streams]
        if len(names) != 1:
            raise ValueError("tail requires one process name")
        return steer.tail(self.hub, self._namespace("tail", names, stderr=streams == ["stderr"]))

    def pid(self, words: list[str]) -> int:
        """Process ids."""
        for row in self.hub.ps(self._targets(words or ["all"])):
            print(row.get("pid") or 0)
        return 0

    def help(self, words: list[str]) -> int:
        """What can be typed."""
        print(HELP)
        return 0

    def names(self) -> list[str]:
        """Everything that may be completed."""
        rows = self.hub.ps(self._targets(["all"]))
        return sorted({*self.verbs, *ENDS - {"EOF"}, "all", *(str(row["process"]) for row in rows)})


def shell(hub: Client, options: Namespace) -> int:
    """Carries out the given line, or holds a conversation."""
    found = [
        row for row in hub.agents() if options.agent in (row["name"], row["hostname"]) or _begins(row, options.agent)
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} agents are called {options.agent!r}: see hubctl agents")
    one = Shell(hub, str(found[0]["agent"]), str(found[0]["name"]), options)
    if options.line:
        return one.execute(shlex.join(options.line)) or 0
    return _talk(one)


def _begins(row: Any, agent: str) -> bool:
    return len(agent) >= 6 and str(row["agent"]).startswith(agent)


def _talk(one: Shell) -> int:
    if sys.stdin.isatty():
        _complete(one)
        one.status([])
    while True:
        try:
            line = input(f"{safe(one.name)}> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return 0
        if one.execute(line) is None:
            return 0
        sys.stdout.flush()


def _complete(one: Shell) -> None:
    """Tab completes verbs and programs, where this Python has readline."""
    try:
        import readline
    except ImportError:
        return
    words: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            words[:] = [name for name in one.names() if name.startswith(text) and name.isprintable()]
        return words[state] if state < len(words) else None

    readline.set_completer_delims(" \t")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")


def declare(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the verb."""
    parser = verb("shell", shell, "a prompt for one agent, as supervisorctl's", "hubctl shell shop-1")
    parser.add_argument("agent", help="name, host name or the beginning of an id")
    parser.add_argument("line", nargs="*", help="carry this out instead of asking: status, restart web ...")
