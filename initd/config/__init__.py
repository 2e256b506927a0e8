"""Read a configuration: supervisord's files as they are, with [initd] for what supervisord does not know.

`load` is all the rest of initd needs.  It imports no module of the standard library that a container's start would feel
(no re, json, configparser, shlex, typing); what good files do not need is imported only where it is needed.
"""

from __future__ import annotations

import os

from initd.config.daemon import daemon, judge_exit_code
from initd.config.groups import groups as read_groups
from initd.config.ini import Document, read, text_of
from initd.config.reading import Reading, place
from initd.config.records import Config, Loaded, Problem, Server
from initd.config.topics import judge_across, shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["find", "load"]

ELSEWHERE = ("unix_http_server", "inet_http_server", "rpcinterface:")
"""Sections whose reader is imported only if one is there."""


def find(argv0_dir: str, cwd: str) -> str | None:
    """The configuration file where none is named, in supervisord's order: beside the executable, in cwd, in /etc.

    Last comes what was beside the original where pip had put that, since our own executable is elsewhere.
    """
    beside = os.path.dirname(argv0_dir)
    places = (
        os.path.join(beside, "etc/supervisord.conf"),
        os.path.join(beside, "supervisord.conf"),
        os.path.join(cwd, "supervisord.conf"),
        os.path.join(cwd, "etc/supervisord.conf"),
        "/etc/supervisord.conf",
        "/etc/supervisor/supervisord.conf",
        "/usr/local/etc/supervisord.conf",
    )
    return next((path for path in places if os.path.exists(path)), None)


def load(
    path: str,
    environ: Mapping[str, str],
    *,
    here_host: str | None = None,
    users: Callable[[str], int | None] | None = None,
    directories: Callable[[str], bool] | None = None,
    groups: Callable[[str], int | None] | None = None,
    advise: bool = True,
    scales: Mapping[str, int] | None = None,
) -> Loaded:
    """Read a file and all it includes, and find every error and warning in them.

    `environ` gives the ENV_ names, `here_host` replaces the host's name.  With `users` and `groups` (name or number to
    id, None if there is none) and `directories` (whether one exists) given, what this machine lacks is an error, as in
    supervisord; without, the text alone is judged.  `advise=False` leaves the warnings to advice.advise(), later.
    `scales` overrides numprocs of programs that are there, by name.
    """
    document = Document()
    try:
        read(document, text_of(path), path)
    except OSError as fault:
        return Loaded(None, (Problem(path, 0, f"cannot be read: {fault.strerror}"),), ())
    except ValueError as fault:
        return Loaded(None, (Problem(path, 0, str(fault)),), ())
    here = os.path.abspath(os.path.dirname(path))
    loaded = _judge(Reading(document, environ, here, here_host, users, directories, groups), path, scales or {})
    if advise:
        from initd.config.advice import advise as warnings

        loaded = loaded._replace(warnings=warnings(loaded))
    return loaded


def _judge(reading: Reading, path: str, scales: Mapping[str, int]) -> Loaded:
    """All sections of a document as one Config, or the errors."""
    document = reading.document
    if "include" in document.sections:
        from initd.config.include import include

        include(reading, document.sections["include"], path)
    for name, count in scales.items():
        section = document.sections.get(f"program:{name}")
        if section is not None:
            section.options["numprocs"] = (str(count), *place(section, "numprocs"))
    ours, link = daemon(reading)
    reading.common = shared(reading)
    members = read_groups(reading)
    if any(name.startswith("eventlistener:") for name in document.sections):
        from initd.config.relay import relay

        members = relay(reading, members)
    every = [program for _, programs in members for program in programs]
    judge_across(reading, every)
    if ours.exit_code_from is not None:
        judge_exit_code(reading, ours.exit_code_from, every)
    servers: tuple[Server, ...] = ()
    if any(name.startswith(ELSEWHERE) for name in document.sections):
        from initd.config.servers import servers as read_servers

        servers = read_servers(reading)
    errors = (*document.errors, *reading.problems)
    if errors:
        order = {file: place for place, file in enumerate(document.files)}
        errors = tuple(sorted(errors, key=lambda problem: (order.get(problem.file, len(order)), problem.line)))
    programs = tuple([program for _, found in members for program in found])
    config = Config(programs, tuple(group for group, _ in members), ours, link, tuple(document.files), servers)
    return Loaded(None if errors else config, errors, (), document)
