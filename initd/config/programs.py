"""A program's section becomes its processes: the parts of which initd.config.groups and .pools build groups."""

from __future__ import annotations

from initd.config.fields import PROCESS, PROGRAM
from initd.config.records import Group, Program
from initd.config.topics import build_all, topical
from initd.config.values import SYSLOG, name
from initd.config.words import split
from wire.limits import PROGRAM_PROCESSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.config.expand import Names
    from initd.config.ini import Section, Value
    from initd.config.reading import Reading

    Member = tuple[Group, list[Program]]

SEPARATE = {option: kind for option, (kind, _, stage) in PROGRAM.items() if stage is PROCESS}
"""Options that each process reads for itself, with their types."""

DEFAULTS = {option: default for option, (_, default, _) in PROGRAM.items() if option != "process_name"}


def section_name(reading: Reading, section: Section) -> str:
    """The name behind the colon of a section's header."""
    title = section.name.split(":", 1)[1]
    try:
        return name(title)
    except ValueError as fault:
        reading.wrong(section.file, section.line, f"[{section.name}]: {fault}")
        return title


def group_priority(reading: Reading, options: Mapping[str, Value], default: int) -> int:
    """The priority of a group, which knows no program's names."""
    if "priority" not in options:
        return default
    value: int = reading.value("priority", "integer", options["priority"], reading.names(), default)
    return value


def gather(reading: Reading, title: str, priority: int, kind: str, found: list[Program]) -> Member:
    """The group; of processes with the same name the last one stays, in the place of the first, as supervisord does."""
    unique = {program.name: program for program in found}
    if len(unique) < len(found):
        last = next(program for program in found if unique[program.name] is not program)
        reading.document.notes.append(("process again", last.file, last.line, (title, last.name)))
    return Group(title, priority, kind, tuple(unique)), list(unique.values())


def processes(reading: Reading, section: Section, group: str, priority: int, kind: str = "program") -> list[Program]:
    """All processes of one section as members of a group, sorted by name."""
    options = reading.document.options(section)
    title = section_name(reading, section)
    names = None
    if any("%" in text for text, _, _ in options.values()):
        names = reading.names(program_name=title, host_node_name=reading.host, group_name=group)
    values = reading.values(options, PROGRAM, names, DEFAULTS)
    template = reading.one(options, "process_name", "name", None)
    _settle(reading, section, values, template or "")
    values.update(group=group, program=title, kind=kind, group_priority=priority, file=section.file, line=section.line)
    values["stopwaitsecs_given"] = "stopwaitsecs" in options
    start, count = values["numprocs_start"], values["numprocs"]
    if "command" not in options and count > 0:
        reading.lacks(section, "command", "add command=/path/of/program its arguments")
        return []
    extra = topical(options, reading.common)
    if extra and names is None and any("%" in text for text, _, _ in extra.values()):
        names = reading.names(program_name=title, host_node_name=reading.host, group_name=group)
    found = [
        _process(reading, section, values, names, number, title if template is None else template, extra)
        for number in range(start, start + count)
    ]
    return sorted(found, key=lambda program: program.name) if count > 1 else found


def _settle(reading: Reading, section: Section, values: dict[str, Any], template: str) -> None:
    """What options of one section demand of each other."""
    if values["killasgroup"] is None:
        values["killasgroup"] = values["stopasgroup"]
    if values["stopasgroup"] and not values["killasgroup"]:
        fault = "killasgroup=false contradicts stopasgroup=true: take one of them out"
        reading.blame(section, "killasgroup", fault)
    if values["numprocs"] > 1 and "%(process_num)" not in template:
        fault = "numprocs above 1 needs a name for each process: process_name=%(program_name)s_%(process_num)02d"
        reading.blame(section, "process_name" if template else "numprocs", fault)
        values["numprocs"] = 1
    if values["numprocs"] > PROGRAM_PROCESSES:
        fault = f"numprocs: {values['numprocs']} processes are more than the {PROGRAM_PROCESSES} allowed"
        reading.blame(section, "numprocs", fault)
        values["numprocs"] = 1


def _process(
    reading: Reading,
    section: Section,
    values: dict[str, Any],
    names: Names | None,
    number: int,
    title: str,
    extra: Mapping[str, Value],
) -> Program:
    """One process.  `names` is shared by those of a section, as in supervisord: what one adds, the next one sees.

    `extra` are its options of topics.
    """
    options = reading.document.options(section)
    if names is not None:
        names |= {"process_num": number, "numprocs": values["numprocs"], **reading.environ}
    environment = dict(reading.one(options, "environment", "environment", names, ()))
    if names is not None:
        names |= {"ENV_" + variable: text for variable, text in environment.items()}
    found = dict(values)
    for option, kind in SEPARATE.items():
        if option in options:
            found[option] = reading.value(option, kind, options[option], names, PROGRAM[option][1])
    if names is not None:
        title = reading.one(options, "process_name", "text", names, title)
    _streams(found)
    found["argv"], found["argv_error"] = words(found["command"] or "")
    if environment or reading.environment:
        found["environment"] = tuple({**reading.environment, **environment}.items())
    found.update(name=title, number=number)
    if extra:
        build_all(reading, section, extra, names, found)
    return Program(**found)


def _streams(values: dict[str, Any]) -> None:
    """What the log options come to: stderr that is redirected has no file, and `syslog` as a file means the option."""
    for stream in ("stdout", "stderr"):
        if values[stream + "_logfile"] == SYSLOG:
            values[stream + "_logfile"] = None
            values[stream + "_syslog"] = True
    if values["redirect_stderr"]:
        values["stderr_logfile"] = None


def words(command: str) -> tuple[tuple[str, ...], str]:
    """The command's words, or why it has none: such a program fails at its start, not the whole file (supervisord)."""
    try:
        argv = split(command)
    except ValueError as fault:
        return (), str(fault)
    return argv, "" if argv else "the command is empty"
