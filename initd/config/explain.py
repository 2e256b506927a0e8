"""`initd check` and `initd explain`: what a file means, before anything runs.

`explain` and `render` are pure; what this machine lacks comes from initd.config.machine, the stop budget from
initd.plan.
"""

from __future__ import annotations

import io
import json
import math
import os
import shlex
import signal
import sys
import time

from initd.config import find, load
from initd.config.fields import PROGRAM
from initd.config.machine import lacks
from initd.config.outlook import exits, next_runs
from initd.config.records import Problem
from initd.config.topics import TOPICS
from initd.config.topics import load as load_topic
from initd.config.written import masks, written
from initd.order.graph import Graph, needed_first
from initd.plan import budget as budget_of
from initd.plan import stop_levels
from initd.say import printable
from wire._record import Record
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from initd.config.machine import Lack
    from initd.config.records import Config, Loaded, Program

MARGIN = 1.0
"""Seconds the runtime must allow beyond our budget: its own signal and its own bookkeeping."""

USAGE = """\
usage: initd {verb} [-c FILE] [--json]

{purpose}

  -c, --configuration FILE   the file; without it, the one initd would find: supervisord.conf or etc/supervisord.conf
                             here, /etc/supervisord.conf, /etc/supervisor/supervisord.conf
  --json                     one JSON object
  -h, --help

examples:
{examples}
exit status: 0 the file is good, 2 it has errors or the command line has
"""
PURPOSE = {
    "check": "Read a configuration, say everything that is wrong or doubtful in it, and what it would start.",
    "explain": "Show what a configuration means: each process with its options, what each exit would do, the stop.",
}
EXAMPLES = {
    "check": "  RUN initd check -c /etc/supervisord.conf      in a Dockerfile: a bad file fails the build\n"
    "  initd check --json | jq '.warnings[].message'\n",
    "explain": "  initd explain -c app.ini\n  initd explain --json | jq '.programs[] | {name, argv, stopwaitsecs}'\n",
}


class Arguments(Record):
    """The command line."""

    file: str | None = None
    json: bool = False
    help: bool = False
    fault: str = ""


def main_check(argv: Sequence[str]) -> int:
    """`initd check`: prints problems and a short plan; the exit status."""
    return _main("check", argv)


def main_explain(argv: Sequence[str]) -> int:
    """`initd explain`: prints the whole plan; the exit status."""
    return _main("explain", argv)


def parse(argv: Sequence[str]) -> Arguments:
    """The command line, or what is wrong with it."""
    found: dict[str, Any] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help", "--json"):
            found["help" if word != "--json" else "json"] = True
        elif name in ("-c", "--configuration", "--config") and (equals or words):
            found["file"] = value if equals else words.pop(0)
        else:
            missing = name in ("-c", "--configuration", "--config")
            return Arguments(fault=f"{word} needs a file name" if missing else f"unknown argument {word!r}")
    return Arguments(**found)


