"""Traps: texts that supervisord accepts and that mean something else than most people expect.

Each check looks at one section of a program and at its first process, and yields the option to blame with what happens
and the cure.  Pure.
"""

from __future__ import annotations

from initd.config.fields import PROGRAM
from initd.config.reading import place
from initd.config.records import AUTO, Problem
from initd.config.words import tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from initd.config.ini import Document, Section, Value
    from initd.config.records import Config, Program

    Told = Iterator[tuple[str, str]]

SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox")
OPERATORS = ("&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", ">&2")
STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/", "/proc/1/fd/")


def traps(config: Config, document: Document) -> Iterator[Problem]:
    """All traps of all programs."""
    programs: dict[str, list[Program]] = {}
    for program in config.programs:
        programs.setdefault(f"{program.file}:{program.line}", []).append(program)
    for section in document.sections.values():
        if section.name.startswith(("program:", "eventlistener:", "fcgi-program:")):
            yield from _section(section, document, programs.get(f"{section.file}:{section.line}", []))
    yield from _groups(config, document)
    yield from _daemon(config)
    yield from _environments(document)


def _section(section: Section, document: Document, programs: list[Program]) -> Iterator[Problem]:
    options = document.options(section)
    told = [*_percents(options)]
    if programs:
        told += [found for check in CHECKS for found in check(programs[0], options)]
    elif "numprocs" in options:
        told.append(("numprocs", f"numprocs={options['numprocs'][0]} starts no process"))
    for option, message in told:
        _, file, line = options.get(option, ("", section.file, section.line))
        yield Problem(file, line, message)


def _percents(options: Mapping[str, Value]) -> Told:
    """Conversions without a name, names that are none, and what is expanded twice."""
    for option, (text, _, _) in options.items():
        if option not in PROGRAM:
            continue
        plain = text.replace("%%", "")
        for at in range(len(plain) - 1):
            if plain[at] == "%" and plain[at + 1] != "(":
                yield option, f"{option}: {plain[at : at + 2]!r} becomes a list of all variables; a percent sign is %%"
        if "$(" in text and ")s" in text:
            yield option, f"{option}: $(...)s is plain text; an expansion is written %(...)s"
        if option.endswith("_logfile") and "%%" in text.replace("%%%%", ""):
            yield option, f"{option} is expanded twice: write %%%% for a percent sign"


def _command(program: Program, options: Mapping[str, Value]) -> Told:
    """What the command lacks a shell for."""
    if program.argv_error:
        yield "command", f"command: {program.argv_error}; the program cannot start (FATAL)"
        return
    if len(program.argv) == 1 and any(char.isspace() for char in program.argv[0]):
        yield "command", "command: the quotes make it one word, and no file has that name; take the outer quotes away"
    if program.argv[0].rpartition("/")[2] in SHELLS:
        return
    for word in program.argv[1:]:
        if not_for_shell(word):
            yield (
                "command",
                f"command: {word!r} goes to the program as it is, no shell reads it; write sh -c '...', "
                "or %(ENV_X)s for a variable",
            )
            return


def not_for_shell(word: str) -> bool:
    """Whether a word of a command looks as if a shell were to read it."""
    if word in OPERATORS or word.startswith("~/"):
        return True
    after = word.partition("$")[2][:1]
    return after.isalpha() or after in tuple("{(_") or ("/" in word and "*" in word)


def _streams(program: Program, options: Mapping[str, Value]) -> Told:
    """Log files that are not what they seem."""
    redirected = program.redirect_stderr and "stderr_logfile" in options
    if redirected and options["stderr_logfile"][0].lower() not in ("auto", "none", "off", ""):
        yield "stderr_logfile", "stderr_logfile is ignored, because redirect_stderr=true sends stderr to stdout's log"
    for stream in ("stdout", "stderr"):
        name, limit = f"{stream}_logfile", f"{stream}_logfile_maxbytes"
        path, maxbytes = getattr(program, name), getattr(program, limit)
        if path and path.startswith(STREAMS) and maxbytes:
            yield name, f"{name}={path}: write {limit}=0 too, or supervisord reports errors; initd forwards it as it is"
        if getattr(program, f"{stream}_syslog"):
            blamed = name if name in options and options[name][0].lower() == "syslog" else f"{stream}_syslog"
            yield blamed, f"{blamed}: while nothing listens at /dev/log, this goes to the container's own {stream}"


def _user(program: Program, options: Mapping[str, Value]) -> Told:
    """user= changes the user and nothing else."""
    given = dict(program.environment)
    sets_home = program.surroundings is not None and program.surroundings.set_home
    if program.user not in (None, "root", "0") and "HOME" not in given and not sets_home:
        yield (
            "user",
            f"user={program.user} does not change HOME and USER, which stay initd's own; "
            f'if the program reads them: set_home=true, or environment=HOME="...",USER="{program.user}"',
        )


def _stopping(program: Program, options: Mapping[str, Value]) -> Told:
    """Priorities within a group order the stop only."""
    if program.group != program.program and program.kind == "program" and "priority" in options:
        yield (
            "priority",
            f"priority of a program in [group:{program.group}] orders only the stop within the group; "
            "the start follows programs=",
        )


CHECKS = (_command, _streams, _user, _stopping)


def _groups(config: Config, document: Document) -> Iterator[Problem]:
    """Programs listed twice run twice."""
    homes: dict[str, str] = {}
    for group in config.groups:
        section = document.sections.get("group:" + group.name)
        if group.kind != "group" or section is None:
            continue
        for program in sorted({one.program for one in config.programs if one.group == group.name}):
            if homes.setdefault(program, group.name) != group.name:
                where = f"[group:{homes[program]}] lists {program} too: it runs in both"
                yield Problem(*place(section, "programs"), where)


def _daemon(config: Config) -> Iterator[Problem]:
    """Log files nobody empties."""
    for program in config.programs if config.daemon.childlogdir else ():
        for stream in ("stdout", "stderr"):
            if getattr(program, f"{stream}_logfile") == AUTO and not getattr(program, f"{stream}_logfile_maxbytes"):
                fault = f"{stream}_logfile_maxbytes=0 lets the file in childlogdir grow without end"
                yield Problem(program.file, program.line, fault)


def _environments(document: Document) -> Iterator[Problem]:
    """Values of environment= that the lexer cuts."""
    for kind, file, line, parts in document.notes:
        if kind == "environment":
            for message in cuts(parts[0]):
                yield Problem(file, line, f"environment: {message}")


def cuts(text: str) -> Iterator[str]:
    """What is lost or odd in an environment= line that can be read."""
    words = tokens(text)
    for at in range(0, len(words), 4):
        name, value = words[at], words[at + 2].strip("'\"")
        rest = words[at + 3 : at + 4]
        if rest and rest[0] not in (",", ";"):
            yield f'{name} is cut to {value!r} before {rest[0]!r}; put the value in quotes: {name}="..."'
        if name[0] in "'\"":
            yield f"the quotes are part of the name {name}; write it without them"
    if "#" in _unquoted(text):
        yield "a # outside quotes cuts off the rest of its line; put the value in quotes"


def _unquoted(text: str) -> str:
    """The text without its quotations."""
    outside = ""
    while text:
        at = min((place for place in (text.find("'"), text.find('"')) if place >= 0), default=len(text))
        outside += text[:at]
        text = text[at + 1 :].partition(text[at])[2] if at < len(text) else ""
    return outside
