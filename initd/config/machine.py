"""What a configuration needs that this machine lacks: users, directories, commands.

These are no errors of the text: a file may be checked where it will not run.  The only module of initd.config, besides
reading the files, that asks the operating system.
"""

from __future__ import annotations

import os

from initd.config import ini
from initd.config.reading import place
from initd.users import uid_of
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from initd.config.ini import Section
    from initd.config.records import Config, Loaded, Program

DEFAULT_PATH = "/bin:/usr/bin:/usr/local/bin"
"""Where supervisord looks for commands without any PATH (its options.py)."""

MADE = ("childlogdir", "logfile", "pidfile", "stdout_logfile", "stderr_logfile")
"""Options whose directory initd makes when it first writes there."""


class Lack(Record):
    """One thing that is missing here."""

    what: str
    """`user`, `directory`, `file` or `command`."""
    name: str
    file: str
    line: int
    message: str


def lacks(loaded: Loaded, environ: Mapping[str, str]) -> tuple[Lack, ...]:
    """All that is missing, each thing once for a section."""
    if loaded.config is None or not isinstance(loaded.document, ini.Document):
        return ()
    sections = {(section.file, section.line): section for section in loaded.document.sections.values()}
    found = dict.fromkeys(_daemon(loaded.config, loaded.document))
    for program in loaded.config.programs:
        section = sections[program.file, program.line]
        found |= dict.fromkeys(_program(program, section, environ))
    return tuple(found)


def _daemon(config: Config, document: ini.Document) -> Iterator[Lack]:
    daemon = config.daemon
    section = document.sections.get("supervisord") or document.sections["initd"]
    if daemon.user is not None and uid_of(daemon.user) is None:
        yield Lack("user", daemon.user, *place(section, "user"), f"user: there is no user {daemon.user!r} here")
    for option, directory in (
        ("directory", daemon.directory),
        ("childlogdir", daemon.childlogdir),
        ("logfile", os.path.dirname(daemon.logfile)),
        ("pidfile", os.path.dirname(daemon.pidfile)),
    ):
        if directory and not os.path.isdir(directory):
            yield _directory(section, option, directory)


def _directory(section: Section, option: str, directory: str) -> Lack:
    message = f"{option}: there is no directory {directory} here"
    message += "; initd will try to make it" if option in MADE else ""
    return Lack("directory", directory, *place(section, option), message)


def _program(program: Program, section: Section, environ: Mapping[str, str]) -> Iterator[Lack]:
    if program.user is not None and uid_of(program.user) is None:
        yield Lack("user", program.user, *place(section, "user"), f"user: there is no user {program.user!r} here")
    if program.directory and not os.path.isdir(program.directory):
        yield _directory(section, "directory", program.directory)
    for option in ("stdout_logfile", "stderr_logfile"):
        directory = os.path.dirname(getattr(program, option) or "")
        if directory and not os.path.isdir(directory):
            yield _directory(section, option, directory)
    yield from _files(program, section)
    missing = _command(program, environ)
    if missing:
        yield Lack("command", program.argv[0], *place(section, "command"), f"command: {missing}")


def _files(program: Program, section: Section) -> Iterator[Lack]:
    """Environment files and secrets that must be there at a start, and are not here."""
    wanted = program.surroundings
    if wanted is None:
        return
    for option, paths in (("env_file", wanted.env_file), ("secrets", tuple(path for _, path in wanted.secrets))):
        for path in paths:
            if not path.startswith("-") and not os.path.exists(path):
                yield Lack("file", path, *place(section, option), f"{option}: there is no file {path} here")


def _command(program: Program, environ: Mapping[str, str]) -> str | None:
    """Why the command cannot be run here; found as supervisord finds it: the first file of that name counts."""
    if not program.argv:
        return None
    command = program.argv[0]
    path = dict(program.environment).get("PATH", environ.get("PATH") or DEFAULT_PATH)
    if "/" in command:
        places = [os.path.join(program.directory or "", command)]  # execve comes after chdir
    else:
        places = [os.path.join(directory, command) for directory in path.split(":")]
    where = next((place for place in places if os.path.exists(place)), None)
    if where is None:
        return f"there is no {command} here" if "/" in command else f"there is no {command} here in PATH {path}"
    if os.path.isdir(where):
        return f"{where} is a directory"
    return None if os.access(where, os.X_OK) else f"{where} is not executable"
