"""Warnings: what supervisord passes over in silence, each with file, line and cure.

The reader leaves notes of what it met (a repeated option, a comment inside quotes); the words are here, with the checks
of names.  Traps of single options are in initd.config.traps.  Pure: it looks at nothing but what was loaded.
"""

from __future__ import annotations

from initd.config import fields, ini, servers
from initd.config.diagnose import nearest
from initd.config.records import Problem
from initd.config.topics import TOPIC_OF
from initd.config.traps import traps
from initd.config.vain import vain
from initd.config.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from initd.config.ini import Document, Section, Value
    from initd.config.records import Loaded

    Told = Iterator[str]

TOPICAL: fields.Fields = dict.fromkeys(TOPIC_OF, ("", None, ""))
TABLES: dict[str, fields.Fields] = {
    "program": {**fields.PROGRAM, **TOPICAL},
    "group": fields.GROUP,
    "eventlistener": {**fields.PROGRAM, **fields.LISTENER, **TOPICAL},
    "fcgi-program": {**fields.PROGRAM, **fields.FCGI, **TOPICAL},
    "supervisord": fields.DAEMON,
    "initd": {**fields.DAEMON, **fields.INITD, **TOPICAL},
    "include": fields.INCLUDE,
    "unix_http_server": fields.UNIX_SERVER,
    "inet_http_server": fields.INET_SERVER,
    "supervisorctl": fields.CTL,
    "rpcinterface": fields.RPC,
    "ctlplugin": fields.CTL_PLUGIN,
}
NAMED = ("program", "group", "eventlistener", "fcgi-program", "rpcinterface", "ctlplugin")
"""Sections that have a name behind a colon."""

OPEN = ("rpcinterface", "ctlplugin")
"""Sections whose other options belong to a plugin."""


def advise(loaded: Loaded) -> tuple[Problem, ...]:
    """All warnings of a file, in the order of its lines.  Where it has errors: those that need no finished reading."""
    document = loaded.document
    if not isinstance(document, ini.Document):
        return loaded.warnings
    found = [*_notes(document), *_sections(document)]
    if loaded.config is not None:
        found += [*traps(loaded.config, document), *vain(loaded.config, document)]
    order = {file: number for number, file in enumerate(document.files)}
    return tuple(sorted(set(found), key=lambda problem: (order.get(problem.file, 0), problem.line, problem.message)))


# What the reader noted


def _notes(document: Document) -> Iterator[Problem]:
    for kind, file, line, parts in document.notes:
        if kind in NOTES:
            for message in NOTES[kind](*parts):
                yield Problem(file, line, message)


def _section_again(name: str, file: str, line: str) -> Told:
    if name != "include":
        yield f"[{name}] was begun at {file}:{line}: both are read as one, the later of two values counts"


def _option_again(section: str, option: str, file: str, line: str) -> Told:
    yield f"{option} of [{section}] was set at {file}:{line}: this line replaces it; take one of them out"


def _comment(line: str, kept: str) -> Told:
    """A comment was cut off a line that has quotes in it, or readers differ about where it begins."""
    first = ini.first_mark(line)
    if first is not None and line[:first].strip() != kept:
        other = line[:first].strip()
        yield f"read as {kept!r}, which is Python 3.12's rule; from 3.13 on it is {other!r}: take the comment marks out"
    try:
        split(kept.partition("=")[2])
    except ValueError:
        yield (
            f"a blank and ; or # begin a comment even inside quotes: what is left ends with {_end(kept)!r}; "
            "take the blank before it away, or put the text into a script"
        )


def _end(line: str) -> str:
    """The last words of an option's line."""
    value = line.partition("=")[2].strip()
    return value if len(value) <= 30 else "..." + value[-27:]


def _continuation(section: str, option: str, content: str) -> Told:
    """An indented line that looks like an option or a header of its own."""
    word = content.replace(":", "=").partition("=")[0].strip().lower()
    if content[0] == "[":
        yield f"{content} is indented deeper than {option} above and so belongs to its value: remove the indentation"
    elif word in TABLES.get(section.partition(":")[0], {}):
        yield f"{word} is indented deeper than {option} above and so belongs to its value: remove the indentation"


def _group_again(name: str) -> Told:
    yield f"there is another group {name!r}, of which this program is no part: it is not started; rename one"


