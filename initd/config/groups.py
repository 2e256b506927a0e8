"""Sections of programs and groups become processes in the order supervisord starts them.

Order: groups by priority, then name.  A program that no [group:x] lists is a group of its own.  Within a group the
programs come as `programs=` lists them, the processes of one program by name (so x_10 before x_2, as supervisord).
"""

from __future__ import annotations

from initd.config.programs import gather, group_priority, processes, section_name
from initd.config.reading import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.ini import Section
    from initd.config.programs import Member
    from initd.config.reading import Reading
    from initd.config.records import Program


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