def _main(verb: str, argv: Sequence[str]) -> int:
    arguments = parse(argv)
    if arguments.help:
        print(USAGE.format(verb=verb, purpose=PURPOSE[verb], examples=EXAMPLES[verb]), end="")
        return 0
    path = arguments.file or find(os.path.join(sys.prefix, "bin"), os.getcwd())
    fault = arguments.fault or ("" if path else "no configuration file found; name one with -c FILE")
    if fault or path is None:
        print(f"initd {verb}: {fault}; see initd {verb} --help", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a variable may hold bytes that are no text
    loaded = load(path, os.environ)
    plan = explain(loaded, os.environ, _budget(loaded.config, os.environ), lacks(loaded, os.environ))
    if loaded.config is not None:
        for row, program in zip(plan["programs"], in_start_order(loaded.config), strict=True):
            row["next_runs"] = next_runs(program, time.time())
    if arguments.json:
        print(json.dumps(plan if verb == "explain" else {name: plan[name] for name in CHECKED}, ensure_ascii=False))
    else:
        print(render(plan) if verb == "explain" else summary(plan), end="")
    return 2 if loaded.errors else 0


CHECKED = ("file", "errors", "warnings", "machine", "stop")
"""What `check --json` keeps of the plan."""


def _budget(config: Config | None, environ: Mapping[str, str]) -> float:
    """Seconds the whole stop may take."""
    if config is None:
        return 0.0
    given = config.daemon.shutdown_budget
    if given is None and environ.get("PIDONE_STOP_BUDGET"):
        try:
            given = float(environ["PIDONE_STOP_BUDGET"])
        except ValueError:
            print(f"PIDONE_STOP_BUDGET={environ['PIDONE_STOP_BUDGET']!r} is no number of seconds", file=sys.stderr)
    return budget_of(stop_levels(config.programs), given)


# The plan as data


def explain(loaded: Loaded, environ: Mapping[str, str], budget: float, machine: Sequence[Lack] = ()) -> dict[str, Any]:
    """The plan of a file as one JSON object; without programs where it has errors.

    `budget` is how many seconds the whole stop may take.  Passwords are left out.
    """
    config = loaded.config
    plan: dict[str, Any] = {
        "file": config.files[0] if config else (loaded.errors[0].file if loaded.errors else ""),
        "files": list(config.files) if config else [],
        "programs": [],
        "groups": [],
        "daemon": None,
        "stop": None,
        "errors": [problem._asdict() for problem in loaded.errors],
        "warnings": [problem._asdict() for problem in loaded.warnings],
        "machine": [lack._asdict() for lack in machine],
    }
    if config is not None:
        plan["programs"] = [process(program) for program in in_start_order(config)]
        plan["groups"] = [
            {"name": group.name, "priority": group.priority, "kind": group.kind, "processes": list(group.processes)}
            for group in config.groups
        ]
        plan["daemon"] = {name: _json(getattr(config.daemon, name)) for name in config.daemon._fields}
        plan["stop"] = stop(config, budget)
    return plan


def in_start_order(config: Config) -> list[Program]:
    """All processes in start order: by priority, and each behind those that it waits for."""
    known = {(program.group, program.name): program for program in config.programs}
    listed = {
        full_name(group.name, name): known[group.name, name] for group in config.groups for name in group.processes
    }
    needs = Graph(config.programs).needs
    if not needs:
        return list(listed.values())
    return [listed[name] for name in needed_first(listed, needs) if name in listed]


def process(program: Program) -> dict[str, Any]:
    """One process: every effective option under supervisord's name, and what comes of it."""
    options = {name: _json(getattr(program, name)) for name in PROGRAM if name not in ("process_name", "autorestart")}
    options["autorestart"] = {"true": True, "false": False}.get(program.autorestart, program.autorestart)
    options["environment"] = dict(program.environment)
    return {
        "group": program.group,
        "name": program.name,
        "program": program.program,
        "kind": program.kind,
        "starts": program.autostart,
        "process_num": program.number,
        "process_name": program.name,
        "argv": list(program.argv),
        "argv_error": program.argv_error,
        "group_priority": program.group_priority,
        **options,
        "topics": topics(program),
        "written": {
            option: text for topic in TOPICS for option, text in written(topic, getattr(program, topic)).items()
        },
        "exits": exits(program),
        "file": program.file,
        "line": program.line,
    }


def topics(program: Program) -> dict[str, dict[str, Any]]:
    """What the file says beyond supervisord's options, by topic: what is not at its default.

    Records hold where secrets are, never what they are; only a log_mask without * is one itself.
    """
    records = {topic: getattr(program, topic) for topic in TOPICS}
    found = {topic: _given(topic, record) for topic, record in records.items() if record is not None}
    if "log_mask" in found.get("logs", {}):
        found["logs"]["log_mask"] = masks(program.logs.log_mask).split(",")  # type: ignore[union-attr]
    return found


def _given(topic: str, record: Any) -> dict[str, Any]:
    usual = {name: default for name, (_, default, _) in load_topic(topic).FIELDS.items()} | record._field_defaults
    return {name: _plain(value) for name, value in record._asdict().items() if value != usual.get(name)}


def _plain(value: Any) -> Any:
    """Records as objects, tuples as lists; what was written as one text stays so."""
    if hasattr(value, "text"):
        return value.text
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    return [_plain(part) for part in value] if isinstance(value, tuple | frozenset) else value


def _json(value: object) -> object:
    """Tuples of pairs are objects, other tuples lists."""
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def stop(config: Config, budget: float) -> dict[str, Any]:
    """The stop: levels in order, and what the runtime must be told."""
    grace = math.ceil(budget + MARGIN)
    return {
        "budget": budget,
        "levels": [
            {
                "priority": level.priority,
                "processes": [full_name(*member) for member in level.members],
                "wanted": level.wanted,
            }
            for level in stop_levels(config.programs)
        ],
        "stop_grace_period": f"{grace}s",
        "terminationGracePeriodSeconds": grace,
    }


# The plan as text


def summary(plan: Mapping[str, Any]) -> str:
    """What `check` prints: every problem as file:line: message, then a line a program and the time to stop."""
    lines = [_line(problem) for problem in plan["errors"]]
    lines += [_line(problem, "warning: ") for problem in plan["warnings"]]
    lines += [_line(lack, "here: ") for lack in plan["machine"]]
    if plan["errors"]:
        return "\n".join([*lines, f"{len(plan['errors'])} error(s): initd would not start", ""])
    width = max((len(full_name(program["group"], program["name"])) for program in plan["programs"]), default=0)
    for number, program in enumerate(plan["programs"], 1):
        name = full_name(program["group"], program["name"])
        lines.append(f"{number:>3}. {name:<{width}}  {_runs(program)}{_note(program)}")
    if not plan["programs"]:
        lines.append("no programs")
    return "\n".join([*lines, *_grace(plan["stop"]), ""])


def _note(program: Mapping[str, Any]) -> str:
    """When it starts, where that is not at once."""
    schedule, order = (program["topics"].get(topic, {}) for topic in ("jobs", "order"))
    needs = ", ".join(f"{name}:{condition}" for name, condition in order.get("depends_on", ()))
    parts = [
        "" if program["starts"] or "schedule" in schedule else "autostart=false",
        _schedule(schedule) if "schedule" in schedule else "",
        f"after {needs}" if needs else "",
    ]
    return f"   ({', '.join(filter(None, parts))})" if any(parts) else ""


def _schedule(jobs: Mapping[str, Any]) -> str:
    text = str(jobs["schedule"])
    return text if text.startswith("every") else f"at {text} {jobs.get('timezone', 'UTC')}"


def _line(problem: Mapping[str, Any], kind: str = "") -> str:
    return str(Problem(problem["file"], problem["line"], kind + problem["message"]))


def _grace(stopping: Mapping[str, Any]) -> list[str]:
    seconds = stopping["terminationGracePeriodSeconds"]
    return [
        f"stop: within {stopping['budget']:g} s; the runtime must allow {seconds} s:",
        f"  docker run --stop-timeout {seconds}   compose: stop_grace_period: {seconds}s   "
        f"Kubernetes: terminationGracePeriodSeconds: {seconds}",
    ]


def render(plan: Mapping[str, Any]) -> str:
    """What `explain` prints: the summary, then each process in full, then the order of the stop."""
    text = summary(plan)
    if plan["errors"]:
        return text
    blocks = [_block(program) for program in plan["programs"]]
    levels = [
        f"  {level['priority']:>5}: {', '.join(level['processes'])} (up to {level['wanted']:g} s)"
        for level in plan["stop"]["levels"]
    ]
    return "\n".join([text, *blocks, "stop, one priority after the other:", *levels, ""])


def _block(program: Mapping[str, Any]) -> str:
    """One process in full; options at their default are left out."""
    lines = [f"{full_name(program['group'], program['name'])}   ({program['file']}:{program['line']})"]
    lines.append(f"    runs     {_runs(program)}")
    for name, (kind, usual, _) in PROGRAM.items():
        value = program[name]
        default = program["stopasgroup"] if name == "killasgroup" else _json(usual)
        if name not in ("command", "process_name", "environment") and value is not None and value != default:
            lines.append(f"    {name:<24} {_text(kind, value)}")
    lines += [f"    {name:<24} {value}" for name, value in program["written"].items()]
    lines += [f"    environment              {name}={value}" for name, value in program["environment"].items()]
    lines.append(f"    stop     {_stop(program)}")
    lines += [f"    runs at  {at}" for at in program.get("next_runs", ())]
    lines += [f"    if {outcome['when']}: {outcome['then']}" for outcome in program["exits"]]
    return "\n".join([*(printable(line) for line in lines), ""])


def _stop(program: Mapping[str, Any]) -> str:
    """The signals of a stop, each with its seconds, and whom they reach."""
    stopping = program["topics"].get("stopping", {})
    steps = stopping.get("stop_signals", [[program["stopsignal"], program["stopwaitsecs"]]])
    signals = "".join(f"SIG{_signal(signum)}, after {seconds:g} s " for signum, seconds in steps)
    scope = stopping.get("stop_scope")
    return f"{signals}SIGKILL" + (f", all of its {scope}" if scope in ("group", "tree") else "")


def _runs(program: Mapping[str, Any]) -> str:
    """The command as a shell would want it, on one line."""
    return printable(shlex.join(program["argv"])) or f"({program['argv_error']})"


def _text(kind: str, value: Any) -> str:
    if kind == "signal":
        return _signal(value)
    if kind == "octal":
        return f"{value:03o}"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)
