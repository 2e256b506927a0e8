"""Sections of programs and groups become processes in the order supervisord starts them.

Order: groups by priority, then name.  A program that no [group:x] lists is a group of its own.  Within a group the
programs come as `programs=` lists them, the processes of one program by name (so x_10 before x_2, as supervisord).
"""

from __future__ import annotations

from initd.config.fields import PROCESS, PROGRAM
from initd.config.reading import place
from initd.config.records import Group, Program
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


def groups(reading: Reading) -> list[Member]:
    """Every group with its processes, in start order."""
    document = reading.document
    listed: set[str] = set()
    found = [_group(reading, section, listed) for section in document.starting_with("group:")]
    for section in document.starting_with("program:"):
        if section.name not in listed:
            found.append(_program(reading, section))
    if any(title.startswith(("eventlistener:", "fcgi-program:")) for title in document.sections):
        from initd.config.pools import pools

        found += pools(reading, listed)
    found.sort(key=lambda member: (member[0].priority, member[0].name))
    return _once_each(reading, found)


def _once_each(reading: Reading, found: list[Member]) -> list[Member]:
    """The first group of each name, as supervisord keeps it."""
    kept: dict[str, Member] = {}
    for member in found:
        if kept.setdefault(member[0].name, member) is not member:
            for program in member[1][:1]:
                reading.document.notes.append(("group again", program.file, program.line, (program.group,)))
    return list(kept.values())


def _group(reading: Reading, section: Section, listed: set[str]) -> Member:
    """A [group:x] with the processes of all its programs."""
    title = section_name(reading, section)
    options = reading.document.options(section)
    programs = reading.one(options, "programs", "text", reading.names(), "")
    priority = group_priority(reading, options, 999)
    found: list[Program] = []
    for wanted in [part.strip() for part in programs.split(",")] if programs else []:
        member = _listed(reading, section, wanted)
        if member is not None:
            listed.add(member.name)
            found += processes(reading, member, title, priority)
    return gather(reading, title, priority, "group", found)


def _listed(reading: Reading, section: Section, wanted: str) -> Section | None:
    """The section of a program that a group lists."""
    sections = reading.document.sections
    program, fcgi = sections.get("program:" + wanted), sections.get("fcgi-program:" + wanted)
    if (program is None) is not (fcgi is None):
        if fcgi:
            reading.document.notes.append(("fcgi in group", *place(section, "programs"), (section.name, wanted)))
        return program or fcgi
    if program:
        fault = f"{wanted!r} is both a [program:x] and an [fcgi-program:x]: rename one"
    elif not wanted:
        fault = "there is an empty name; remove the comma too many"
    else:
        fault = f"there is no [program:{wanted}]; write the section or take the name out"
    reading.blame(section, "programs", f"programs: {fault}")
    return None


def _program(reading: Reading, section: Section) -> Member:
    """A [program:x] as a group of its own."""
    title = section_name(reading, section)
    priority = group_priority(reading, reading.document.options(section), 999)
    return gather(reading, title, priority, "program", processes(reading, section, title, priority))


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
    found = [
        _process(reading, options, values, names, number, title if template is None else template)
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
    reading: Reading, options: Mapping[str, Value], values: dict[str, Any], names: Names | None, number: int, title: str
) -> Program:
    """One process.  `names` is shared by those of a section, as in supervisord: what one adds, the next one sees."""
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
    return Program(name=title, number=number, **found)


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