def _process_again(group: str, name: str) -> Told:
    yield f"group {group!r} has two processes named {name!r}: only the last one is started; give them different names"


def _fcgi_in_group(group: str, name: str) -> Told:
    yield f"[fcgi-program:{name}] in [{group}] starts without its socket, as in supervisord; take it out of the group"


def _unfit(option: str, objection: str) -> Told:
    yield f"{option} suits no program: {objection.removeprefix(option).removeprefix(':').strip()}"


def _no_match(pattern: str) -> Told:
    yield f"no file matches {pattern!r}"


def _unreadable(path: str, reason: str) -> Told:
    yield f"{path} is skipped: {reason}"


def _supervisor_stdout(group: str, *names: str) -> Told:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    what = f"the lines of {shown}" if names else "the lines of programs with stdout_events_enabled=true"
    yield f"{group} (supervisor_stdout) is not started: initd itself writes {what} to the container's stdout, prefixed"


NOTES: dict[str, Callable[..., Told]] = {
    "section again": _section_again,
    "option again": _option_again,
    "comment": _comment,
    "continuation": _continuation,
    "group again": _group_again,
    "process again": _process_again,
    "fcgi in group": _fcgi_in_group,
    "unfit": _unfit,
    "no match": _no_match,
    "unreadable": _unreadable,
    "supervisor_stdout": _supervisor_stdout,
}


# Names of sections and options


def _sections(document: Document) -> Iterator[Problem]:
    every: fields.Fields = {option: ("", None, "") for table in TABLES.values() for option in table}
    yield from _options(document.defaults, every)
    for section in document.sections.values():
        kind = kind_of(section.name)
        if kind is None:
            yield Problem(section.file, section.line, f"[{section.name}] is ignored: {_meant(section.name)}")
        elif kind == "include":
            yield from _nested(document, section)
        elif kind not in OPEN:
            yield from _options(section, TABLES[kind])
        if kind in PASSED_OVER and not _standard(section):
            yield Problem(section.file, section.line, PASSED_OVER[kind].format(section.name))


def kind_of(name: str) -> str | None:
    """Which table a section follows; None for a section nobody reads."""
    kind, colon, _ = name.partition(":")
    if kind.startswith(("unix_http_server", "inet_http_server")):
        return kind[:16]
    return kind if kind in TABLES and bool(colon) is (kind in NAMED) else None


def _meant(name: str) -> str:
    """What an unknown section was probably meant to be."""
    kind, _, title = [part.strip() for part in name.partition(":")]
    close = kind.lower() if kind.lower() in TABLES else nearest(kind.lower(), TABLES)
    if close is None:
        return "neither supervisord nor initd reads such a section"
    return f"write [{close}:{title or 'NAME'}]" if close in NAMED else f"write [{close}]"


def _options(section: Section, table: fields.Fields) -> Iterator[Problem]:
    for name, (_, file, line) in section.options.items():
        if name not in table:
            yield Problem(file, line, f"{name} is ignored: {_belongs(name, section.name, table)}")


def _belongs(name: str, section: str, table: fields.Fields) -> str:
    """What an unknown option was probably meant to be."""
    if name.startswith("["):
        return "it looks like a section header without its closing ]"
    close = nearest(name, table)
    if close:
        return f"[{section}] has no such option; did you mean {close}?"
    elsewhere = [f"[{kind}:x]" if kind in NAMED else f"[{kind}]" for kind, others in TABLES.items() if name in others]
    return f"it belongs into {elsewhere[0]}" if elsewhere else f"[{section}] has no such option; take it out"


def _nested(document: Document, section: Section) -> Iterator[Problem]:
    for name, (_, file, line) in section.options.items():
        if file != document.files[0]:
            yield Problem(file, line, "an [include] in an included file is ignored: name these files in the main one")
        elif name not in fields.INCLUDE:
            yield Problem(file, line, f"{name} is ignored: [include] has only files")


PASSED_OVER = {
    "rpcinterface": "[{}] is not loaded: initd runs no Python plugins",
    "ctlplugin": "[{}] is not loaded: initd runs no Python plugins",
}


def _standard(section: Section) -> bool:
    """Whether it is the rpc interface that everybody has, and nobody misses."""
    factory: Value = section.options.get(servers.FACTORY, ("", "", 0))
    return factory[0] == "supervisor.rpcinterface:make_main_rpcinterface"
